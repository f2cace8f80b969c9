"""Editing by hand: what is allowed per shape, what is refused with the row's number."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from studio.domain.recipes import EditStep
from studio.domain.shapes import Shape
from studio.errors import StudioError
from studio.ingest.dataset.file_store import FileStore
from studio.ingest.dataset.images import store_content
from tests.unit.ingest.versions.helpers import column, derive, make_dataset, table


def chat(*turns: str) -> str:
    roles = ("user", "assistant")
    return json.dumps([{"role": roles[i % 2], "content": text} for i, text in enumerate(turns)])


BASE: dict[Shape, list[tuple[str | None, ...]]] = {
    Shape.PROMPT_RESPONSE: [(None, "q", "a"), (None, None, "b")],
    Shape.MESSAGES: [(chat("q", "a"),)],
    Shape.PREFERENCE: [(None, None, "q", "good", "bad")],
    Shape.THUMBS: [(None, None, "q", "a", "up")],
    Shape.TEXT: [("t",)],
    Shape.TEXT_LABEL: [("t", "x")],
    Shape.TEXT_LABELS: [("t", '["x"]')],
    Shape.TEXT_NUMBER: [("t", "1.5")],
    Shape.RATINGS: [("u", "i", "5", None)],
}
REFUSED: list[tuple[Shape, dict[str, Any]]] = [
    (Shape.PROMPT_RESPONSE, {"prompt": "  "}),
    (Shape.PROMPT_RESPONSE, {"response": None}),
    (Shape.PROMPT_RESPONSE, {"response": "nul\0"}),
    (Shape.MESSAGES, {"messages": "[not json"}),
    (Shape.MESSAGES, {"messages": chat("q")}),
    (Shape.MESSAGES, {"messages": chat("q", " ")}),
    (Shape.PREFERENCE, {"history": chat("q")}),
    (Shape.PREFERENCE, {"chosen": ""}),
    (Shape.THUMBS, {"thumb": "sideways"}),
    (Shape.TEXT, {"text": ""}),
    (Shape.TEXT_LABEL, {"text": "\n"}),
    (Shape.TEXT_NUMBER, {"number": "many"}),
    (Shape.TEXT_NUMBER, {"number": "1,5"}),
    (Shape.RATINGS, {"rating": "five"}),
    (Shape.RATINGS, {"user": ""}),
]
ALLOWED: list[tuple[Shape, str, str | None, str | None]] = [
    (Shape.PROMPT_RESPONSE, "system", "be kind", "be kind"),
    (Shape.PROMPT_RESPONSE, "system", " ", None),
    (Shape.MESSAGES, "messages", chat("q", "a", "q2", "a2"), chat("q", "a", "q2", "a2")),
    (Shape.PREFERENCE, "history", chat("q", "a"), chat("q", "a")),
    (Shape.THUMBS, "thumb", "down", "down"),
    (Shape.TEXT_LABEL, "label", " y ", "y"),
    (Shape.TEXT_LABEL, "label", None, None),
    (Shape.TEXT_LABELS, "labels", "b|a", '["a","b"]'),
    (Shape.TEXT_LABELS, "labels", '["z"]', '["z"]'),
    (Shape.TEXT_LABELS, "labels", "", None),
    (Shape.TEXT_NUMBER, "number", "-2e3", "-2e3"),
    (Shape.RATINGS, "time", "2024", "2024"),
]


@pytest.mark.parametrize(("shape", "change"), REFUSED)
def test_refused_with_the_row(shape: Shape, change: dict[str, Any], tmp_path: Path) -> None:
    make_dataset(tmp_path / "v1", shape, BASE[shape])
    with pytest.raises(StudioError) as caught:
        derive(tmp_path / "v1", EditStep(cells={1: change}))
    assert caught.value.code == "step.invalid_row"
    assert "1" in caught.value.message
    assert not (tmp_path / "v2").exists()


@pytest.mark.parametrize(("shape", "name", "value", "stored"), ALLOWED)
def test_allowed(shape: Shape, name: str, value: str | None, stored: str | None, tmp_path: Path) -> None:
    make_dataset(tmp_path / "v1", shape, BASE[shape])
    version = derive(tmp_path / "v1", EditStep(cells={1: {name: value}}))
    assert column(tmp_path / "v2", name)[1] == stored
    assert version.made_by[0].changed == (
        BASE[shape][0] != tuple(table(tmp_path / "v2").row(0)[-len(BASE[shape][0]) :])
    )


def test_what_was_empty_may_stay_empty(tmp_path: Path) -> None:
    """An answer whose question still has to be written can be edited."""
    make_dataset(tmp_path / "v1", Shape.PROMPT_RESPONSE, BASE[Shape.PROMPT_RESPONSE])
    derive(tmp_path / "v1", EditStep(cells={2: {"response": "better"}, 1: {"prompt": "q2"}}))
    assert column(tmp_path / "v2", "response")[2] == "better"
    assert column(tmp_path / "v2", "prompt") == {1: "q2", 2: None}


def test_added_rows(tmp_path: Path) -> None:
    make_dataset(tmp_path / "v1", Shape.TEXT_LABEL, [("t", "x")])
    version = derive(tmp_path / "v1", EditStep(added=[{"text": "new", "label": " x "}, {"text": "two"}]))
    assert column(tmp_path / "v2", "label") == {1: "x", 2: "x", 3: None}
    assert column(tmp_path / "v2", "origin") == {1: None, 2: "added", 3: "added"}
    assert version.made_by[0].added == 2
    assert table(tmp_path / "v2")["split"].null_count() == 0
    with pytest.raises(StudioError) as caught:
        derive(tmp_path / "v1", EditStep(added=[{"label": "x"}]), to="v3")
    assert caught.value.code == "step.invalid_row"


@pytest.mark.parametrize(
    ("step", "code"),
    [
        (EditStep(cells={77: {"text": "x"}}), "step.no_such_row"),
        (EditStep(removed=[77]), "step.no_such_row"),
        (EditStep(cells={1: {"split": "test"}}), "step.no_such_column"),
        (EditStep(added=[{"txt": "x"}]), "step.no_such_column"),
        (EditStep(edits_file="/nowhere.json"), "step.bad_edits"),
    ],
)
def test_what_is_not_there(step: EditStep, code: str, tmp_path: Path) -> None:
    make_dataset(tmp_path / "v1", Shape.TEXT, [("t",), ("u",)])
    with pytest.raises(StudioError) as caught:
        derive(tmp_path / "v1", step)
    assert caught.value.code == code


def test_many_edits_from_a_file(tmp_path: Path) -> None:
    make_dataset(tmp_path / "sets" / "v1", Shape.TEXT, [(f"t{i}",) for i in range(30_000)])
    edits = {"cells": {i: {"text": f"new {i}"} for i in range(1, 30_001, 2)}, "removed": [2], "added": []}
    (tmp_path / "edits.json").write_text(json.dumps(edits))
    version = derive(tmp_path / "sets" / "v1", EditStep(edits_file=str(tmp_path / "edits.json")))
    assert (version.rows, version.made_by[0].changed, version.made_by[0].removed) == (29_999, 15_000, 1)
    texts = column(tmp_path / "sets" / "v2", "text")
    assert (texts[29_999], texts[30_000]) == ("new 29999", "t29999")


def test_a_picture_must_be_there(tmp_path: Path) -> None:
    name = store_content(b"not looked into", FileStore(tmp_path / "images"), "png")
    make_dataset(tmp_path / "v1", Shape.IMAGE_LABEL, [("0.png", "cat")])
    derive(tmp_path / "v1", EditStep(cells={1: {"image": name}}))
    assert column(tmp_path / "v2", "image")[1] == name
    for bad in ("none.png", "../v1/rows.parquet"):
        with pytest.raises(StudioError) as caught:
            derive(tmp_path / "v1", EditStep(cells={1: {"image": bad}}), to="v3")
        assert caught.value.code == "step.invalid_row"
