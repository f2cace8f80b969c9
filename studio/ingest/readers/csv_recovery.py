"""Record-by-record reading of doubtful CSV: each bad row is put aside alone, and the next line is tried afresh."""

from __future__ import annotations

import csv
import re
from typing import Final

from studio.domain.datasets import RejectedRow
from studio.ingest.readers.batches import Batch, frame_of, rejection

MAX_RECORD_BYTES: Final = 1 << 20
_ESCAPED: Final = re.compile("[\udc80-\udcff]")
csv.field_size_limit(1 << 28)


class Recovery:
    """Reads records where quoting or field counts are doubtful.

    width: number of columns. indices: the columns to keep. ``row`` is the next record's number; 0 is the header.
    ``skipping`` is set while an over-long line is thrown away.
    """

    def __init__(self, delimiter: str, width: int, indices: list[int]) -> None:
        self.width = width
        self.row = 0
        self.skipping = False
        self._delimiter = delimiter
        self._indices = indices
        self._rejected: list[RejectedRow] = []

    def batch(self, data: bytes, roles: list[str], *, final: bool) -> tuple[Batch, bytes]:
        """The records of ``data`` and the unfinished rest, which belongs before the next piece."""
        records, rest = self.records(data, final=final)
        kept = [(row, record) for row, record in records if row > 0 and any(record)]
        cells = [[record[i] if i < len(record) else None for i in self._indices] for _row, record in kept]
        batch = Batch(frame_of([row for row, _record in kept], cells, roles), self._rejected)
        self._rejected = []
        return batch, rest

    def records(
        self, data: bytes, *, final: bool, limit: int | None = None
    ) -> tuple[list[tuple[int, list[str | None]]], bytes]:
        """(row number, cells) of each good record, empty cells as None; blank lines give an empty list."""
        lines = _lines(data)
        found: list[tuple[int, list[str | None]]] = []
        start = 0
        while start < len(lines) and (limit is None or len(found) < limit):
            if not final and not _is_whole(lines, start):
                return found, self._unfinished(b"".join(lines[start:]))
            if self.skipping:  # the tail of a line that was put aside already
                self.skipping = False
                start += 1
                continue
            used, cells, code = self._record(lines, start, final=final)
            if used == 0:
                return found, b"".join(lines[start:])
            if cells is None:
                self._rejected.append(rejection(self.row, code, lines[start]))
            else:
                found.append((self.row, cells))
            self.row += 1
            start += used
        return found, b""

    def _unfinished(self, rest: bytes) -> bytes:
        if len(rest) <= MAX_RECORD_BYTES * 16:
            return rest
        if not self.skipping:
            self._rejected.append(rejection(self.row, "line_too_long", rest[:1000]))
            self.row += 1
            self.skipping = True
        return b""

    def _record(
        self, lines: list[bytes], start: int, *, final: bool
    ) -> tuple[int, list[str | None] | None, str]:
        """(lines used, cells or None, code of what is wrong); 0 lines used: more text is needed to tell."""
        size = 0
        text = b""
        for index in range(start, len(lines)):
            text += lines[index]
            size += len(lines[index])
            if index > start and b'"' not in lines[index] and size <= MAX_RECORD_BYTES:
                continue  # cannot close the quote
            if not final and not _is_whole(lines, index):
                return 0, None, ""
            cells, code = self._parse(text)
            if code == "bad_quotes":
                return 1, None, code  # only this line: the next may be a good row
            if code != "open":
                return index - start + 1, cells, code
            if size > MAX_RECORD_BYTES:
                return 1, None, "bad_quotes"
        return (1, None, "bad_quotes") if final else (0, None, "")

    def _parse(self, record: bytes) -> tuple[list[str | None] | None, str]:
        """Cells, or what is wrong; ``open`` when a quote is not closed yet."""
        text = record.decode("utf-8", "surrogateescape")
        text = text[:-2] if text.endswith("\r\n") else text.rstrip("\n\r")
        try:
            cells = next(csv.reader([text], delimiter=self._delimiter, strict=True), [])
        except csv.Error as error:
            return None, _fault(str(error))
        if _ESCAPED.search(text):
            return None, "invalid_bytes"
        if len(cells) > self.width and any(cells[self.width :]):
            return None, "too_many_fields"
        return [cell or None for cell in cells[: self.width]], ""


def _lines(data: bytes) -> list[bytes]:
    """Lines with their ends: LF, CRLF, or a lone CR where the data has no LF at all."""
    if b"\n" in data or b"\r" not in data:
        parts = data.split(b"\n")
        return [part + b"\n" for part in parts[:-1]] + ([parts[-1]] if parts[-1] else [])
    return data.splitlines(keepends=True)


def _is_whole(lines: list[bytes], index: int) -> bool:
    """Whether this line has its end; a CR at the very end may still get its LF."""
    line = lines[index]
    return line.endswith(b"\n") or (line.endswith(b"\r") and index + 1 < len(lines))


def _fault(message: str) -> str:
    """The csv module's complaint as a rejection code, or ``open``."""
    if "end of data" in message:
        return "open"
    return "stray_return" if "new-line" in message else "bad_quotes"
