"""Find and replace: literal or regular expression, JSON stays JSON, bad rows are refused."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.domain.recipes import ReplaceStep
from studio.domain.shapes import Shape
from studio.errors import StudioError
from studio.i18n import set_language
from studio.ingest.dataset.content import change_inside, json_text
from studio.ingest.versions.replace import require_pattern
from tests.unit.ingest.versions.helpers import column, derive, make_dataset

import polars as pl  # isort: skip


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (ReplaceStep(find="a.c", replacement="x"), ["x abc A.C", "$5"]),
        (ReplaceStep(find="a.c", replacement="x", match_case=False), ["x abc x", "$5"]),
        (ReplaceStep(find="a.c", replacement="$0!", match_case=False), ["$0! abc $0!", "$5"]),
        (ReplaceStep(find="a(.)c", replacement="<$1>", regex=True), ["<.> <b> A.C", "$5"]),
        (ReplaceStep(find="a(.)c", replacement="<$1>", regex=True, match_case=False), ["<.> <b> <.>", "$5"]),
        (ReplaceStep(find="$5", replacement="$1"), ["a.c abc A.C", "$1"]),
    ],
)
def test_ways_of_finding(step: ReplaceStep, expected: list[str], tmp_path: Path) -> None:
    make_dataset(tmp_path / "v1", Shape.TEXT, [("a.c abc A.C",), ("$5",)])
    version = derive(tmp_path / "v1", step)
    assert list(column(tmp_path / "v2", "text").values()) == expected
    assert version.made_by[0].changed == sum(
        new != old for new, old in zip(expected, ["a.c abc A.C", "$5"], strict=True)
    )


def test_only_the_chosen_columns(tmp_path: Path) -> None:
    make_dataset(tmp_path / "v1", Shape.PROMPT_RESPONSE, [(None, "a", "a")])
    derive(tmp_path / "v1", ReplaceStep(find="a", replacement="b", columns=("response",)))
    assert (column(tmp_path / "v2", "prompt")[1], column(tmp_path / "v2", "response")[1]) == ("a", "b")
    with pytest.raises(StudioError) as caught:
        derive(tmp_path / "v1", ReplaceStep(find="a", columns=("answer",)), to="v3")
    assert caught.value.code == "step.no_such_column"


def test_inside_json(tmp_path: Path) -> None:
    messages = [{"role": "user", "content": 'say "hi"\n{}'}, {"role": "assistant", "content": "user: hi"}]
    make_dataset(tmp_path / "v1", Shape.MESSAGES, [(json_text(messages),)])
    derive(
        tmp_path / "v1", ReplaceStep(find='"', replacement="\\"), ReplaceStep(find="user", replacement='"]')
    )
    found = json.loads(column(tmp_path / "v2", "messages")[1] or "")
    assert [m["role"] for m in found] == ["user", "assistant"]
    assert [m["content"] for m in found] == ["say \\hi\\\n{}", '"]: hi']


def test_labels_stay_sorted_and_single(tmp_path: Path) -> None:
    make_dataset(tmp_path / "v1", Shape.TEXT_LABELS, [("t", '["a","b","z"]'), ("t", '["a"]')])
    derive(tmp_path / "v1", ReplaceStep(find="a", replacement="z", columns=("labels",)))
    assert column(tmp_path / "v2", "labels") == {1: '["b","z"]', 2: '["z"]'}
    derive(tmp_path / "v1", ReplaceStep(find="a", columns=("labels",)), to="v3")
    assert column(tmp_path / "v3", "labels") == {1: '["b","z"]', 2: None}


def test_untouched_rows_stay_to_the_letter(tmp_path: Path) -> None:
    odd = '[ {"role":"user","content":"q"}, {"role":"assistant","content":"\\u0061"} ]'
    make_dataset(tmp_path / "v1", Shape.MESSAGES, [(odd,), (odd.replace("q", "x"),)])
    derive(tmp_path / "v1", ReplaceStep(find="x", replacement="y"))
    assert column(tmp_path / "v2", "messages")[1] == odd


@pytest.mark.parametrize(
    ("shape", "row", "step"),
    [
        (Shape.TEXT, ("gone",), ReplaceStep(find="gone")),
        (Shape.TEXT_NUMBER, ("t", "15"), ReplaceStep(find="5", replacement="five")),
        (Shape.MESSAGES, (json_text([{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]),),
         ReplaceStep(find="q")),
        (Shape.THUMBS, (None, None, "q", "a", "up"), ReplaceStep(find="up", replacement="down!")),
    ],
)  # fmt: skip
def test_a_row_made_unusable_is_refused(
    shape: Shape, row: tuple[str], step: ReplaceStep, tmp_path: Path
) -> None:
    make_dataset(tmp_path / "v1", shape, [row], numbers=[41])
    with pytest.raises(StudioError) as caught:
        derive(tmp_path / "v1", step)
    assert caught.value.code == "step.invalid_row"
    assert "41" in caught.value.message


def test_a_bad_pattern_is_named(tmp_path: Path) -> None:
    make_dataset(tmp_path / "v1", Shape.TEXT, [("a",)])
    with pytest.raises(StudioError) as caught:
        derive(tmp_path / "v1", ReplaceStep(find="(a", regex=True))
    assert caught.value.code == "step.bad_pattern"
    assert "unclosed group" in caught.value.message
    assert "\n" not in caught.value.message


@pytest.mark.parametrize("pattern", ["(a", ")", "[a", "a{2", "*a", "a\\", "\\1", "(?=a)"])
def test_a_bad_pattern_is_named_in_the_language_of_the_window(pattern: str) -> None:
    set_language("zh_CN")
    try:
        with pytest.raises(StudioError) as caught:
            require_pattern(pattern)
    finally:
        set_language("en")
    assert not re.search("[a-zA-Z]{3}", caught.value.message)


@settings(max_examples=100, deadline=None)
@given(
    st.lists(st.lists(st.text(max_size=8), min_size=1, max_size=4), max_size=5),
    st.text(min_size=1, max_size=2),
)
def test_json_is_changed_inside_only(rows: list[list[str]], find: str) -> None:
    values = [[{"role": "user", "content": text} for text in texts] for texts in rows]
    texts = pl.Series("messages", [json_text(value) for value in values], dtype=pl.String)
    changed = change_inside(texts, lambda inner: inner.str.replace_all(find, '"x\\', literal=True))
    expected = [[text.replace(find, '"x\\') for text in texts] for texts in rows]
    assert [[m["content"] for m in json.loads(text)] for text in changed] == expected
