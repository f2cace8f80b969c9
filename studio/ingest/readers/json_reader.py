"""A JSON file: an array of objects, or an object whose ``data`` is one; read whole, row by row."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from studio.domain.datasets import RejectedRow
from studio.ingest import errors
from studio.ingest.readers.batches import Batch, frame_of, rejection
from studio.ingest.readers.jsonl_reader import DuplicateKeyError, as_text, decoder, object_fields

MAX_BYTES: Final = 256 << 20
_BATCH: Final = 20_000
_GAP: Final = re.compile(r"[\s,]*")
_DATA_KEY: Final = re.compile(r'^\s*\{.*?"(?:data|rows|examples)"\s*:\s*\[', re.DOTALL)


class JsonReader:
    """Rows of the array in ``text``. Raises StudioError import.broken when there is no array of objects."""

    def __init__(self, path: str, text: str) -> None:
        self._text = text
        found = _DATA_KEY.match(text)
        self._start = found.end() if found else text.find("[") + 1
        if not found and text.lstrip()[:1] != "[":
            raise errors.broken(path, "no array")
        first = [item for _row, item, _code, _raw in self._items(200) if isinstance(item, dict)]
        self._head = first
        self.columns = list(dict.fromkeys(name for item in first for name in item))

    def head(self, limit: int) -> list[list[str]]:
        return [[as_text(item.get(name)) or "" for name in self.columns] for item in self._head[:limit]]

    def batches(self, wanted: Mapping[str, str]) -> Iterator[Batch]:
        rows: list[int] = []
        cells: list[list[str | None]] = []
        rejected: list[RejectedRow] = []
        roles = list(wanted)
        for row, item, code, raw in self._items():
            values, fault = (None, code) if code else object_fields(item, wanted)
            if values is None:
                rejected.append(rejection(row, fault, raw))
            else:
                rows.append(row)
                cells.append(values)
            if len(rows) + len(rejected) >= _BATCH:
                yield Batch(frame_of(rows, cells, roles), rejected)
                rows, cells, rejected = [], [], []
        yield Batch(frame_of(rows, cells, roles), rejected)

    def _items(self, limit: int | None = None) -> Iterator[tuple[int, Any, str, str]]:
        """(row, value, code, raw text) of each element; a broken one costs itself, up to the next object's start."""
        position, row, parser = self._start, 0, decoder()
        while limit is None or row < limit:
            position = _GAP.match(self._text, position).end()  # type: ignore[union-attr]
            if position >= len(self._text) or self._text[position] == "]":
                return
            row += 1
            try:
                item, end = parser.raw_decode(self._text, position)
                yield row, item, "", self._text[position : min(end, position + 300)]
                position = end
            except (ValueError, RecursionError) as error:
                code = "duplicate_keys" if isinstance(error, DuplicateKeyError) else "broken_json"
                yield row, None, code, self._text[position : position + 300]
                position = self._next_object(position, skip=isinstance(error, RecursionError))

    def _next_object(self, position: int, *, skip: bool) -> int:
        """Where reading can go on: the next ``{`` after a comma at a line start or after ``}``; else the end."""
        found = None if skip else re.compile(r"\}\s*,\s*(?=\{)").search(self._text, position)
        return found.end() if found else len(self._text)
