"""Labels that are rare beside others: a model that never gives them still looks good."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any, Final

import polars as pl

from studio.domain.findings import Example, Finding, FixOption, Severity
from studio.domain.recipes import FindingKind, FixAction
from studio.domain.shapes import Shape
from studio.ingest.dataset.canonical import ROWS_FILE
from studio.ingest.dataset.content import label_column
from studio.ingest.dataset.file_store import FileStore
from studio.ingest.dataset.labels import count_labels
from studio.ingest.doctor.view import DatasetView
from studio.ingest.versions.balance import targets, training_counts
from studio.ingest.versions.context import StepContext

KIND: Final = FindingKind.CLASS_IMBALANCE
RARE_SHARE: Final = 0.1  # of the largest class
FEW_ROWS: Final = 10
_MOST_LABELS: Final = 50


def applies(shape: Shape) -> bool:
    """Whether rows of this shape have classes."""
    return label_column(shape) is not None


def find_imbalance(view: DatasetView) -> Finding | None:
    """The classes with less than a tenth of the largest one's rows, or with fewer than ten and than the largest.

    details: labels (class -> rows), entropy (1 for classes of equal size), rare (the small classes).
    """
    scan = pl.scan_parquet(view.dataset_dir / ROWS_FILE, glob=False)
    counts = count_labels(scan, view.shape, view.check)
    counts.pop("", None)
    if len(counts) < 2:
        return None
    largest = max(counts.values())
    few = min(max(RARE_SHARE * largest, FEW_ROWS), largest)
    rare = {label: rows for label, rows in counts.items() if rows < few}
    if not rare:
        return None
    return Finding(
        kind=KIND, severity=Severity.WARNING, rows=sum(rare.values()), of=sum(counts.values()),
        examples=_examples(view, list(rare)), fixes=_fixes(view),
        details={
            "labels": dict(list(counts.items())[:_MOST_LABELS]),
            "entropy": round(_entropy(list(counts.values())), 3),
            "rare": list(rare)[:_MOST_LABELS],
        },
    )  # fmt: skip


def _entropy(counts: list[int]) -> float:
    """Shannon's entropy of the class shares, as a share of the most possible."""
    total = sum(counts)
    return -sum(n / total * math.log(n / total) for n in counts) / math.log(len(counts))


def _fixes(view: DatasetView) -> list[FixOption]:
    counts = training_counts(_context(view))
    fixes = [FixOption(action=FixAction.WEIGHTS, rows_changed=0, rows_removed=0)]
    for action in (FixAction.OVERSAMPLE, FixAction.UNDERSAMPLE):
        wanted = targets(counts, action)
        more = sum(max(0, wanted[label] - rows) for label, rows in counts.items())
        less = sum(max(0, rows - wanted[label]) for label, rows in counts.items())
        if more or less:
            fixes.append(FixOption(action=action, rows_changed=0, rows_removed=less, rows_added=more))
    return fixes


def _context(view: DatasetView) -> StepContext:
    def no_rows(count: int) -> Any:
        raise RuntimeError("counting makes no rows")

    return StepContext(
        view.dataset_dir, view.shape, no_rows, view.check, view.emit, view.rejected_path, FileStore(Path())
    )


def _examples(view: DatasetView, rare: list[str]) -> list[Example]:
    """A few rows of the rare classes; nothing about them is wrong."""
    column = label_column(view.shape)
    if column is None:
        return []
    scan = pl.scan_parquet(view.dataset_dir / ROWS_FILE, glob=False).select("row", column)
    if column == "labels":
        is_rare = (
            pl.col(column).str.json_decode(pl.List(pl.String)).list.eval(pl.element().is_in(rare)).list.any()
        )
    else:
        is_rare = pl.col(column).is_in(rare)
    rows = scan.filter(is_rare).head(5).collect()
    return [Example(row=row, column=column, before=cell, after=cell) for row, cell in rows.iter_rows()]
