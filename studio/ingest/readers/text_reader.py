"""Plain text: a paragraph a row where blank lines part paragraphs, else a line a row."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from studio.domain.datasets import RejectedRow
from studio.ingest.readers.batches import Batch, frame_of, rejection

_BLANK: Final = re.compile(rb"\n(?:[ \t]*\n)+")
_MAX_ROW_BYTES: Final = 1 << 20
_MAX_HELD_BYTES: Final = 16 << 20


class TextReader:
    """One column, ``text``; rows are counted as paragraphs or lines, blank ones not counted."""

    def __init__(self, blocks: Callable[[], Iterator[bytes]], head: bytes) -> None:
        self.columns = ["text"]
        self._blocks = blocks
        self._head = _unix(head)
        self.by_paragraph = _BLANK.search(self._head.strip()) is not None

    def head(self, limit: int) -> list[list[str]]:
        rows = [part for part in self._split(self._head) if part.strip()]
        return [[part.decode("utf-8", "replace").strip("\n")] for part in rows[:limit]]

    def batches(self, wanted: Mapping[str, str]) -> Iterator[Batch]:
        rest, row, cells = b"", 1, list(wanted)
        too_long = False  # the row that ``rest`` belongs to is too long; only its beginning is kept
        for block in self._blocks():
            data = rest + block
            if data.endswith(b"\r"):  # the pair's other half is in the next block
                rest = data
                continue
            *parts, rest = self._split(_unix(data))
            batch, row = _batch(parts, row, cells, too_long=too_long and bool(parts))
            yield batch
            too_long = too_long and not parts
            if len(rest) > _MAX_HELD_BYTES or (too_long and len(rest) > _MAX_ROW_BYTES):
                rest, too_long = rest[:1000] + rest[-2:], True  # the end may be half of a mark between rows
        yield _batch(self._split(_unix(rest)), row, cells, too_long=too_long)[0]

    def _split(self, data: bytes) -> list[bytes]:
        return _BLANK.split(data) if self.by_paragraph else data.split(b"\n")


def _batch(parts: list[bytes], row: int, names: list[str], *, too_long: bool = False) -> tuple[Batch, int]:
    """too_long: the first part is the beginning of a row that is."""
    rows: list[int] = []
    cells: list[list[str | None]] = []
    rejected: list[RejectedRow] = []
    for part in (part for part in parts if part.strip()):
        text, code = ("", "line_too_long") if too_long else _decoded(part)
        too_long = False
        if code:
            rejected.append(rejection(row, code, part[:1000]))
        else:
            rows.append(row)
            cells.append([text] * len(names))
        row += 1
    return Batch(frame_of(rows, cells, names), rejected), row


def _decoded(part: bytes) -> tuple[str, str]:
    if len(part) > _MAX_ROW_BYTES:
        return "", "line_too_long"
    try:
        return part.decode("utf-8").strip("\n"), ""
    except UnicodeDecodeError:
        return "", "invalid_bytes"


def _unix(data: bytes) -> bytes:
    return data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
