"""Trying a step tells what deriving would do, and writes nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.domain.recipes import (
    AnyStep,
    AugmentStep,
    EditStep,
    ImageOperator,
    ReplaceStep,
    RestoreStep,
    SplitStep,
    StepPreview,
    TextOperator,
)
from studio.domain.shapes import Shape
from studio.errors import StudioError
from studio.ingest.versions import rowstream, trying
from studio.ingest.versions.trying import try_step
from tests.unit.ingest.versions.helpers import derive, make_dataset

ROWS = [(f"text {i} of {'many' if i % 5 == 0 else 'some'}", "ab"[i % 2]) for i in range(400)]


def tried(folder: Path, step: AnyStep) -> StepPreview:
    before = sorted(path.name for path in folder.parent.rglob("*"))
    preview = try_step(folder, step, lambda _event: None, lambda: None)
    assert sorted(path.name for path in folder.parent.rglob("*")) == before
    return preview


@pytest.mark.parametrize(
    "step",
    [
        ReplaceStep(find="many", replacement="few"),
        ReplaceStep(find="nowhere"),
        SplitStep(validation=0.4, test=0.1, stratify=True),
        EditStep(cells={3: {"text": "x"}, 390: {"label": None}}, removed=[7, 300], added=[{"text": "new"}]),
        AugmentStep(text=tuple(TextOperator), copies=2),
    ],
)
def test_the_counts_are_those_of_deriving(
    step: AnyStep, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rowstream, "STEP_ROWS", 30)
    make_dataset(tmp_path / "v1", Shape.TEXT_LABEL, ROWS)
    preview = tried(tmp_path / "v1", step)
    outcome = derive(tmp_path / "v1", step).made_by[0]
    assert (preview.changed, preview.added, preview.removed) == (
        outcome.changed,
        outcome.added,
        outcome.removed,
    )
    assert (preview.of, preview.estimated) == (400, False)
    assert len(preview.examples) == min(20, outcome.changed + outcome.added + outcome.removed)


def test_examples_show_before_and_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rowstream, "STEP_ROWS", 30)
    make_dataset(tmp_path / "v1", Shape.TEXT_LABEL, ROWS)
    step = EditStep(
        cells={390: {"text": "x", "label": None}}, removed=[300], added=[{"text": "n", "label": "new"}]
    )
    found = [(e.row, e.column, e.before, e.after) for e in tried(tmp_path / "v1", step).examples]
    assert set(found) == {
        (300, "label", "b", None),
        (390, "text", "text 389 of some", "x"),
        (390, "label", "b", ""),
        (401, "label", "", "new"),
    }
    moved = tried(tmp_path / "v1", SplitStep(validation=0.5, test=0)).examples
    assert {e.column for e in moved} == {"split"}
    assert all(e.before != e.after for e in moved)


def test_a_changed_copy_stands_beside_what_it_was_made_from(tmp_path: Path) -> None:
    questions = [f"where is parcel {i} of mine" for i in range(40)]
    parts = ["train" if i % 2 else "test" for i in range(40)]
    make_dataset(
        tmp_path / "v1", Shape.PROMPT_RESPONSE, [(None, text, "it comes") for text in questions], splits=parts
    )
    preview = tried(tmp_path / "v1", AugmentStep(text=(TextOperator.DROP_WORDS,), copies=2))
    assert len(preview.examples) == 20
    for example in preview.examples:
        assert example.column == "prompt"
        assert example.before == questions[example.row - 1]
        assert parts[example.row - 1] == "train"
        assert example.after is not None
        assert len(example.after) < len(example.before)


def test_a_big_set_is_sampled_and_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trying, "SAMPLE_FROM_ROWS", 1000)
    monkeypatch.setattr(trying, "SAMPLE_ROWS", 1000)
    monkeypatch.setattr(rowstream, "STEP_ROWS", 100)
    make_dataset(tmp_path / "v1", Shape.TEXT, [(f"t{i % 2}",) for i in range(10_000)])
    preview = tried(tmp_path / "v1", ReplaceStep(find="t1", replacement="x"))
    assert (preview.changed, preview.of, preview.estimated) == (5000, 1000, True)
    whole = tried(tmp_path / "v1", EditStep(removed=[9999]))
    assert (whole.removed, whole.of, whole.estimated) == (1, 10_000, False)


def test_restoring(tmp_path: Path) -> None:
    make_dataset(tmp_path / "v1", Shape.TEXT_LABEL, ROWS)
    derive(tmp_path / "v1", EditStep(cells={3: {"text": "x"}}, removed=[7]))
    preview = tried(tmp_path / "v2", RestoreStep(version_id="v1", number=1))
    assert (preview.changed, preview.added, preview.removed) == (1, 1, 0)
    assert [(e.row, e.before) for e in preview.examples] == [(3, "x"), (7, "")]


def test_pictures_are_counted_and_not_made(tmp_path: Path) -> None:
    make_dataset(
        tmp_path / "v1", Shape.IMAGE_LABEL, [("0.png", "x"), ("1.png", "y")], splits=["train", "test"]
    )
    assert tried(tmp_path / "v1", AugmentStep(image=(ImageOperator.FLIP,), copies=3)).added == 3


def test_refusals_come_through(tmp_path: Path) -> None:
    make_dataset(tmp_path / "v1", Shape.TEXT, [("a",)])
    with pytest.raises(StudioError) as caught:
        try_step(tmp_path / "v1", ReplaceStep(find="a"), lambda _event: None, lambda: None)
    assert caught.value.code == "step.invalid_row"
