"""OpenDocument spreadsheets, streamed: repeated rows and cells are counted out here, so that a million blank ones cost
nothing and a hostile repeat count meets a limit.
"""

from __future__ import annotations

import xml.parsers.expat
import zipfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from studio.i18n import _
from studio.ingest import errors
from studio.ingest.readers.archives import check_archive
from studio.ingest.readers.rows import RowReader, SourceRow
from studio.ingest.readers.table_reader import unique_names
from studio.ingest.readers.workbook_reader import choose_sheet

_BLOCK: Final = 256 << 10
_MAX_COLUMNS: Final = 16_384
_MAX_ROWS: Final = 1_048_576
_MAX_CELLS: Final = 64_000_000  # filled ones, counted as often as they are repeated
_HEAD_ROWS: Final = 200
_VALUES: Final = ("office:date-value", "office:time-value", "office:boolean-value", "office:value")
_CELLS: Final = ("table:table-cell", "table:covered-table-cell")
Cells = tuple[str | None, ...]


class OdsReader(RowReader):
    """One sheet, its first row that is not blank taken as the header; wider rows in the head widen the columns.

    Cells are the stored values (12.5, 2024-05-06), text as it stands, errors as shown (#DIV/0!); merged cells have
    their value in their first row and column. ``sheet`` None: the first sheet with rows below its header.
    Raises StudioError import.broken, import.locked, import.too_large, import.dtd, import.columns.
    """

    def __init__(self, path: Path, sheet: str | None) -> None:
        check_archive(path, "ODS")
        self._path = path
        _refuse_encrypted(path)
        self.sheets = list(dict.fromkeys(_Content().sheets(path)))
        self.sheet = ""
        head: list[tuple[int, Cells]] = []
        for name in choose_sheet(sheet, self.sheets):
            found = list(islice(_Content().rows(path, name), _HEAD_ROWS))
            if len(found) > len(head) or not self.sheet:
                self.sheet, head = name, found
            if len(head) > 1:
                break
        self._left = min((_blank_before(cells) for _place, cells in head), default=0)
        names = [cell or "" for cell in head[0][1][self._left :]] if head else []
        self._header_at = head[0][0] if head else 0
        width = max((len(cells) for _place, cells in head), default=0) - self._left
        super().__init__(unique_names(names + [""] * (width - len(names))), self._data_rows)

    def _filled(self) -> Iterator[tuple[int, Cells]]:
        return _Content().rows(self._path, self.sheet)

    def _data_rows(self) -> Iterator[SourceRow]:
        width = len(self.columns)
        for place, cells in islice(self._filled(), 1, None):
            inside = cells[self._left :]
            fault = "too_many_fields" if len(inside) > width or any(cells[: self._left]) else ""
            padded = (*inside, *([None] * (width - len(inside))))
            yield SourceRow(place - self._header_at, padded, fault)


def _blank_before(cells: Cells) -> int:
    """How many blank cells stand before the first filled one."""
    return next(at for at, cell in enumerate(cells) if cell is not None)


def _refuse_encrypted(path: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive, archive.open("META-INF/manifest.xml") as manifest:
            if b"encryption-data" in manifest.read(1 << 20):
                raise errors.locked()
    except KeyError:
        return  # a spreadsheet without a manifest has nothing encrypted


class _Content:
    """One reading of content.xml."""

    def __init__(self) -> None:
        self._parser = xml.parsers.expat.ParserCreate()
        self._parser.buffer_text = True
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text
        self._wanted: str | None = None
        self._inside = False
        self._names: list[str] = []
        self._row: list[str | None] = []
        self._cell: dict[str, str] | None = None
        self._paragraphs: list[str] = []
        self._open_paragraphs = 0
        self._hidden = 0  # notes and other things that are not the cell's text
        self._row_repeat = 1
        self._place = 0
        self._cells = 0
        self._done: list[tuple[int, Cells, int]] = []  # place, cells, times

    def sheets(self, path: Path) -> Iterator[str]:
        for _block in self._fed(path):
            yield from self._names
            self._names.clear()

    def rows(self, path: Path, sheet: str) -> Iterator[tuple[int, Cells]]:
        """(place in the sheet, cells up to the last filled one) of each row with anything in it."""
        self._wanted = sheet
        for _block in self._fed(path):
            for place, cells, times in self._done:
                yield from ((place + again, cells) for again in range(times))
            self._done.clear()

    def _fed(self, path: Path) -> Iterator[None]:
        try:
            with zipfile.ZipFile(path) as archive, archive.open("content.xml") as stream:
                while block := stream.read(_BLOCK):
                    self._parser.Parse(block, False)
                    yield
                self._parser.Parse(b"", True)
                yield
        except (KeyError, zipfile.BadZipFile, xml.parsers.expat.ExpatError, OSError, EOFError) as error:
            raise errors.broken(str(path), "ODS") from error

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == "table:table":
            self._names.append(attributes.get("table:name", ""))
            self._inside = self._names[-1] == self._wanted
        elif not self._inside:
            return
        elif name == "table:table-row":
            self._row, self._row_repeat = [], _count(attributes.get("table:number-rows-repeated"))
        elif name in _CELLS:
            self._cell, self._paragraphs = attributes, []
        elif name in ("office:annotation", "draw:frame"):
            self._hidden += 1
        elif name == "text:p" and self._cell is not None and not self._hidden:
            self._paragraphs.append("")
            self._open_paragraphs += 1
        elif self._open_paragraphs and not self._hidden:
            spaces = " " * min(_count(attributes.get("text:c")), 10_000) if name == "text:s" else ""
            self._paragraphs[-1] += {"text:tab": "\t", "text:line-break": "\n"}.get(name, spaces)

    def _text(self, text: str) -> None:
        if self._open_paragraphs and not self._hidden:
            self._paragraphs[-1] += text

    def _end(self, name: str) -> None:
        if not self._inside:
            return
        if name == "table:table":
            self._inside = False
        elif name in ("office:annotation", "draw:frame"):
            self._hidden -= 1
        elif name == "text:p" and self._open_paragraphs and not self._hidden:
            self._open_paragraphs -= 1
        elif name in _CELLS and self._cell is not None:
            self._end_cell(self._cell)
        elif name == "table:table-row":
            self._end_row()

    def _end_cell(self, attributes: dict[str, str]) -> None:
        repeat = _count(attributes.get("table:number-columns-repeated"))
        value = _value(attributes, "\n".join(self._paragraphs))
        self._cell = None
        if value is not None and len(self._row) + repeat > _MAX_COLUMNS:
            raise errors.too_large(_("more columns than a sheet can have"), str(_MAX_COLUMNS))
        self._row += [value] * min(repeat, _MAX_COLUMNS - len(self._row))

    def _end_row(self) -> None:
        while self._row and self._row[-1] is None:
            self._row.pop()
        if self._row:
            if self._place + self._row_repeat > _MAX_ROWS:
                raise errors.too_large(_("more rows than a sheet can have"), str(_MAX_ROWS))
            self._cells += len(self._row) * self._row_repeat
            if self._cells > _MAX_CELLS:
                raise errors.too_large(_("more cells than can be read"), str(_MAX_CELLS))
            self._done.append((self._place, tuple(self._row), self._row_repeat))
        self._place += self._row_repeat


def _count(text: str | None) -> int:
    return int(text) if text and text.isdecimal() and len(text) < 10 else 1


def _value(attributes: dict[str, str], text: str) -> str | None:
    """The stored value rather than how it is shown; None for a blank cell."""
    kind = attributes.get("office:value-type")
    if kind is None:
        return text or None  # a covered cell, or one that only ever had text
    if attributes.get("calcext:value-type") == "error" or kind == "string":
        return attributes.get("office:string-value") or text or None
    return next((attributes[name] for name in _VALUES if name in attributes), text or None)
