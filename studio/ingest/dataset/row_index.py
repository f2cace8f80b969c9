"""What stands in each block of rows.parquet, noted while it is written.

With it a page of one split, and single rows by number, are found without reading the other blocks.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl

from studio.domain.datasets import Split


class RowIndex:
    """The rows of each split, the smallest and largest row number, and whether the numbers run on without a gap, for
    each block of ``block_rows`` rows; "last_row" of all.
    """

    def __init__(self, block_rows: int) -> None:
        self._block_rows = block_rows
        self._blocks: list[dict[str, int]] = []
        self._open = pl.DataFrame(schema={"row": pl.Int64, "split": pl.String})

    @property
    def splits(self) -> dict[Split, int]:
        """The rows of each split, of all that was noted so far."""
        blocks = self._all()
        return {split: sum(block[split.value] for block in blocks) for split in Split}

    def noting(self, frames: Iterable[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """The same frames, each noted as it passes; they have ``row`` and ``split``."""
        for frame in frames:
            self._add(frame.select("row", "split"))
            yield frame

    def write(self, path: Path) -> None:
        """As JSON. Raises OSError."""
        blocks = self._all()
        last = max((block["last"] for block in blocks), default=0)
        index = {"block_rows": self._block_rows, "last_row": last, "blocks": blocks}
        path.write_text(json.dumps(index))

    def _add(self, rows: pl.DataFrame) -> None:
        rows = pl.concat([self._open, rows])
        while rows.height >= self._block_rows:
            self._blocks.append(_block(rows.head(self._block_rows)))
            rows = rows.slice(self._block_rows)
        self._open = rows

    def _all(self) -> list[dict[str, int]]:
        return [*self._blocks, _block(self._open)] if self._open.height else self._blocks


def _block(frame: pl.DataFrame) -> dict[str, int]:
    counts = dict(frame["split"].value_counts().iter_rows())
    splits = {split.value: int(counts.get(split.value, 0)) for split in Split}
    ends = frame.select(first=pl.col("row").min(), last=pl.col("row").max()).row(0, named=True)
    first, last = int(ends["first"]), int(ends["last"])
    runs_on = last - first + 1 == frame.height and frame["row"].is_sorted()
    return {**splits, "first": first, "last": last, "runs_on": int(runs_on)}
