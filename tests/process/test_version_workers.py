"""Jobs on dataset versions as real child processes: they finish, are dropped within a second, leave nothing half."""

from __future__ import annotations

import contextlib
import json
import time
from pathlib import Path
from typing import Any

import pytest

from studio.domain.datasets import DatasetVersion, VersionDiff
from studio.domain.recipes import StepPreview
from studio.domain.shapes import Shape
from studio.domain.statistics import DatasetStatistics
from studio.ingest.dataset.manifest import read_manifest
from studio.ingest.dataset.pages import ParquetPages
from studio.protocol.events import Event, Failed, Finished, Phase
from tests.helpers.spent import WorkAfter
from tests.process.test_import_worker import end, events_of, launch
from tests.unit.ingest.versions.helpers import make_dataset

WAIT_S = 60
ROWS = [(f"text number {i}", "ab"[i % 2] if i < 40 else None) for i in range(60)]
REPLACE = {"type": "replace", "find": "text", "replacement": "文本"}


def result_of(verb: str, payload: dict[str, Any]) -> tuple[dict[str, Any], list[Event]]:
    child = launch(verb, payload)
    try:
        events = events_of(child)
        assert child.wait(WAIT_S) == 0, child.stderr and child.stderr.read()
    finally:
        end(child)
    assert isinstance(events[-1], Finished)
    return events[-1].result, events


def failure_of(verb: str, payload: dict[str, Any]) -> Failed:
    child = launch(verb, payload)
    try:
        events = events_of(child)
        assert child.wait(WAIT_S) == 1
    finally:
        end(child)
    assert isinstance(events[-1], Failed)
    return events[-1]


@pytest.fixture
def first(tmp_path: Path) -> Path:
    make_dataset(tmp_path / "sets" / "v1", Shape.TEXT_LABEL, ROWS)
    return tmp_path / "sets" / "v1"


def deriving(parent: Path, *steps: dict[str, Any]) -> dict[str, Any]:
    return {
        "parent_dir": str(parent), "out_dir": str(parent.parent / "v2"), "dataset_id": "v2", "steps": list(steps),
        "note": "try", "number": 2, "family_dirs": [str(parent)],
    }  # fmt: skip


def test_derive(first: Path) -> None:
    split = {"type": "split", "validation": 0.2, "test": 0.2, "stratify": True}
    result, events = result_of("derive", deriving(first, REPLACE, split))
    version = DatasetVersion.model_validate(result)
    assert read_manifest(first.parent / "v2") == version
    assert (version.parent_id, version.number, version.note, version.rows) == ("v1", 2, "try", 60)
    assert [event.name for event in events if isinstance(event, Phase)] == [
        "writing",
        "writing",
        "measuring",
    ]
    assert ParquetPages(first.parent / "v2").rows([3])[0]["text"] == "文本 number 2"


def test_a_refused_step_is_one_failed_event(first: Path) -> None:
    failed = failure_of("derive", deriving(first, {"type": "replace", "find": "(", "regex": True}))
    assert failed.code == "step.bad_pattern"
    assert failed.hint
    assert [path.name for path in first.parent.iterdir()] == ["v1"]


def test_try_compare_measure_order(first: Path) -> None:
    tried, _events = result_of("try-step", {"dataset_dir": str(first), "step": REPLACE})
    assert StepPreview.model_validate(tried).changed == 60
    result_of("derive", deriving(first, REPLACE))
    diff, _events = result_of(
        "compare-versions",
        {"older_dir": str(first), "newer_dir": str(first.parent / "v2"), "offset": 58, "limit": 10},
    )
    assert [change.row for change in VersionDiff.model_validate(diff).rows] == [59, 60]
    measured, _events = result_of("measure-data", {"dataset_dir": str(first), "tokenizer_dir": None})
    kept = json.loads((first / "statistics.json").read_text())
    assert DatasetStatistics.model_validate(measured) == DatasetStatistics.model_validate(kept)
    payload = {"dataset_dir": str(first), "column": "label", "draft_path": None, "limit": 5}
    order, _events = result_of("order-labels", payload)
    assert (order["basis"], order["labelled"], len(order["rows"])) == ("uncertainty", 40, 5)
    assert min(order["rows"]) > 40


@pytest.mark.parametrize(
    "form", ["csv", "xlsx", *(pytest.param(form, marks=pytest.mark.slow) for form in ("jsonl", "parquet"))]
)
def test_export(form: str, first: Path, tmp_path: Path) -> None:
    out = tmp_path / f"数据 out.{form}"
    payload = {"dataset_dir": str(first), "format": form, "out": str(out), "splits": ["train"]}
    result, _events = result_of("export-data", payload)
    rows = read_manifest(first).splits["train"]  # type: ignore[index]
    assert result == {"path": str(out), "rows": rows, "size_bytes": out.stat().st_size}


@pytest.fixture(scope="module")
def big(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Long enough to be interrupted."""
    folder = tmp_path_factory.mktemp("big") / "sets" / "v1"
    make_dataset(folder, Shape.TEXT_LABEL, [(f"some text {i} " * 10, "ab"[i % 2]) for i in range(400_000)])
    return folder


AUGMENT = {"type": "augment", "text": ["swap_words", "typos"], "copies": 3}


@pytest.mark.parametrize(
    ("verb", "phase", "more"),
    [
        ("derive", "writing", {"steps": [AUGMENT]}),
        ("derive", "writing", {"steps": [{"type": "split", "group_by": "text", "stratify": True}] * 5}),
        ("export-data", "writing", {"format": "xlsx"}),
        ("measure-data", "measuring", {}),
    ],
)
def test_dropped_within_a_second(
    verb: str, phase: str, more: dict[str, Any], big: Path, tmp_path: Path
) -> None:
    before = sorted(path.name for path in big.parent.rglob("*"))
    payload = {**deriving(big), "dataset_dir": str(big), "out": str(tmp_path / "out"), **more}
    child = launch(verb, payload)
    try:
        _until(child, phase)
        time.sleep(0.05)  # in the middle of it: on a quiet machine the shortest of these takes 0.3 s
        assert child.stdin
        work = WorkAfter(child)
        child.stdin.write('{"type": "cancel"}\n')
        child.stdin.flush()
        _until(child, "cancelled", kind="type")
        work.end()
        child.wait(WAIT_S)
    finally:
        end(child)
    assert work.seconds() < 1.0
    assert sorted(path.name for path in big.parent.rglob("*")) == before
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verb", ["derive", "export-data"])
def test_a_kill_publishes_nothing(verb: str, big: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.csv"
    out.write_text("old")
    payload = {**deriving(big, AUGMENT), "dataset_dir": str(big), "format": "csv", "out": str(out)}
    child = launch(verb, {**payload, "out_dir": str(tmp_path / "v2")})
    try:
        _until(child, "writing")
        started = time.monotonic()
        while not _written(tmp_path, out):  # in the middle of it; a fast machine is done in 0.3 s
            assert time.monotonic() < started + WAIT_S
            time.sleep(0.001)
        child.kill()
        child.wait(WAIT_S)
    finally:
        end(child)
    assert not (tmp_path / "v2").exists()
    assert out.read_text() == "old"


def _written(folder: Path, but: Path) -> bool:
    """Whether a file in the folder, other than one, holds something."""
    with contextlib.suppress(FileNotFoundError):  # given its name while we look
        return any(p.is_file() and p != but and p.stat().st_size for p in folder.rglob("*"))
    return False


def _until(child: Any, wanted: str, kind: str = "name") -> None:
    """Read until a phase of this name, or an event of this type."""
    for line in child.stdout:
        if json.loads(line).get(kind) == wanted:
            return
    raise AssertionError(f"the worker ended before {wanted}")
