"""Workbooks that calamine reads, XLSX and the old XLS: every cell becomes text, errors keep their sign."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

import fastexcel
import polars as pl

from studio.i18n import _
from studio.ingest import errors
from studio.ingest.readers.archives import check_archive
from studio.ingest.readers.batches import ROW, Batch
from studio.ingest.readers.compound import CompoundError
from studio.ingest.readers.table_reader import unique_names
from studio.ingest.readers.workbook_scan import ErrorCells, scan_xls, scan_xlsx
from studio.words import listed

_STEP_ROWS: Final = 50_000
_BROKEN: Final = (
    fastexcel.FastExcelError, zipfile.BadZipFile, CompoundError, struct.error, IndexError, OSError,
)  # fmt: skip


class WorkbookReader:
    """One sheet of a workbook, its first row that is not blank taken as the header.

    A formula gives the value that was last calculated, an error cell its text (#DIV/0!), a merged cell its value in
    its first row and column. Macros are not looked at. ``sheet`` None: the first sheet with rows below its header.
    Raises StudioError import.broken, import.locked, import.too_large, import.dtd, import.columns (no such sheet).
    """

    def __init__(self, path: Path, sheet: str | None, kind: str = "xlsx") -> None:
        if kind == "xlsx":
            check_archive(path, "XLSX")
        try:
            in_sheets = scan_xls(path) if kind == "xls" else []
            book = fastexcel.read_excel(path)
            self.sheets: list[str] = list(book.sheet_names)
            cells, self.sheet = pl.DataFrame(), ""
            for name in choose_sheet(sheet, self.sheets):
                at = self.sheets.index(name)
                found = _filled_rows(book, name, scan_xlsx(path, name) if kind == "xlsx" else in_sheets[at])
                if found.height > cells.height or not self.sheet:
                    self.sheet, cells = name, found
                if cells.height > 1:
                    break
        except (
            fastexcel.FastExcelError,
            zipfile.BadZipFile,
            CompoundError,
            struct.error,
            IndexError,
            OSError,
        ) as error:
            if "password" in str(error).lower():
                raise errors.locked() from error
            raise errors.broken(str(path), kind.upper()) from error
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


def choose_sheet(sheet: str | None, sheets: list[str]) -> list[str]:
    """The sheet asked for, or all in order. Raises StudioError import.columns when there is none of that name."""
    if sheet is None:
        return sheets
    if sheet not in sheets:
        text = _("There is no sheet “{name}” in the file; it has {names}.")
        raise errors.columns(text.format(name=sheet, names=listed(sheets[:20])))
    return [sheet]


def _filled_rows(book: fastexcel.ExcelReader, sheet: str, found: ErrorCells) -> pl.DataFrame:
    """The rows with anything in them; column ``#`` is their place in the sheet, from 0."""
    table = book.load_sheet(sheet, header_row=None, skip_rows=0, dtypes="string")
    places = [column.absolute_index for column in table.available_columns()]
    frame: pl.DataFrame = table.to_polars().with_row_index("#", offset=0)
    if found:
        frame = _with_errors(frame, places, found)
    if frame.width == 1:
        return frame.clear()
    return frame.filter(pl.any_horizontal(pl.all().exclude("#").is_not_null()))


def _with_errors(frame: pl.DataFrame, places: list[int], found: ErrorCells) -> pl.DataFrame:
    columns: dict[int, tuple[list[int], list[str]]] = {}
    for (row, place), text in found.items():
        if place in places and row < frame.height:
            rows, texts = columns.setdefault(places.index(place) + 1, ([], []))
            rows.append(row)
            texts.append(text)
    names = frame.columns
    return frame.with_columns(
        frame[names[at]].scatter(rows, pl.Series(texts, dtype=pl.String))
        for at, (rows, texts) in columns.items()
    )
