"""Showing any page of a dataset of any size: only the blocks that hold its rows are read."""

from __future__ import annotations

import itertools
import json
from pathlib import Path
from typing import Any

import polars as pl

from studio.domain.datasets import RejectedRow, Split
from studio.ingest import errors
from studio.ingest.dataset.canonical import INDEX_FILE, ROWS_FILE
from studio.ingest.importer import REJECTED_FILE


class ParquetPages:
    """Paged reading of one dataset folder; the index by split is read once and kept.

    Raises StudioError import.broken when the folder is damaged.
    """

    def __init__(self, dataset_dir: Path) -> None:
        self._dir = dataset_dir
        try:
            self._scan = pl.scan_parquet(dataset_dir / ROWS_FILE, glob=False)
            self._columns = self._scan.collect_schema().names()
            index: dict[str, Any] = json.loads((dataset_dir / INDEX_FILE).read_text())
        except (pl.exceptions.PolarsError, OSError, ValueError) as error:
            raise errors.broken(str(dataset_dir), ROWS_FILE) from error
        self._block_rows = int(index["block_rows"])
        self._blocks: list[dict[str, int]] = index["blocks"]

    def columns(self) -> list[str]:
        """The columns of a page, in order: row, split, then those of the shape."""
        return [name for name in self._columns if name != "key"]

    def count(self, split: Split | None = None) -> int:
        """Rows of one split, or of all."""
        names = [split.value] if split else [item.value for item in Split]
        return sum(block[name] for block in self._blocks for name in names)

    def page(self, offset: int, limit: int, split: Split | None = None) -> list[dict[str, str]]:
        """Up to ``limit`` rows from the ``offset``-th (from 0) of the split on; every cell is text, "" for none."""
        frame = self._plain(offset, limit) if split is None else self._of_split(offset, limit, split)
        cells = frame.select(pl.all().cast(pl.String).fill_null(""))
        return [dict(zip(cells.columns, row, strict=True)) for row in cells.iter_rows()]

    def rejected(self, offset: int, limit: int) -> list[RejectedRow]:
        """Rows that were put aside, in source order."""
        return rejected(self._dir, offset, limit)

    def _plain(self, offset: int, limit: int) -> pl.DataFrame:
        return self._scan.slice(offset, limit).select(self.columns()).collect()

    def _of_split(self, offset: int, limit: int, split: Split) -> pl.DataFrame:
        found: list[pl.DataFrame] = []
        for number, block in enumerate(self._blocks):
            inside = block[split.value]
            if offset >= inside:
                offset -= inside
                continue
            rows = self._scan.slice(number * self._block_rows, self._block_rows).select(self.columns())
            part = rows.filter(pl.col("split") == split.value).slice(offset, limit).collect()
            found.append(part)
            offset, limit = 0, limit - part.height
            if limit <= 0:
                break
        return pl.concat(found) if found else self._plain(0, 0)


def rejected(dataset_dir: Path, offset: int, limit: int) -> list[RejectedRow]:
    """Rows that were put aside by an import, in source order; empty when there are none."""
    try:
        with (dataset_dir / REJECTED_FILE).open(encoding="utf-8") as file:
            return [
                RejectedRow.model_validate_json(line)
                for line in itertools.islice(file, offset, offset + limit)
            ]
    except FileNotFoundError:
        return []
