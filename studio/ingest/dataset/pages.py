"""Showing any page of a dataset of any size: only the blocks that hold its rows are read."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from studio.domain.datasets import Split
from studio.domain.shapes import content_columns
from studio.ingest import errors
from studio.ingest.dataset.canonical import INDEX_FILE, ROWS_FILE
from studio.ingest.dataset.content import JSON_COLUMNS, json_text


class ParquetPages:
    """Paged reading of one dataset folder; the index is read once and kept.

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
        """The columns of a page, in order: row, split, perhaps origin, then those of the shape."""
        return [name for name in self._columns if name != "key"]

    def count(self, split: Split | None = None) -> int:
        """Rows of one split, or of all."""
        names = [split.value] if split else [item.value for item in Split]
        return sum(block[name] for block in self._blocks for name in names)

    def page(self, offset: int, limit: int, split: Split | None = None) -> list[dict[str, str]]:
        """Up to ``limit`` rows from the ``offset``-th (from 0) of the split on; every cell is text, "" for none."""
        with self._damage_named():
            frame = self._plain(offset, limit) if split is None else self._of_split(offset, limit, split)
        return _as_text(frame)

    def rows(self, numbers: Sequence[int]) -> list[dict[str, str]]:
        """The rows with these numbers, in this order; numbers that are not there are left out."""
        wanted = pl.Series("row", numbers, dtype=pl.Int64)
        found: list[pl.DataFrame] = []
        with self._damage_named():
            for block in self._blocks_with(wanted.unique()):
                found.extend(self._picked(block, wanted))
        cells = _as_text(pl.concat(found)) if found else []
        by_number = {int(row["row"]): row for row in cells}
        return [by_number[number] for number in numbers if number in by_number]

    def find(self, text: str, columns: Sequence[str] = (), offset: int = 0, limit: int = 200) -> list[int]:
        """Numbers of the rows that hold ``text`` in one of ``columns`` (none: all content), in the order of pages.

        Upper and lower case are the same. offset: matches to pass over.
        """
        names = list(columns) or content_columns(self._columns)
        pattern = {name: f"(?i){pl.escape_regex(_stored(text, name))}" for name in names}
        hits = pl.any_horizontal(pl.col(name).str.contains(pattern[name]).fill_null(False) for name in names)
        with self._damage_named():
            numbers = self._matching(hits, names)
            return list(itertools.islice(numbers, offset, offset + limit))

    def _matching(self, hits: pl.Expr, names: list[str]) -> Iterator[int]:
        for number in range(len(self._blocks)):
            yield from self._block(number).select("row", *names).filter(hits).collect()["row"]

    def _picked(self, block: int, wanted: pl.Series) -> Iterator[pl.DataFrame]:
        """The wanted rows of a block, read only where they stand; where its numbers have gaps these are read first."""
        ends = self._blocks[block]
        if ends.get("runs_on"):
            inside = wanted.filter(wanted.is_between(ends["first"], ends["last"])).unique().sort()
            places = (inside - ends["first"]).to_list()
        else:
            numbers = self._block(block).select("row").collect()["row"]
            places = numbers.is_in(wanted.implode()).arg_true().to_list()
        for start, length in _runs(places):
            yield self._plain(block * self._block_rows + start, length)

    def _blocks_with(self, numbers: pl.Series) -> list[int]:
        """Blocks that may hold one of the numbers."""
        if self._blocks and "first" not in self._blocks[0]:  # written before blocks knew their row numbers
            return list(range(len(self._blocks)))
        ordered = numbers.sort()
        firsts = pl.Series([block["first"] for block in self._blocks], dtype=pl.Int64)
        lasts = pl.Series([block["last"] for block in self._blocks], dtype=pl.Int64)
        first = ordered.search_sorted(firsts, side="left")
        last = ordered.search_sorted(lasts, side="right")
        return (first < last).arg_true().to_list()

    def _block(self, number: int) -> pl.LazyFrame:
        return self._scan.slice(number * self._block_rows, self._block_rows)

    def _plain(self, offset: int, limit: int) -> pl.DataFrame:
        return self._scan.slice(offset, limit).select(self.columns()).collect()

    def _of_split(self, offset: int, limit: int, split: Split) -> pl.DataFrame:
        found: list[pl.DataFrame] = []
        for number, block in enumerate(self._blocks):
            inside = block[split.value]
            if offset >= inside:
                offset -= inside
                continue
            part = self._part_of_split(number, offset, limit, split)
            found.append(part)
            offset, limit = 0, limit - part.height
            if limit <= 0:
                break
        return pl.concat(found) if found else self._plain(0, 0)

    def _part_of_split(self, number: int, offset: int, limit: int, split: Split) -> pl.DataFrame:
        """The split's rows in one block; where they stand is read first, then only the stretch that holds them."""
        splits = self._block(number).select("split").collect()["split"]
        places = (splits == split.value).arg_true().slice(offset, limit)
        first, last = int(places[0]), int(places[-1])
        stretch = self._plain(number * self._block_rows + first, last - first + 1)
        return stretch.filter(pl.col("split") == split.value)

    def _damage_named(self) -> _Damage:
        return _Damage(self._dir)


class _Damage:
    """Turns what polars says of a damaged file into our own words."""

    def __init__(self, dataset_dir: Path) -> None:
        self._dir = dataset_dir

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        if isinstance(error, pl.exceptions.PolarsError | OSError):
            raise errors.broken(str(self._dir), ROWS_FILE) from error


def _as_text(frame: pl.DataFrame) -> list[dict[str, str]]:
    cells = frame.select(pl.all().cast(pl.String).fill_null(""))
    return [dict(zip(cells.columns, row, strict=True)) for row in cells.iter_rows()]


def _stored(text: str, column: str) -> str:
    """The text as it stands in the column's cells: within JSON, quotes and line ends are escaped."""
    return json_text(text)[1:-1] if column in JSON_COLUMNS else text


def _runs(places: list[int]) -> Iterator[tuple[int, int]]:
    """(start, length) of stretches of neighbouring places, in order; gaps up to 100 are read along."""
    start = last = -1
    for place in places:
        if start >= 0 and place - last <= 100:
            last = place
            continue
        if start >= 0:
            yield start, last - start + 1
        start = last = place
    if start >= 0:
        yield start, last - start + 1
