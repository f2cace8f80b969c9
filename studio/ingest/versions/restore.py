"""The rows of an earlier version of the family, unchanged."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import polars as pl

from studio.domain.recipes import RestoreStep, StepOutcome
from studio.i18n import _
from studio.ingest.dataset.canonical import ROWS_FILE
from studio.ingest.dataset.manifest import read_manifest
from studio.ingest.versions import refusals
from studio.ingest.versions.context import StepContext
from studio.ingest.versions.rowstream import frames_of


class RestoreRunner:
    """Brings the rows of the older version's folder, whatever came before."""

    def __init__(self, step: RestoreStep, context: StepContext) -> None:
        self._context = context
        self._folder = older_folder(step, context.images.folder.parent)
        older = read_manifest(self._folder)
        if older.shape is not context.shape:
            raise refusals.unsuitable(_("The earlier version holds another kind of rows."))
        context.class_weights.clear()
        context.class_weights.update(older.class_weights)
        rows = pl.scan_parquet(context.dataset_dir / ROWS_FILE, glob=False).select(pl.len()).collect().item()
        self.outcome = StepOutcome(step=step, rows_before=int(rows), rows_after=older.rows)

    def run(self, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """The incoming frames are not taken."""
        yield from frames_of(self._folder, self._context.shape, self._context.check)


def older_folder(step: RestoreStep, datasets: Path) -> Path:
    return datasets / step.version_id
