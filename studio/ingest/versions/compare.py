"""Two versions of a family, row by row: what the newer one has different.

Both are walked through in ranges of row numbers, which the indexes find, so that two versions of any size are compared
in the memory that some ten thousand rows take.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl

from studio.domain.datasets import DiffKind, RowChange, VersionDiff
from studio.domain.shapes import SHAPES
from studio.i18n import _
from studio.ingest import errors
from studio.ingest.dataset.canonical import INDEX_FILE, ROW_GROUP_ROWS, ROWS_FILE
from studio.ingest.dataset.manifest import read_manifest
from studio.ingest.versions import refusals

_RANGE_ROWS: Final = ROW_GROUP_ROWS  # numbers without gaps are read block by block


def compare(
    older_dir: Path,
    newer_dir: Path,
    offset: int,
    limit: int,
    check: Callable[[], None] = lambda: None,
    only: DiffKind | None = None,
) -> VersionDiff:
    """Counts over all rows, and up to ``limit`` differing rows from the ``offset``-th on, by row number.

    only: rows that differ in this way; the counts are of all.
    A row that changed its content and its split counts as changed. Raises StudioError import.broken,
    step.unsuitable (versions of different shapes), and whatever ``check`` raises.
    """
    older, newer = read_manifest(older_dir), read_manifest(newer_dir)
    if older.shape is not newer.shape:
        raise refusals.unsuitable(_("The two versions hold different kinds of rows."))
    content = SHAPES[newer.shape].stored
    counts = {"added": 0, "removed": 0, "changed": 0, "moved": 0}
    rows: list[RowChange] = []
    if older.content_sha256 != newer.content_sha256:
        for before, after in _in_ranges(_Numbered(older_dir, content), _Numbered(newer_dir, content), check):
            found = _differing(before, after, content)
            for kind, count in found["kind"].value_counts().iter_rows():
                counts[kind] += count
            found = found if only is None else found.filter(pl.col("kind") == only)
            wanted = found.slice(offset, limit - len(rows)) if offset < found.height else found.clear()
            rows += [_change(row, content) for row in wanted.iter_rows(named=True)]
            offset = max(0, offset - found.height)
    return VersionDiff(**counts, rows=rows)


class _Numbered:
    """The rows of one folder by ranges of their numbers."""

    def __init__(self, folder: Path, content: tuple[str, ...]) -> None:
        self._folder = folder
        self._columns = ("row", "split", *content)
        try:
            self._scan = pl.scan_parquet(folder / ROWS_FILE, glob=False)
            self._scan.collect_schema()
            index: dict[str, Any] = json.loads((folder / INDEX_FILE).read_text())
        except (pl.exceptions.PolarsError, OSError, ValueError) as error:
            raise errors.broken(str(folder), ROWS_FILE) from error
        self._block_rows = int(index["block_rows"])
        self.ends = [self._ends(number, block) for number, block in enumerate(index["blocks"])]

    def within(self, first: int, last: int) -> pl.DataFrame:
        """The rows with these numbers, ends included."""
        blocks = [n for n, (low, high) in enumerate(self.ends) if low <= last and first <= high]
        inside = pl.col("row").is_between(first, last)
        try:
            parts = [self._block(n).select(self._columns).filter(inside).collect() for n in blocks]
        except (pl.exceptions.PolarsError, OSError) as error:
            raise errors.broken(str(self._folder), ROWS_FILE) from error
        return pl.concat(parts) if parts else self._block(0).select(self._columns).head(0).collect()

    def _block(self, number: int) -> pl.LazyFrame:
        return self._scan.slice(number * self._block_rows, self._block_rows)

    def _ends(self, number: int, block: dict[str, int]) -> tuple[int, int]:
        if "first" in block:
            return block["first"], block["last"]
        rows = self._block(number).select("row").collect()["row"]  # an index from before they were noted
        return int(rows.min()), int(rows.max())  # type: ignore[arg-type]


def _in_ranges(
    older: _Numbered, newer: _Numbered, check: Callable[[], None]
) -> Iterator[tuple[pl.DataFrame, pl.DataFrame]]:
    lowest = min((low for low, _high in older.ends + newer.ends), default=1)
    highest = max((high for _low, high in older.ends + newer.ends), default=0)
    for first in range(lowest, highest + 1, _RANGE_ROWS):
        check()
        last = first + _RANGE_ROWS - 1
        if any(low <= last and first <= high for low, high in older.ends + newer.ends):
            yield older.within(first, last), newer.within(first, last)


def _differing(before: pl.DataFrame, after: pl.DataFrame, content: tuple[str, ...]) -> pl.DataFrame:
    """The differing rows by number: columns of both sides, the older ones with the suffix `` before``, and kind."""
    both = after.with_columns(pl.lit(True).alias("is_after")).join(
        before.with_columns(pl.lit(True).alias("is_before")), on="row", how="full", suffix=" before", coalesce=True
    )  # fmt: skip
    changed = pl.any_horizontal(pl.col(name).ne_missing(pl.col(f"{name} before")) for name in content)
    kind = (
        pl.when(pl.col("is_before").is_null())
        .then(pl.lit("added"))
        .when(pl.col("is_after").is_null())
        .then(pl.lit("removed"))
        .when(changed)
        .then(pl.lit("changed"))
        .when(pl.col("split") != pl.col("split before"))
        .then(pl.lit("moved"))
    )
    return both.with_columns(kind.alias("kind")).filter(pl.col("kind").is_not_null()).sort("row")


def _change(row: dict[str, Any], content: tuple[str, ...]) -> RowChange:
    names = ("split", *content)
    before = {name: row[f"{name} before"] or "" for name in names} if row["is_before"] else None
    after = {name: row[name] or "" for name in names} if row["is_after"] else None
    return RowChange(row=row["row"], before=before, after=after)
