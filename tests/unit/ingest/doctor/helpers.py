"""Datasets made from a few rows, looked at and fixed without a worker."""

from __future__ import annotations

import itertools
import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from studio.domain.datasets import DatasetVersion, ImportSpec, RejectedRow
from studio.domain.findings import DoctorReport, DoctorSpec, Finding
from studio.domain.recipes import FindingKind, FixStep, StepOutcome
from studio.domain.shapes import SHAPES, Shape
from studio.ingest.dataset.canonical import WrittenRows, write_rows
from studio.ingest.dataset.file_store import FileStore
from studio.ingest.dataset.manifest import REJECTED_FILE, write_manifest
from studio.ingest.dataset.splits import key_expr
from studio.ingest.doctor.fixes import fix_runner
from studio.ingest.doctor.report import diagnose
from studio.ingest.versions.context import StepContext
from studio.ingest.versions.rowstream import frames_of


def make_dataset(
    folder: Path, shape: Shape, rows: Sequence[dict[str, Any]], rejected: Sequence[RejectedRow] = ()
) -> Path:
    """A dataset folder. rows: the shape's columns; ``split`` and ``origin`` if they matter."""
    folder.mkdir(parents=True, exist_ok=True)
    stored = SHAPES[shape].stored
    cells = [{name: row.get(name) for name in stored} for row in rows]
    frame = pl.DataFrame(cells, schema=dict.fromkeys(stored, pl.String))
    frame = frame.with_columns(
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("row"),
        key_expr(frame, stored),
        pl.Series("split", [row.get("split", "train") for row in rows], dtype=pl.String),
    )
    columns = stored
    if any("origin" in row for row in rows):
        columns = ("origin", *stored)
        frame = frame.with_columns(pl.Series("origin", [row.get("origin") for row in rows], dtype=pl.String))
    written = write_rows([frame.select("row", "key", "split", *columns)], columns, folder)
    (folder / REJECTED_FILE).write_text("".join(row.model_dump_json() + "\n" for row in rejected))
    write_manifest(folder, _version(folder, shape, len(rows), written))
    return folder


def _version(folder: Path, shape: Shape, rows: int, written: WrittenRows) -> DatasetVersion:
    return DatasetVersion(
        id=folder.name, name="test", shape=shape, source_path="x.csv", source_bytes=1, source_sha256="0",
        rows=rows, rejected=0, splits=written.splits, content_sha256=written.sha256,
        spec=ImportSpec(source="x.csv"), seconds=0.1,
    )  # fmt: skip


def examined(folder: Path, **limits: Any) -> DoctorReport:
    return diagnose(folder, DoctorSpec(**limits), lambda _event: None, lambda: None)


def finding(report: DoctorReport, kind: FindingKind) -> Finding | None:
    return next((item for item in report.findings if item.kind is kind), None)


def applied(folder: Path, step: FixStep, shape: Shape, out: Path) -> tuple[StepOutcome, pl.DataFrame]:
    """What the step did, and the rows afterwards; rejected.jsonl of the new version is in ``out``."""
    out.mkdir()
    rejected_path = out / REJECTED_FILE
    shutil.copyfile(folder / REJECTED_FILE, rejected_path)
    numbers = itertools.count(1_000_000)
    context = StepContext(
        dataset_dir=folder, shape=shape, next_row=lambda n: _taken(numbers, n), check=lambda: None,
        emit=lambda _event: None, rejected_path=rejected_path, images=FileStore(out),
    )  # fmt: skip
    runner = fix_runner(step, context)
    rows = pl.concat(list(runner.run(frames_of(folder, shape, context.check))), how="vertical")
    return runner.outcome, rows


def _taken(numbers: Iterator[int], count: int) -> range:
    taken = list(itertools.islice(numbers, count))
    return range(taken[0], taken[0] + count) if taken else range(0)


def chat(*turns: str) -> str:
    """A conversation as it is stored; user and assistant in turns."""
    roles = itertools.cycle(("user", "assistant"))
    messages = [{"role": role, "content": text} for role, text in zip(roles, turns, strict=False)]
    return json.dumps(messages, ensure_ascii=False, separators=(",", ":"))
