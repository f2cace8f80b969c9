"""Tables in containers: XLSX workbooks (calamine) and Parquet files; every cell becomes text."""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import fastexcel
import polars as pl

from studio.ingest import errors
from studio.ingest.readers.batches import ROW, Batch

_STEP_ROWS: Final = 50_000
_MAX_UNPACKED_BYTES: Final = 1 << 30
_MAX_RATIO: Final = 200


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
        frame = self._slice(0, limit, self.columns)
        return [[cell or "" for cell in row] for row in frame.iter_rows()]

    def batches(self, wanted: Mapping[str, str]) -> Iterator[Batch]:
        for start in range(0, self._rows, _STEP_ROWS):
            frame = self._slice(start, _STEP_ROWS, list(wanted.values()))
            renamed = frame.rename({name: cell for cell, name in wanted.items()})
            yield Batch(_numbered(renamed, start + 1))

    def _slice(self, start: int, count: int, names: list[str]) -> pl.DataFrame:
        try:
            frame = self._scan.slice(start, count).select(names).collect()
        except pl.exceptions.PolarsError as error:
            raise errors.broken(str(self._path), "Parquet") from error
        return frame.select(_cells(frame[name]) for name in names)


class XlsxReader:
    """One sheet of a workbook, its first row taken as the header.

    Raises StudioError import.broken, import.locked, import.too_large, import.columns (no such sheet).
    """

    def __init__(self, path: Path, sheet: str | None) -> None:
        check_archive(path)
        try:
            book = fastexcel.read_excel(path)
            self.sheets: list[str] = list(book.sheet_names)
            chosen = sheet if sheet in self.sheets else self.sheets[0]
            table = book.load_sheet(chosen, header_row=None, dtypes="string")
            frame: pl.DataFrame = table.to_polars()
        except fastexcel.FastExcelError as error:
            raise errors.broken(str(path), "XLSX") from error
        cells = frame.with_row_index("#", offset=0).filter(
            pl.any_horizontal(pl.all().exclude("#").is_not_null())
        )
        self._header_at = int(cells["#"][0]) if cells.height else 0
        names = list(cells.row(0)[1:]) if cells.height else []
        self._frame = cells.slice(1)
        self.columns = unique_names([str(name or "") for name in names])

    def head(self, limit: int) -> list[list[str]]:
        return [[cell or "" for cell in row[1:]] for row in self._frame.head(limit).iter_rows()]

    def batches(self, wanted: Mapping[str, str]) -> Iterator[Batch]:
        indices = [self.columns.index(name) + 1 for name in wanted.values()]
        number = (pl.col("#").cast(pl.Int64) - self._header_at).alias(ROW)
        names = self._frame.columns
        chosen = (pl.col(names[i]).alias(cell) for i, cell in zip(indices, wanted, strict=True))
        frame = self._frame.select(number, *chosen)
        for start in range(0, frame.height, _STEP_ROWS):
            yield Batch(frame.slice(start, _STEP_ROWS))


def check_archive(path: Path) -> None:
    """Refuse a workbook that is no ZIP, or would unpack to far more than its size (a ZIP bomb)."""
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
            worst = max((m.file_size / max(1, m.compress_size) for m in archive.infolist()), default=0)
    except (zipfile.BadZipFile, OSError, ValueError) as error:
        raise errors.broken(str(path), "XLSX") from error
    if unpacked > _MAX_UNPACKED_BYTES or (worst > _MAX_RATIO and unpacked > 200 << 20):
        raise errors.too_large(f"{unpacked >> 20} MB", f"{_MAX_UNPACKED_BYTES >> 20} MB")


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


def _cells(series: pl.Series) -> pl.Series:
    """A column as text; nested values as JSON, bytes as null when they are no text."""
    if isinstance(series.dtype, pl.List | pl.Struct | pl.Array):
        wrapped = series.to_frame("v").select(pl.struct("v").struct.json_encode())["v"]
        inner = wrapped.str.strip_prefix('{"v":').str.slice(0).str.strip_suffix("}")
        return pl.select(pl.when(inner != "null").then(inner)).to_series().alias(series.name)
    if series.dtype == pl.Binary:
        return series.cast(pl.String, strict=False)
    return series.cast(pl.String)
