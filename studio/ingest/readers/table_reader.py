"""Parquet files; every cell becomes text. And what other readers of tables share."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import polars as pl

from studio.ingest import errors
from studio.ingest.readers.batches import ROW, Batch

_STEP_ROWS: Final = 50_000


class ParquetReader:
    """A Parquet file by slices. Raises StudioError import.broken when its footer or pages are damaged."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._scan = pl.scan_parquet(path, glob=False)
            self._schema = self._scan.collect_schema()
            self._rows = int(self._scan.select(pl.len()).collect().item())
        except (pl.exceptions.PolarsError, OSError) as error:
            raise errors.broken(str(path), "Parquet") from error
        self.columns = self._schema.names()

    def head(self, limit: int) -> list[list[str]]:
        frame = self._slice(0, min(limit, self._rows), {name: name for name in self.columns})
        return [[cell or "" for cell in row] for row in frame.iter_rows()]

    def batches(self, wanted: Mapping[str, str]) -> Iterator[Batch]:
        for start in range(0, self._rows, _STEP_ROWS):
            yield Batch(_numbered(self._slice(start, _STEP_ROWS, wanted), start + 1))

    def _slice(self, start: int, count: int, wanted: Mapping[str, str]) -> pl.DataFrame:
        cells = [pl.col(name).alias(cell) for cell, name in wanted.items()]
        try:
            frame = self._scan.slice(start, count).select(cells).collect()
        except (pl.exceptions.PolarsError, OSError) as error:
            raise errors.broken(str(self._path), "Parquet") from error
        if frame.height != min(count, self._rows - start):
            raise errors.broken(str(self._path), "Parquet")  # its footer counts rows that are not there
        return text_cells(frame)


def unique_names(names: list[str]) -> list[str]:
    """Column names with empty ones numbered and repeated ones told apart: ``a, a (2), Column 3``."""
    taken: set[str] = set()
    result: list[str] = []
    for index, raw in enumerate(names, start=1):
        base = raw.strip() or f"Column {index}"
        name, count = base, 2
        while name in taken:
            name, count = f"{base} ({count})", count + 1
        taken.add(name)
        result.append(name)
    return result


def _numbered(frame: pl.DataFrame, first: int) -> pl.DataFrame:
    numbers = pl.int_range(first, first + frame.height, dtype=pl.Int64).alias(ROW)
    return frame.select(numbers, pl.all())


def text_cells(frame: pl.DataFrame) -> pl.DataFrame:
    """Every column as text."""
    return frame.select(_cells(series) for series in frame.get_columns())


def _cells(series: pl.Series) -> pl.Series:
    """A column as text; nested values as JSON, bytes that are no text in hexadecimal as SQLite writes it: X'00FF'."""
    if isinstance(series.dtype, pl.List | pl.Struct | pl.Array):
        wrapped = series.to_frame("v").select(pl.struct("v").struct.json_encode())["v"]
        inner = wrapped.str.strip_prefix('{"v":').str.slice(0).str.strip_suffix("}")
        return pl.select(pl.when(inner != "null").then(inner)).to_series().alias(series.name)
    if series.dtype == pl.Binary:
        return pl.Series(series.name, [_bytes_as_text(value) for value in series], dtype=pl.String)
    return series.cast(pl.String)


def _bytes_as_text(value: bytes | None) -> str | None:
    if value is None:
        return None
    try:
        return value.decode()
    except UnicodeDecodeError:
        return hex_text(value)


def hex_text(value: bytes) -> str:
    """Bytes as a SQLite literal: nothing is lost, and nobody takes it for text."""
    return f"X'{value.hex().upper()}'"
