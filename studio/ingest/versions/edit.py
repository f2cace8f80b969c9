"""Cells changed, rows added and rows removed by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
from pydantic import BaseModel, ValidationError

from studio.domain.recipes import EditStep, StepOutcome
from studio.domain.shapes import SHAPES
from studio.ingest.dataset.splits import key_expr, split_expr
from studio.ingest.versions import refusals
from studio.ingest.versions.context import StepContext
from studio.ingest.versions.validity import Invalid, require_valid, tidied


class Edits(BaseModel):
    """What an edits file holds."""

    cells: dict[int, dict[str, str | None]] = {}
    added: list[dict[str, str | None]] = []
    removed: list[int] = []


class EditRunner:
    """Raises StudioError step.invalid_row, step.no_such_row, step.no_such_column, step.bad_edits."""

    def __init__(self, step: EditStep, context: StepContext) -> None:
        self._step = step
        self._context = context
        self._content = SHAPES[context.shape].stored
        self._edits = _edits_of(step)
        self._removed = set(self._edits.removed)
        cells = {row: cells for row, cells in self._edits.cells.items() if row not in self._removed}
        self._columns = self._named(cells)
        schema = {"row": pl.Int64, **dict.fromkeys(self._columns, pl.String)}
        marks = {_mark(name): pl.Boolean for name in self._columns}
        data: dict[str, list[Any]] = {"row": list(cells)}
        for name in self._columns:
            data[name] = [change.get(name) for change in cells.values()]
            data[_mark(name)] = [name in change for change in cells.values()]
        self._table = pl.DataFrame(data, schema={**schema, **marks})
        self._gone = 0
        self._changed = 0

    @property
    def outcome(self) -> StepOutcome:
        return StepOutcome(
            step=self._step, rows_before=0, rows_after=0, changed=self._changed,
            added=len(self._edits.added), removed=self._gone,
        )  # fmt: skip

    def run(self, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        missing = {*self._table["row"], *self._removed}
        removed = pl.Series("row", sorted(self._removed), dtype=pl.Int64)
        for frame in frames:
            if missing:
                missing.difference_update(frame["row"].filter(frame["row"].is_in(list(missing))))
            kept = frame.filter(~pl.col("row").is_in(removed.implode())) if len(removed) else frame
            self._gone += frame.height - kept.height
            yield self._edited(kept)
        if missing:
            raise refusals.no_such_row(min(missing))
        if self._edits.added:
            yield self._new_rows()

    def _edited(self, frame: pl.DataFrame) -> pl.DataFrame:
        touched = frame["row"].is_in(self._table["row"].implode())
        if not touched.any():
            return frame
        before = frame.filter(touched)
        joined = before.join(self._table, on="row", how="left", suffix=" new", maintain_order="left")
        changes = [
            pl.when(_mark(name)).then(f"{name} new").otherwise(name).alias(name) for name in self._columns
        ]
        after = tidied(joined.with_columns(changes).select(frame.columns), self._context.shape)
        self._require(after, before)
        differs = [pl.col(name).ne_missing(before[name]) for name in self._content]
        self._changed += after.filter(pl.any_horizontal(differs)).height
        return pl.concat([frame.filter(~touched), after]).join(
            frame.select("row"), on="row", how="right", maintain_order="right"
        ).select(frame.columns)  # fmt: skip

    def _new_rows(self) -> pl.DataFrame:
        self._named(dict(enumerate(self._edits.added)))
        cells = {name: [row.get(name) for row in self._edits.added] for name in self._content}
        frame = tidied(
            pl.DataFrame(cells, schema=dict.fromkeys(self._content, pl.String)), self._context.shape
        )
        self._require(frame.with_columns(row=pl.lit(0, pl.Int64)), None)
        numbers = self._context.next_row(frame.height)
        frame = frame.with_columns(key_expr(frame, self._content)).with_columns(
            split_expr(self._context.shares)
        )
        return frame.select(
            pl.Series("row", numbers, dtype=pl.Int64),
            "key",
            "split",
            pl.lit("added").alias("origin"),
            *self._content,
        )

    def _require(self, after: pl.DataFrame, before: pl.DataFrame | None) -> None:
        try:
            require_valid(after, self._context.shape, before, self._context.images)
        except Invalid as invalid:
            raise refusals.invalid_row(invalid.row, invalid.sentence) from invalid

    def _named(self, cells: dict[int, dict[str, str | None]]) -> list[str]:
        """The columns spoken of, in the shape's order."""
        named = {name for change in cells.values() for name in change}
        for name in sorted(named.difference(self._content)):
            raise refusals.no_such_column(name)
        return [name for name in self._content if name in named]


def _mark(name: str) -> str:
    return f"{name} is edited"


def _edits_of(step: EditStep) -> Edits:
    if step.edits_file is None:
        return Edits(cells=step.cells, added=step.added, removed=step.removed)
    try:
        return Edits.model_validate_json(Path(step.edits_file).read_bytes())
    except (OSError, ValidationError) as error:
        raise refusals.bad_edits(step.edits_file) from error
