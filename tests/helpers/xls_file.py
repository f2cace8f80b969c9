"""The smallest XLS workbooks: BIFF8 records in an OLE compound file, written byte by byte."""

from __future__ import annotations

import struct
from pathlib import Path

Cell = tuple[int, int, object]
_SECTOR = 512
_END, _FAT_SECTOR, _FREE = 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF


class ErrorValue:
    """An error cell; 0x07 is #DIV/0!. formula: as the value of a formula rather than typed in."""

    def __init__(self, code: int, *, formula: bool = False) -> None:
        self.code, self.formula = code, formula


def workbook(cells: list[Cell], *, password: bool = False) -> bytes:
    """The ``Workbook`` stream with one sheet."""
    bof = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0005, 0, 0, 0, 0x0600))
    locked = _record(0x002F, struct.pack("<HHH", 1, 1, 1) + bytes(48)) if password else b""
    globals_ = bof + locked + _record(0x0042, struct.pack("<H", 1200))
    name = b"S1"
    bound_length = 4 + 6 + 2 + len(name)
    start = len(globals_) + bound_length + 4
    bound = _record(0x0085, struct.pack("<IBBBB", start, 0, 0, len(name), 0) + name)
    sheet_bof = _record(0x0809, struct.pack("<HHHHII", 0x0600, 0x0010, 0, 0, 0, 0x0600))
    rows = [row for row, _c, _v in cells] or [0]
    columns = [column for _r, column, _v in cells] or [0]
    size = _record(0x0200, struct.pack("<IIHHH", 0, max(rows) + 1, 0, min(max(columns) + 1, 65535), 0))
    body = b"".join(_cell(*cell) for cell in cells)
    return globals_ + bound + _record(0x000A, b"") + sheet_bof + size + body + _record(0x000A, b"")


def compound(streams: dict[str, bytes]) -> bytes:
    """An OLE compound file with these streams, each padded to more than 4,096 bytes."""
    sectors: list[bytes] = []
    fat: list[int] = []
    entries = [_entry("Root Entry", 5, _END, 0, 1 if streams else _FREE)]
    for number, (name, content) in enumerate(streams.items(), start=1):
        padded = content.ljust(4096, b"\0") if len(content) < 4096 else content
        first = len(sectors)
        count = -(-len(padded) // _SECTOR)
        sectors += [padded[at * _SECTOR :][:_SECTOR].ljust(_SECTOR, b"\0") for at in range(count)]
        fat += [first + at + 1 for at in range(count - 1)] + [_END]
        after = number + 1 if number < len(streams) else _FREE
        entries.append(_entry(name, 2, first, len(padded), _FREE, right=after))
    directory = b"".join(entries)
    first_directory = len(sectors)
    count = -(-len(directory) // _SECTOR)
    sectors += [directory[at * _SECTOR :][:_SECTOR].ljust(_SECTOR, b"\0") for at in range(count)]
    fat += [first_directory + at + 1 for at in range(count - 1)] + [_END]
    tables = 1
    while (len(fat) + tables) * 4 > tables * _SECTOR:
        tables += 1
    places = [len(fat) + at for at in range(tables)]
    fat += [_FAT_SECTOR] * tables
    table = b"".join(struct.pack("<I", number) for number in fat).ljust(tables * _SECTOR, b"\xff")
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
    header += bytes(6) + struct.pack("<III", 0, tables, first_directory) + struct.pack("<II", 0, 4096)
    header += struct.pack("<IIII", _END, 0, _END, 0)
    header += b"".join(struct.pack("<I", place) for place in places).ljust(436, b"\xff")
    return header + b"".join(sectors) + table


def write_xls(path: Path, cells: list[Cell], *, password: bool = False) -> Path:
    path.write_bytes(compound({"Workbook": workbook(cells, password=password)}))
    return path


def _record(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def _cell(row: int, column: int, value: object) -> bytes:
    place = struct.pack("<HHH", row, column, 0)
    if isinstance(value, ErrorValue):
        if value.formula:
            result = bytes([2, 0, value.code, 0, 0, 0, 0xFF, 0xFF])
            return _record(0x0006, place + result + struct.pack("<HIH", 0, 0, 0))
        return _record(0x0205, place + bytes([value.code, 1]))
    if isinstance(value, str):
        text = value.encode("utf-16-le")
        return _record(0x0204, place + struct.pack("<HB", len(value), 1) + text)
    return _record(0x0203, place + struct.pack("<d", value))


def _entry(name: str, kind: int, first: int, size: int, child: int, right: int = _FREE) -> bytes:
    raw = (name + "\0").encode("utf-16-le")
    entry = raw.ljust(64, b"\0") + struct.pack("<HBB", len(raw), kind, 1)
    return entry + struct.pack("<III", _FREE, right, child) + bytes(36) + struct.pack("<III", first, size, 0)
