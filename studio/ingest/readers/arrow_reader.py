"""Arrow files, also called Feather: the file form by slices, the stream form message by message."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import BinaryIO, Final

import polars as pl

from studio.i18n import _
from studio.ingest import errors
from studio.ingest.readers.batches import ROW, Batch
from studio.ingest.readers.table_reader import text_cells

_FILE_MAGIC: Final = b"ARROW1"
_OLD_MAGIC: Final = b"FEA1"
_STEP_ROWS: Final = 50_000
_MAX_MESSAGE_BYTES: Final = 1 << 30
_CONTINUES: Final = 0xFFFFFFFF
_SCHEMA, _DICTIONARY = 1, 2
_END: Final = b"\xff\xff\xff\xff\0\0\0\0"


class ArrowReader:
    """Rows of an Arrow IPC file or stream. Raises StudioError import.broken, import.too_large, import.old_feather."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with path.open("rb") as file:
            magic = file.read(8)
        if magic.startswith(_OLD_MAGIC):
            raise errors.old_feather(str(path))
        self._is_file = magic.startswith(_FILE_MAGIC)
        first = next(self._frames(1), None)
        if first is None:
            raise errors.broken(str(path), "Arrow")
        self.columns = first.columns

    def head(self, limit: int) -> list[list[str]]:
        rows: list[list[str]] = []
        for frame in self._frames(limit):
            cells = text_cells(frame.head(limit - len(rows)))
            rows += [[cell or "" for cell in row] for row in cells.iter_rows()]
            if len(rows) >= limit:
                break
        return rows

    def batches(self, wanted: Mapping[str, str]) -> Iterator[Batch]:
        first = 1
        for frame in self._frames(_STEP_ROWS):
            chosen = text_cells(frame.select(pl.col(name).alias(cell) for cell, name in wanted.items()))
            numbers = pl.int_range(first, first + frame.height, dtype=pl.Int64).alias(ROW)
            yield Batch(chosen.select(numbers, pl.all()))
            first += frame.height

    def _frames(self, step: int) -> Iterator[pl.DataFrame]:
        """Tables in order; at least one, of the right columns, also when there is no row."""
        try:
            if not self._is_file:
                yield from _stream_frames(self._path)
                return
            scan = pl.scan_ipc(self._path, glob=False)
            total = int(scan.select(pl.len()).collect().item())
            for start in range(0, max(1, total), step):
                yield scan.slice(start, step).collect()
        except (pl.exceptions.PolarsError, OSError, struct.error, OverflowError) as error:
            raise errors.broken(str(self._path), "Arrow") from error


def _stream_frames(path: Path) -> Iterator[pl.DataFrame]:
    """One table for each record batch: polars reads a stream whole, so it is given one small stream at a time."""
    opening = b""
    with path.open("rb") as file:
        for kind, message in _messages(file, path):
            if kind in (_SCHEMA, _DICTIONARY):
                opening += message
                if kind == _SCHEMA:
                    yield pl.read_ipc_stream(io.BytesIO(opening + _END))
            else:
                yield pl.read_ipc_stream(io.BytesIO(opening + message + _END))


def _messages(file: BinaryIO, path: Path) -> Iterator[tuple[int, bytes]]:
    """(header type, all bytes) of each encapsulated message, see the Arrow columnar format, "IPC Streaming Format"."""
    size = path.stat().st_size
    while len(start := file.read(8)) == 8:
        mark, length = struct.unpack("<II", start)
        if mark != _CONTINUES or length > size:
            raise errors.broken(str(path), "Arrow")
        if not length:
            return
        header = file.read(length)
        kind, body = _message_facts(header)
        if body > size or len(header) < length:
            raise errors.broken(str(path), "Arrow")
        if body > _MAX_MESSAGE_BYTES:
            raise errors.too_large(
                _("a block of {size} MB").format(size=body >> 20), f"{_MAX_MESSAGE_BYTES >> 20} MB"
            )
        content = file.read(body)
        if len(content) < body:
            raise errors.broken(str(path), "Arrow")
        yield kind, start + header + content


def _message_facts(header: bytes) -> tuple[int, int]:
    """Header type and body length out of the flatbuffer ``Message`` (fields 1 and 3 of its table)."""
    table = struct.unpack_from("<I", header, 0)[0]
    fields = table - struct.unpack_from("<i", header, table)[0]
    count = (struct.unpack_from("<H", header, fields)[0] - 4) // 2

    def place(field: int) -> int:
        return int(struct.unpack_from("<H", header, fields + 4 + 2 * field)[0]) if field < count else 0

    kind = header[table + place(1)] if place(1) else 0
    body = struct.unpack_from("<q", header, table + place(3))[0] if place(3) else 0
    if body < 0:
        raise struct.error("negative length")
    return kind, body
