"""Two numbers beside each other: the shortcut past the numbering plans loses none of what they would find."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.ingest.privacy import phones
from studio.ingest.privacy.phones import find_phones
from studio.ingest.privacy.spans import resolve
from tests.helpers.examples import examples

NUMBERS = [
    "020 7946 1234", "(212) 456-7890", "212 456 7890", "13812345678", "+86 138 1234 5678", "010-62345678",
    "+49 30 901820", "07911 123456", "400-810-6666", "0044 20 7946 1234",
]  # fmt: skip


def covered(text: str) -> set[int]:
    """The digits of the text that are part of what is found."""
    spans = resolve(text, list(find_phones(text)))
    return {at for span in spans for at in range(span.start, span.end) if text[at].isdigit()}


@settings(max_examples=examples(150), deadline=None)
@given(
    st.sampled_from(["call ", "tel: ", "order 97 ", "", "电话"]),
    st.lists(st.sampled_from(NUMBERS), min_size=1, max_size=3),
    st.sampled_from([" ", ", ", "; ", " or "]),
)
def test_the_shortcut_loses_nothing(before: str, numbers: list[str], between: str) -> None:
    text = before + between.join(numbers)
    found = covered(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(phones, "_is_known", lambda _match, _found: False)
        assert covered(text) <= found


@pytest.mark.parametrize(
    "text",
    ["call 020 7946 1234 020 7946 1234", "call (212) 456-7890 212 456 7890", "tel 13812345678 13912345678"],
)
def test_two_numbers_in_a_row_are_both_found(text: str) -> None:
    assert covered(text) == {at for at, sign in enumerate(text) if sign.isdigit()}
