"""OLE compound files, the container of XLS and of password-protected workbooks: their streams, within limits."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Final

MAGIC: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_LAST_SECTOR: Final = 0xFFFFFFFA  # anything above is a mark, not a sector
_MAX_STREAM: Final = 512 << 20


class CompoundError(ValueError):
    """The file's own tables contradict themselves."""


class CompoundFile:
    """Reads streams of 4,096 bytes and more, which is where workbooks are. Raises CompoundError."""

    def __init__(self, path: Path) -> None:
        self._data = path.read_bytes()
        if self._data[:8] != MAGIC or len(self._data) < 1536:
            raise CompoundError("header")
        self._shift = struct.unpack_from("<H", self._data, 30)[0]
        if self._shift not in (9, 12):
            raise CompoundError("sector size")
        self._fat = self._read_fat()
        directory = self._chain(struct.unpack_from("<I", self._data, 48)[0])
        self.entries = [
            entry
            for at in range(0, len(directory) - 127, 128)
            if (entry := _entry(directory[at : at + 128])) is not None
        ]

    @property
    def names(self) -> list[str]:
        return [name for name, _start, _size in self.entries]

    def stream(self, *names: str) -> bytes:
        """The first stream with one of these names."""
        for name, start, size in self.entries:
            if name in names:
                return self._chain(start)[:size]
        raise CompoundError("no such stream")

    def _sector(self, number: int) -> bytes:
        start = (number + 1) << self._shift
        return self._data[start : start + (1 << self._shift)]

    def _read_fat(self) -> tuple[int, ...]:
        sectors = [number for number in struct.unpack_from("<109I", self._data, 76) if number < _LAST_SECTOR]
        following, left = struct.unpack_from("<II", self._data, 68)
        limit = (len(self._data) >> self._shift) + 1
        while following < _LAST_SECTOR and left > 0 and len(sectors) <= limit:
            numbers = struct.unpack(f"<{1 << (self._shift - 2)}I", self._whole(following))
            sectors += [number for number in numbers[:-1] if number < _LAST_SECTOR]
            following, left = numbers[-1], left - 1
        if len(sectors) > limit:
            raise CompoundError("more tables than sectors")
        table = b"".join(self._whole(number) for number in sectors)
        return struct.unpack(f"<{len(table) // 4}I", table)

    def _whole(self, number: int) -> bytes:
        sector = self._sector(number)
        if len(sector) != 1 << self._shift:
            raise CompoundError("cut short")
        return sector

    def _chain(self, first: int) -> bytes:
        """The sectors from ``first`` on; a chain that runs in a circle ends by the number of sectors."""
        parts: list[bytes] = []
        number = first
        while number < _LAST_SECTOR:
            if (
                number >= len(self._fat)
                or len(parts) > len(self._fat)
                or len(parts) << self._shift > _MAX_STREAM
            ):
                raise CompoundError("chain")
            parts.append(self._sector(number))
            number = self._fat[number]
        return b"".join(parts)


def _entry(raw: bytes) -> tuple[str, int, int] | None:
    """(name, first sector, bytes) of a stream; None for storages and unused entries."""
    length, kind = struct.unpack_from("<HB", raw, 64)
    if kind != 2 or not 2 <= length <= 64:
        return None
    start, size = struct.unpack_from("<II", raw, 116)
    return raw[: length - 2].decode("utf-16-le", "replace"), start, size
