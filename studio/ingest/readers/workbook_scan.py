"""What calamine does not tell of a sheet: how far it stretches, and which cells hold an error such as #DIV/0!.

calamine lays a sheet out as a full rectangle, so one cell in the last corner would ask for 512 GB, and it gives error
cells as empty ones. Both are looked up in the file itself before and after.
"""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from studio.i18n import _
from studio.ingest import errors
from studio.ingest.readers.compound import CompoundFile

# (row, column) from 0 -> the error's text
ErrorCells = dict[tuple[int, int], str]
MAX_CELLS: Final = 12_000_000  # about 100 bytes each while calamine works
_BLOCK: Final = 1 << 20
# No further than to the next cell: one without an end would be looked for to the end of the sheet.
_CELL: Final = re.compile(rb"<(?:\w+:)?c\s([^>]*[^/>])>((?:(?!<(?:\w+:)?c\s).)*?)</(?:\w+:)?c>", re.DOTALL)
_ENDS: Final = (b"</c>", b":c>", b"</row>", b":row>")
_REF: Final = re.compile(rb"""\br\s*=\s*["']([A-Za-z]{1,7})([0-9]{1,9})["']""")
# Cells that hold something, as every office program writes them; anything else is looked at by _ANY_CELL.
_PLAIN_CELL: Final = re.compile(rb'<c r="([A-Z]{1,7})([0-9]{1,9})"[^>/]*>')
_HIGH_ROW: Final = re.compile(rb'<c r="[A-Z]{1,7}([0-9]{6,9})"[^>/]*>')
_WIDE_COLUMN: Final = re.compile(rb'<c r="([A-Z]{2,7})[0-9]{1,9}"[^>/]*>')
_ANY_CELL: Final = re.compile(rb"<(?:\w+:)?c\s([^>]*[^/>])>")
_ERROR_TYPE: Final = re.compile(rb"""\bt\s*=\s*["']e["']""")
_VALUE: Final = re.compile(rb"<(?:\w+:)?v>([^<]*)</")
_RELATION: Final = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
_BIFF_ERRORS: Final = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A",
}  # fmt: skip
# Records of a sheet that begin with a row and a column: BLANK is left out, it holds nothing.
_BIFF_CELLS: Final = frozenset({0x06, 0xBD, 0xD6, 0xFD, 0x0203, 0x0204, 0x0205, 0x027E})
_BIFF_FORMULA, _BIFF_MULRK, _BIFF_BOOLERR, _BIFF_SHEET, _BIFF_BOF = 0x06, 0xBD, 0x0205, 0x85, 0x0809
_BIFF_PASSWORD: Final = 0x2F


def scan_xlsx(path: Path, sheet: str) -> ErrorCells:
    """Error cells of one sheet. Raises import.too_large when its rectangle has more than MAX_CELLS cells."""
    with zipfile.ZipFile(path) as archive:
        part = _sheet_part(archive, sheet)
        if part is None:
            return {}
        rows, columns = 99_999, 26
        found: ErrorCells = {}
        for text in _whole_cells(archive, part):
            here = _roughly(text) if _is_plain(text) else _places(text)
            rows, columns = max(rows, *here[0], 0), max(columns, *here[1], 0)
            if _ERROR_TYPE.search(text):
                found |= dict(errors_in(text))
        if rows * columns > MAX_CELLS:
            _check_rectangle(*_exact(_whole_cells(archive, part)))
    return found


def scan_xls(path: Path) -> list[ErrorCells]:
    """Error cells of each sheet; before calamine, which lays out all sheets when it opens an XLS file.

    Raises import.too_large, import.locked, CompoundError.
    """
    data = CompoundFile(path).stream("Workbook", "Book")
    starts: list[int] = []
    found: dict[int, ErrorCells] = {}
    reach: dict[int, tuple[int, int]] = {}
    sheet = -1
    for here, kind, body in _records(data):
        if kind == _BIFF_SHEET and len(body) >= 4:
            starts.append(struct.unpack_from("<I", body)[0])
        elif kind == _BIFF_BOF:
            sheet = here
        elif kind == _BIFF_PASSWORD:
            raise errors.locked()
        elif kind in _BIFF_CELLS and len(body) >= 6:
            row, column = struct.unpack_from("<HH", body)
            last = struct.unpack_from("<H", body, len(body) - 2)[0] if kind == _BIFF_MULRK else column
            rows, columns = reach.get(sheet, (0, 0))
            reach[sheet] = (max(rows, row + 1), max(columns, last + 1))
            if text := _biff_error(kind, body):
                found.setdefault(sheet, {})[row, column] = text
    for rows, columns in reach.values():
        _check_rectangle(rows, columns)
    return [found.get(start, {}) for start in starts]


def _records(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    """(place, kind, content) of each record of a BIFF stream."""
    here = 0
    while here + 4 <= len(data):
        kind, length = struct.unpack_from("<HH", data, here)
        yield here, kind, data[here + 4 : here + 4 + length]
        here += 4 + length


def _check_rectangle(rows: int, columns: int) -> None:
    if rows * columns > MAX_CELLS:
        shape = _("a sheet of {rows} rows and {columns} columns").format(rows=rows, columns=columns)
        raise errors.too_large(shape, _("{count} cells").format(count=MAX_CELLS))


def _biff_error(kind: int, body: bytes) -> str:
    if kind == _BIFF_BOOLERR and len(body) >= 8 and body[7] == 1:
        return _BIFF_ERRORS.get(body[6], "#N/A")
    if kind == _BIFF_FORMULA and len(body) >= 14 and body[12:14] == b"\xff\xff" and body[6] == 2:
        return _BIFF_ERRORS.get(body[8], "#N/A")
    return ""


def _sheet_part(archive: zipfile.ZipFile, sheet: str) -> str | None:
    """The archive member that holds the sheet; None when the workbook does not say."""
    try:
        book = ElementTree.fromstring(archive.read("xl/workbook.xml"))
        relations = ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels"))
    except (KeyError, ElementTree.ParseError):
        return None
    targets = {item.get("Id"): item.get("Target", "") for item in relations}
    for item in book.iter():
        if item.tag.endswith("}sheet") and item.get("name") == sheet:
            target = targets.get(item.get(_RELATION), "")
            name = target.lstrip("/") if target.startswith("/") else f"xl/{target}"
            return name if name in archive.namelist() else None
    return None


def _whole_cells(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """The sheet's XML in pieces that end between two cells."""
    rest = b""
    with archive.open(part) as stream:
        while block := stream.read(_BLOCK):
            text = rest + block
            cut = max(at + len(end) if (at := text.rfind(end)) >= 0 else 0 for end in _ENDS)
            cut = len(text) if not cut and len(text) > 8 * _BLOCK else cut
            rest = text[cut:]
            yield text[:cut]
    yield rest


def errors_in(text: bytes) -> Iterator[tuple[tuple[int, int], str]]:
    """The error cells in a piece of a sheet's XML."""
    for attributes, inner in _CELL.findall(text):
        place = _REF.search(attributes)
        if place and _ERROR_TYPE.search(attributes):
            value = _VALUE.search(inner)
            shown = value[1].decode("utf-8", "replace") if value else "#N/A"
            yield (int(place[2]) - 1, _column(place[1]) - 1), shown


def _is_plain(text: bytes) -> bool:
    return b":c " not in text and text.count(b"<c ") == text.count(b'<c r="')


def _roughly(text: bytes) -> tuple[set[int], set[int]]:
    """Rows from 100,000 and columns from AA on; quick, because most sheets have neither."""
    return set(map(int, set(_HIGH_ROW.findall(text)))), set(map(_column, set(_WIDE_COLUMN.findall(text))))


def _places(text: bytes) -> tuple[set[int], set[int]]:
    """All rows and columns of cells that hold something."""
    if _is_plain(text):
        cells = _PLAIN_CELL.findall(text)
    else:
        found = map(_REF.search, _ANY_CELL.findall(text))
        cells = [(place[1], place[2]) for place in found if place]
    return {int(row) for _c, row in cells}, set(map(_column, {column for column, _r in cells}))


def _exact(pieces: Iterator[bytes]) -> tuple[int, int]:
    """Rows and columns of the rectangle around all cells that hold something."""
    corners: list[tuple[int, int]] = []
    for text in pieces:
        rows, columns = _places(text)
        if rows:
            corners += [(min(rows), min(columns)), (max(rows), max(columns))]
    if not corners:
        return 0, 0
    rows, columns = {row for row, _c in corners}, {column for _r, column in corners}
    return max(rows) - min(rows) + 1, max(columns) - min(columns) + 1


def _column(letters: bytes) -> int:
    """A = 1, Z = 26, AA = 27."""
    number = 0
    for code in letters[:7].upper():
        number = number * 26 + code - 64
    return number
