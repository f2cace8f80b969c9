"""A new version: whole or not at all, its rows through the steps, its manifest true; the parent untouched."""

from __future__ import annotations

import errno
import hashlib
import json
from pathlib import Path

import polars as pl
import pytest

from studio.domain.datasets import SourceRecord
from studio.domain.recipes import EditStep, ReplaceStep, RestoreStep, SplitStep
from studio.domain.shapes import Shape
from studio.errors import StudioError
from studio.ingest.dataset.manifest import REJECTED_FILE, read_manifest
from studio.ingest.dataset.pages import ParquetPages
from studio.ingest.versions import rowstream
from studio.ingest.versions.derive import Deriver, in_passes
from tests.unit.ingest.helpers import rejected
from tests.unit.ingest.versions.helpers import column, derive, make_dataset, table

LABELLED = [("good phone", "positive"), ("bad phone", "negative"), ("phone", None), ("great", "positive")]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_manifest_and_parent(tmp_path: Path) -> None:
    parent = make_dataset(tmp_path / "v1", Shape.TEXT_LABEL, LABELLED)
    (tmp_path / "v1" / REJECTED_FILE).write_text('{"row": 9, "code": "x", "reason": "", "excerpt": ""}\n')
    before = _sha256(tmp_path / "v1" / "rows.parquet")
    step = ReplaceStep(find="phone", replacement="手机")
    version = derive(tmp_path / "v1", step, note="words")
    assert read_manifest(tmp_path / "v2") == version
    assert (version.id, version.parent_id, version.family_id) == ("v2", "v1", parent.family_id)
    assert (version.number, version.note, version.rows, version.rejected) == (2, "words", 4, 1)
    assert version.labels == {"positive": 2, "": 1, "negative": 1}
    assert [(o.step, o.rows_before, o.rows_after, o.changed) for o in version.made_by] == [(step, 4, 4, 3)]
    assert version.content_sha256 == _sha256(tmp_path / "v2" / "rows.parquet")
    assert _sha256(tmp_path / "v1" / "rows.parquet") == before
    assert column(tmp_path / "v2", "text") == {1: "good 手机", 2: "bad 手机", 3: "手机", 4: "great"}
    assert column(tmp_path / "v2", "split") == column(tmp_path / "v1", "split")
    assert len(rejected(tmp_path / "v2", 0, 9)) == 1
    assert sorted(path.name for path in tmp_path.iterdir()) == ["v1", "v2"]


def test_the_key_follows_the_content(tmp_path: Path) -> None:
    make_dataset(tmp_path / "v1", Shape.TEXT, [("a",), ("b",)])
    make_dataset(tmp_path / "other", Shape.TEXT, [("c",), ("b",)])
    derive(tmp_path / "v1", ReplaceStep(find="a", replacement="c"))
    assert table(tmp_path / "v2")["key"].equals(table(tmp_path / "other")["key"])


def test_steps_in_a_row_and_passes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rowstream, "STEP_ROWS", 7)
    rows = [(f"one {i}", "a" if i % 3 else "b") for i in range(100)]
    make_dataset(tmp_path / "v1", Shape.TEXT_LABEL, rows)
    steps = [
        ReplaceStep(find="one", replacement="two"),
        ReplaceStep(find="two", replacement="three"),
        SplitStep(validation=0.3, test=0.2, stratify=True),
        EditStep(removed=[5], added=[{"text": "new", "label": "b"}]),
        ReplaceStep(find="new", replacement="newer"),
    ]
    assert [len(group) for group in in_passes(steps)] == [2, 1, 2]
    version = derive(tmp_path / "v1", *steps)
    texts = column(tmp_path / "v2", "text")
    assert texts[1] == "three 0"
    assert 5 not in texts
    assert texts[101] == "newer"
    assert column(tmp_path / "v2", "origin")[101] == "added"
    assert [(o.rows_before, o.rows_after) for o in version.made_by] == [(100, 100)] * 4 + [(100, 100)]
    assert version.spec.shares.validation == 0.3
    assert sum(version.splits.values()) == version.rows == 100
    assert sorted(path.name for path in tmp_path.iterdir()) == ["v1", "v2"]


def test_new_numbers_are_above_all_the_family_used(tmp_path: Path) -> None:
    source = SourceRecord(path="a", format="csv", size_bytes=1, sha256="0", first_row=1, rows=2, rejected=0)
    make_dataset(tmp_path / "v1", Shape.TEXT, [("a",), ("b",)], sources=[source])
    derive(tmp_path / "v1", EditStep(added=[{"text": "c"}, {"text": "d"}]))
    assert table(tmp_path / "v2")["row"].to_list() == [1, 2, 4, 5]
    derive(tmp_path / "v1", EditStep(added=[{"text": "e"}]), to="v3", number=3)
    assert table(tmp_path / "v3")["row"].to_list() == [1, 2, 6]


def test_numbers_of_rejected_rows_are_used_too(tmp_path: Path) -> None:
    make_dataset(tmp_path / "v1", Shape.TEXT, [("a",)])
    version = read_manifest(tmp_path / "v1").model_copy(update={"rejected": 1})
    (tmp_path / "v1" / "manifest.json").write_text(version.model_dump_json())
    (tmp_path / "v1" / REJECTED_FILE).write_text(json.dumps({"row": 70, "code": "x"}) + "\n")
    derive(tmp_path / "v1", EditStep(added=[{"text": "c"}]))
    assert table(tmp_path / "v2")["row"].to_list() == [1, 71]


def test_restore(tmp_path: Path) -> None:
    first = make_dataset(tmp_path / "v1", Shape.TEXT_LABEL, LABELLED)
    derive(tmp_path / "v1", EditStep(removed=[1, 2]))
    back = RestoreStep(version_id="v1", number=1)
    version = derive(tmp_path / "v2", back, to="v3")
    assert (version.content_sha256, version.rows, version.number) == (first.content_sha256, 4, 3)
    assert (version.made_by[0].rows_before, version.made_by[0].rows_after) == (2, 4)
    assert ParquetPages(tmp_path / "v3").count() == 4
    mixed = derive(tmp_path / "v2", back, ReplaceStep(find="phone", replacement="p"), to="v4")
    assert [(o.rows_before, o.rows_after) for o in mixed.made_by] == [(2, 4), (4, 4)]
    assert column(tmp_path / "v4", "text")[1] == "good p"


def test_no_row_left_is_refused(tmp_path: Path) -> None:
    make_dataset(tmp_path / "v1", Shape.TEXT, [("a",)])
    with pytest.raises(StudioError) as caught:
        derive(tmp_path / "v1", EditStep(removed=[1]))
    assert caught.value.code == "step.nothing_left"
    assert [path.name for path in tmp_path.iterdir()] == ["v1"]


def test_a_full_disk_is_named_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_dataset(tmp_path / "v1", Shape.TEXT, [("a",)])

    def full(*_args: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("studio.ingest.versions.derive.write_rows", full)
    with pytest.raises(StudioError) as caught:
        derive(tmp_path / "v1", SplitStep(), ReplaceStep(find="a", replacement="b"), SplitStep())
    assert caught.value.code == "step.disk_full"
    assert [path.name for path in tmp_path.iterdir()] == ["v1"]


def test_a_cancel_leaves_nothing(tmp_path: Path) -> None:
    make_dataset(tmp_path / "v1", Shape.TEXT, [(f"a{i}",) for i in range(50_000)])

    class Cancelled(Exception):
        pass

    calls = 0

    def check() -> None:
        nonlocal calls
        calls += 1
        if calls > 5:
            raise Cancelled

    deriver = Deriver(tmp_path / "v1", tmp_path / "v2", lambda _event: None, check)
    with pytest.raises(Cancelled):
        deriver.run("v2", [ReplaceStep(find="a", replacement="b")])
    assert [path.name for path in tmp_path.iterdir()] == ["v1"]


def test_a_damaged_parent_is_named(tmp_path: Path) -> None:
    make_dataset(tmp_path / "v1", Shape.TEXT, [("a",)])
    (tmp_path / "v1" / "rows.parquet").write_bytes(b"PAR1 no more")
    with pytest.raises(StudioError) as caught:
        derive(tmp_path / "v1", ReplaceStep(find="a"))
    assert caught.value.code == "import.broken"


def test_row_order_is_kept_by_edits(tmp_path: Path) -> None:
    make_dataset(tmp_path / "v1", Shape.TEXT, [(f"t{i}",) for i in range(30)])
    derive(tmp_path / "v1", EditStep(cells={20: {"text": "x"}, 3: {"text": "y"}}, removed=[7]))
    rows = table(tmp_path / "v2")
    assert rows["row"].to_list() == [i for i in range(1, 31) if i != 7]
    assert rows.filter(pl.col("row").is_in([3, 20]))["text"].to_list() == ["y", "x"]
