"""The order of labelling: unsure rows first, plain order where nothing can be learned, drafts counted as made."""

from __future__ import annotations

import io
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from studio.domain.shapes import Shape
from studio.errors import StudioError
from studio.ingest.dataset.file_store import FileStore
from studio.ingest.dataset.images import store_content
from studio.ingest.versions import label_order
from studio.ingest.versions.drafted import drafted_cells
from studio.ingest.versions.guessing import FEATURES, hashed_pieces, text_margins
from studio.ingest.versions.label_order import order_for_labelling
from tests.unit.ingest.versions.helpers import make_dataset

GOOD = ["很好用，非常满意", "质量不错，喜欢", "great, love it", "works perfectly, happy"]
BAD = ["太差了，要退货", "坏了，很失望", "terrible, want a refund", "broken, very disappointed"]
MIXED = "很好用，非常满意，但是太差了，要退货"


def order(
    folder: Path, draft: Path | None = None, limit: int = 1000, column: str = "label"
) -> dict[str, Any]:
    return order_for_labelling(folder, column, draft, limit, lambda: None)


def journal(path: Path, *entries: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(entry) + "\n" for entry in entries))
    return path


def test_the_unsure_come_first(tmp_path: Path) -> None:
    rows = [
        (f"{text} {i}", label)
        for i in range(5)
        for label, texts in (("+", GOOD), ("-", BAD))
        for text in texts
    ]
    rows += [(f"{GOOD[0]}！", None), (MIXED, None), (f"{BAD[0]}！", None)]
    make_dataset(tmp_path / "v1", Shape.TEXT_LABEL, rows)
    found = order(tmp_path / "v1")
    assert (found["basis"], found["labelled"]) == ("uncertainty", 40)
    assert found["rows"][0] == 42
    assert sorted(found["rows"]) == [41, 42, 43]
    assert order(tmp_path / "v1", limit=1)["rows"] == [42]


@pytest.mark.parametrize("labels", [["a"] * 20, ["a", "b"] * 4])
def test_too_little_to_learn_from(labels: list[str], tmp_path: Path) -> None:
    rows = [(f"t{i}", label) for i, label in enumerate(labels)] + [("x", None), ("y", None)]
    make_dataset(tmp_path / "v1", Shape.TEXT_LABEL, rows)
    count = len(labels)
    assert order(tmp_path / "v1") == {"rows": [count + 1, count + 2], "basis": "order", "labelled": count}


def test_drafted_labels_count(tmp_path: Path) -> None:
    rows = [(f"{text} {i}", None) for i in range(4) for text in (*GOOD, *BAD)]
    make_dataset(tmp_path / "v1", Shape.TEXT_LABEL, rows)
    assert order(tmp_path / "v1")["basis"] == "order"
    entries = [
        {"op": "set", "row": i + 1, "column": "label", "value": "+" if i % 8 < 4 else "-"} for i in range(16)
    ]
    draft = journal(tmp_path / "d.jsonl", *entries)
    found = order(tmp_path / "v1", draft)
    assert (found["basis"], found["labelled"]) == ("uncertainty", 16)
    assert sorted(found["rows"]) == list(range(17, 33))


def test_the_journal_as_it_is_kept(tmp_path: Path) -> None:
    def put(row: int, value: str | None, **more: Any) -> dict[str, Any]:
        return {"op": "set", "row": row, "column": "label", "value": value, **more}

    draft = journal(
        tmp_path / "d.jsonl",
        put(1, "a"),
        put(2, "b"),
        {"op": "undo"},
        put(3, "c", typing=True),
        put(3, "cat", typing=True),
        {"op": "undo"},
        {"op": "redo"},
        {"op": "undo"},
        {"row": 4, "column": "label", "value": None},
        {"op": "set", "row": 5, "column": "text", "value": "x"},
        {"op": "remove", "row": 6},
        {"op": "undo"},
        {"op": "set", "row": "odd", "column": "label", "value": 1},
    )
    with draft.open("a") as file:
        file.write('{"op": "set", "row": 9, "colu')
    assert drafted_cells(draft, "label") == {1: "a", 4: None}
    assert drafted_cells(tmp_path / "none", "label") == {}


def test_several_labels(tmp_path: Path) -> None:
    rows: list[tuple[str, str | None]] = [(f"{text} {i}", '["+","x"]') for i in range(3) for text in GOOD]
    rows += [(f"{text} {i}", '["-"]') for i in range(3) for text in BAD] + [("new", None)]
    make_dataset(tmp_path / "v1", Shape.TEXT_LABELS, rows)
    assert order(tmp_path / "v1", column="labels") == {"rows": [25], "basis": "uncertainty", "labelled": 24}


def test_pictures(tmp_path: Path) -> None:
    def stored(colour: tuple[int, int, int]) -> str:
        stream = io.BytesIO()
        Image.new("RGB", (20, 20), colour).save(stream, "PNG")
        return store_content(stream.getvalue(), FileStore(tmp_path / "images"), "png")

    rows: list[tuple[str, str | None]] = [(stored((200 + i, 0, 0)), "red") for i in range(6)]
    rows += [(stored((0, 0, 200 + i)), "blue") for i in range(6)]
    broken = store_content(b"none", FileStore(tmp_path / "images"), "png")
    rows += [(stored((190, 0, 10)), None), (stored((101, 0, 101)), None), (broken, None)]
    make_dataset(tmp_path / "v1", Shape.IMAGE_LABEL, rows)
    assert order(tmp_path / "v1")["rows"] == [14, 13, 15]


def test_a_large_set_is_sampled(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(label_order, "MOST_ROWS", 50)
    rows = [(f"text {i}", "ab"[i % 2] if i < 40 else None) for i in range(1000)]
    make_dataset(tmp_path / "v1", Shape.TEXT_LABEL, rows)
    found = order(tmp_path / "v1")
    assert len(found["rows"]) == 50
    assert found["labelled"] == 40


def test_only_a_label_can_be_ordered_by(tmp_path: Path) -> None:
    make_dataset(tmp_path / "v1", Shape.TEXT_LABEL, [("a", "b")])
    with pytest.raises(StudioError):
        order(tmp_path / "v1", column="text")


def test_unsure_means_wrong_more_often() -> None:
    """On made-up texts whose class shows in some words only, small margins hold most of the errors."""
    rng = random.Random(1)
    words = {0: "alpha beta gamma delta", 1: "omega sigma kappa theta"}

    def text(label: int) -> str:
        own = rng.choices(words[label].split(), k=3) + rng.choices(
            words[1 - label].split(), k=rng.choice((0, 1, 3))
        )
        rng.shuffle(own)
        return " ".join(own)

    labels = [i % 2 for i in range(400)]
    texts = [text(label) for label in labels]
    margins = text_margins(texts[:200], [[label] for label in labels[:200]], texts[200:])
    balanced = np.array(
        [3 == sum(w in words[0] for w in t.split()) == len(t.split()) / 2 for t in texts[200:]]
    )
    assert np.median(margins[balanced]) < np.median(margins[~balanced]) / 3


def test_pieces() -> None:
    features, rows = hashed_pieces(["ab", "", "你好", "abc"])
    assert rows.tolist() == [2, 2, 0, 2, 3, 3, 3]
    assert features[2] == features[4], "the same pair is the same feature"
    assert features.min() >= 0
    assert features.max() < FEATURES
