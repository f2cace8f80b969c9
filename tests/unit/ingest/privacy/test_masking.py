"""Masks and pseudonyms: what is outside a span stays, same original, same value, nothing left to find."""

from __future__ import annotations

import re

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.domain.private_data import PrivateKind
from studio.ingest.privacy import invented
from studio.ingest.privacy.masking import TOKENS, Pseudonyms, mask
from studio.ingest.privacy.scanner import PrivateScanner, Span
from studio.ingest.privacy.spans import word_list
from tests.unit.ingest.privacy.labelled import generated, hand_written

_TEXT = st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=60)


@st.composite
def _marked(draw: st.DrawFn) -> tuple[str, list[Span], list[str]]:
    """A text, spans in it, and the pieces outside the spans."""
    outside = draw(st.lists(_TEXT, min_size=1, max_size=5))
    text, spans = outside[0], []
    for piece in outside[1:]:
        value = draw(_TEXT.filter(bool))
        spans.append(Span(len(text), len(text) + len(value), draw(st.sampled_from(PrivateKind)), value))
        text += value + piece
    return text, spans, outside


@settings(max_examples=200, deadline=None)
@given(_marked())
def test_masking_leaves_everything_outside_the_spans(marked: tuple[str, list[Span], list[str]]) -> None:
    text, spans, outside = marked
    expected = outside[0] + "".join(
        TOKENS[span.kind] + rest for span, rest in zip(spans, outside[1:], strict=True)
    )
    assert mask(text, spans) == expected


@settings(max_examples=200, deadline=None)
@given(_marked())
def test_replacing_is_consistent_and_leaves_the_rest(marked: tuple[str, list[Span], list[str]]) -> None:
    text, spans, outside = marked
    made = [
        Pseudonyms(b"key").replace(span.value, [Span(0, len(span.value), span.kind, span.value)])
        for span in spans
    ]
    expected = outside[0] + "".join(value + rest for value, rest in zip(made, outside[1:], strict=True))
    assert Pseudonyms(b"key").replace(text, spans) == expected


def _replace(pseudonyms: Pseudonyms, text: str) -> str:
    (spans,) = PrivateScanner().scan(pl.Series([text]))
    assert spans
    return pseudonyms.replace(text, spans)


def test_the_same_phone_in_another_form_gets_the_same_digits() -> None:
    pseudonyms = Pseudonyms(b"key")
    forms = ["电话13812345678", "电话+86 138-1234-5678", "电话１３８ １２３４ ５６７８"]
    digits = {"".join(filter(str.isdigit, _replace(pseudonyms, text)))[-11:] for text in forms}
    assert len(digits) == 1
    assert digits.pop().startswith("154")


def test_another_secret_gives_another_value() -> None:
    text = "write to john.smith@mail.com"
    assert _replace(Pseudonyms(b"one"), text) != _replace(Pseudonyms(b"two"), text)


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("call (415) 236-5000", r"call \(\d{3}\) 555-01\d\d"),
        ("mobile +44 7911 123456", r"mobile \+44 7700 900\d{3}"),
        ("电话010-62345678", r"电话015-\d{8}"),
        ("电话0755-26345678", r"电话0600-\d{8}"),
        ("tel +49 30 901820", r"tel \+99 9\d \d{6}"),
        ("mail a.b@firm.com", r"mail user[0-9a-f]{8}@example\.com"),
        ("card 4111 1111 1111 1111", r"card 9999 \d{4} \d{4} \d{4}"),
        ("SSN 212-45-6789", r"SSN 000-\d\d-\d{4}"),
        ("身份证11010519491231002X", r"身份证990000(?:19|20)\d{10}"),
        ("IBAN DE89 3704 0044 0532 0130 00", r"IBAN DE00 \d{4} \d{4} \d{4} \d{4} \d\d"),
        ("login from 81.2.69.142", r"login from (?:192\.0\.2|198\.51\.100|203\.0\.113)\.\d{1,3}"),
        ("I live at 12 High Street", r"I live at \d{1,4} Example Street"),
        ("passport X12345678", r"passport X000\d{5}"),
        ("password: hunter22", r"password: example-[0-9a-f]{10}"),
    ],
)
def test_made_up_values_have_the_form_of_the_real(text: str, form: str) -> None:
    assert re.fullmatch(form, _replace(Pseudonyms(b"key"), text))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_nothing_is_left_to_find(language: str) -> None:
    texts = [sentence.text for sentence in hand_written(f"hand_{language}") + generated(language, 8, 1)]
    scanned = PrivateScanner().scan(pl.Series(texts))
    pseudonyms = Pseudonyms(b"key")
    for make in (mask, pseudonyms.replace):
        made = [make(text, spans) for text, spans in zip(texts, scanned, strict=True)]
        again = PrivateScanner().scan(pl.Series(made))
        assert [(text, spans) for text, spans in zip(made, again, strict=True) if spans] == []


def test_invented_names_are_in_no_list_of_real_ones() -> None:
    assert invented.english().isdisjoint(word_list("given_names_en") | word_list("surnames_en"))
    assert word_list("surnames_zh").isdisjoint((*invented.chinese_surnames(), *invented.chinese_given()))
