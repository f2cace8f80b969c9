"""JSON Lines, one object a line: by polars where every wanted value is proved to be text, else line by line."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from studio.domain.datasets import RejectedRow
from studio.domain.shapes import ColumnRole
from studio.ingest.clean_conversations import clean_cells
from studio.ingest.prefetch import mapped
from studio.ingest.readers.batches import ROW, Batch, frame_of, rejection

_PIECE_BYTES: Final = 256 << 10
_MAX_LINE_BYTES: Final = 16 << 20
_OPTIONAL: Final = (ColumnRole.SYSTEM.value, ColumnRole.CONTEXT.value)
_QUOTE: Final = ord('"')
Codes = NDArray[np.uint8]
Places = NDArray[np.intp]


class DuplicateKeyError(ValueError):
    """A JSON object names the same field twice; which one is meant cannot be known."""


class JsonlReader:
    """Reads JSON Lines from UTF-8 blocks; ``columns`` are the field names seen in the first lines, in order."""

    def __init__(self, blocks: Callable[[], Iterator[bytes]], head: bytes) -> None:
        self._blocks = blocks
        self._head_objects = list(_head_objects(head))
        self.columns = list(dict.fromkeys(name for item in self._head_objects for name in item))

    def head(self, limit: int) -> list[list[str]]:
        return [
            [as_text(item.get(name)) or "" for name in self.columns] for item in self._head_objects[:limit]
        ]

    def batches(self, wanted: Mapping[str, str]) -> Iterator[Batch]:
        run = _Run(wanted)
        for lines, whole in mapped(run.whole, self._lines()):
            yield from run.consume(lines, whole)

    def _lines(self) -> Iterator[_Lines]:
        rest, is_cut = b"", False
        for block in self._blocks():
            cut = block.rfind(b"\n") + 1
            if cut:
                yield _Lines(b"".join((rest, memoryview(block)[:cut])), is_cut)
                is_cut = False
            rest = block[cut:] if cut else rest + block
            if len(rest) > _MAX_LINE_BYTES:
                rest, is_cut = rest[:1000], True
        if rest:
            yield _Lines(rest, is_cut)


@dataclass(frozen=True)
class _Lines:
    """Whole lines. is_cut: the first is what was kept of one that is too long."""

    data: bytes
    is_cut: bool


@dataclass(frozen=True)
class _Whole:
    """What was made of a block of so many lines at once; rows are numbered from 0."""

    batch: Batch
    lines: int


class _Run:
    """One reading: numbers the lines, blank ones included."""

    def __init__(self, wanted: Mapping[str, str]) -> None:
        self._wanted = wanted
        self._roles = list(wanted)
        self._row = 1

    def consume(self, lines: _Lines, whole: _Whole | None) -> Iterator[Batch]:
        """The lines in the order of the file, with their numbers. whole: what ``whole`` made of them."""
        if whole is not None:
            yield self._placed(whole)
            return
        data, position = lines.data, 0
        if lines.is_cut:
            first, _newline, data = data.partition(b"\n")
            yield Batch(frame_of([], [], self._roles), [rejection(self._row, "line_too_long", first)])
            self._row += 1
        while position < len(data):
            end = data.find(b"\n", position + _PIECE_BYTES) + 1 or len(data)
            piece = data[position:end]
            whole = self.whole(_Lines(piece, is_cut=False))
            yield self._placed(whole) if whole else self._slow(piece)
            position = end

    def _placed(self, whole: _Whole) -> Batch:
        """Its numbers moved to where its lines stand in the file."""
        offset, self._row = self._row, self._row + whole.lines
        batch = whole.batch
        rejected = [item.model_copy(update={"row": item.row + offset}) for item in batch.rejected]
        return Batch(batch.frame.with_columns(pl.col(ROW) + offset), rejected, batch.plain)

    def whole(self, lines: _Lines) -> _Whole | None:
        """All of these lines at once, numbered from 0, or None where that cannot be trusted."""
        if lines.is_cut:
            return None
        if self._roles == [ColumnRole.MESSAGES.value]:
            return self._conversations(lines.data)
        if ColumnRole.MESSAGES.value in self._wanted:
            return None
        return self._texts(lines.data)

    def _conversations(self, data: bytes) -> _Whole | None:
        """Lines that hold nothing but a clean conversation, as they are; the others one by one."""
        try:
            lines = pl.scan_lines(data).collect().to_series()
        except (pl.exceptions.PolarsError, UnicodeDecodeError):
            return None
        if len(lines) != data.count(b"\n") + (not data.endswith(b"\n")):
            return None
        cells = clean_cells(lines, *self._wanted.values())
        found = pl.DataFrame({ROW: pl.int_range(len(lines), eager=True), "messages": cells})
        doubtful = found.with_columns(lines.alias("line")).filter(pl.col("messages").is_null())
        clean = found.filter(pl.col("messages").is_not_null())
        if doubtful.is_empty():
            return _Whole(Batch(clean), len(lines))
        read = self._read(zip(doubtful[ROW], (line.encode() for line in doubtful["line"]), strict=True))
        return _Whole(Batch(pl.concat([clean, read.frame]).sort(ROW), read.rejected), len(lines))

    def _texts(self, data: bytes) -> _Whole | None:
        """By polars; None unless each line is one object whose wanted fields are strings, each named once."""
        schema = dict.fromkeys(self._wanted.values(), pl.String)
        try:
            frame = pl.scan_ndjson(data, schema=schema).collect()
        except (pl.exceptions.PolarsError, UnicodeDecodeError):
            return None
        codes = np.frombuffer(data, np.uint8)
        lines = int(np.count_nonzero(codes == ord("\n"))) + (not data.endswith(b"\n"))
        if frame.height != lines or not self._all_text(codes, frame):
            return None
        plain = _is_plain(data, codes)
        if not plain and _has_nul(frame):
            return None
        numbers = pl.int_range(lines, dtype=pl.Int64).alias(ROW)
        renamed = (pl.col(name).alias(cell) for cell, name in self._wanted.items())
        return _Whole(Batch(frame.select(numbers, *renamed), plain=plain), lines)

    def _all_text(self, codes: Codes, frame: pl.DataFrame) -> bool:
        """Whether each wanted name occurs once for each value found, a string after it every time.

        polars turns numbers and objects into text of its own making (1.10 becomes 1.1), and takes the last of two
        fields of the same name; both would show here as a difference in number.
        """
        colons = np.flatnonzero(codes == ord(":"))
        colons = colons[codes[np.maximum(colons - 1, 0)] == _QUOTE]
        for role, name in self._wanted.items():
            found = frame.height - frame[name].null_count()
            if role not in _OPTIONAL and found < frame.height:
                return False
            named = _after_key(codes, colons, json.dumps(name, ensure_ascii=False).encode()[:-1])
            if len(named) != found or not _strings_follow(codes, named):
                return False
        return True

    def _slow(self, data: bytes) -> Batch:
        lines = data.removesuffix(b"\n").split(b"\n")
        first, self._row = self._row, self._row + len(lines)
        return self._read(enumerate(lines, start=first))

    def _read(self, numbered: Iterable[tuple[int, bytes]]) -> Batch:
        """Line by line."""
        rows: list[int] = []
        cells: list[list[str | None]] = []
        rejected: list[RejectedRow] = []
        for number, line in numbered:
            values, code = _fields(line, self._wanted)
            if code:
                rejected.append(rejection(number, code, line))
            elif values is not None:
                rows.append(number)
                cells.append(values)
        return Batch(frame_of(rows, cells, self._roles), rejected)


def _after_key(codes: Codes, colons: Places, key: bytes) -> Places:
    """Those of ``colons`` (each after a quote) whose field name is ``key`` (with its opening quote only).

    Compared eight bytes at a time; an occurrence in the last eight bytes of all is not found.
    """
    words = np.ndarray((max(0, len(codes) - 7),), np.uint64, buffer=codes.data, strides=(1,))
    starts = colons - 1 - len(key)
    starts = starts[(starts >= 0) & (starts < len(words))]
    for offset in {*range(0, len(key) - 7, 8), max(0, len(key) - 8)}:
        part = key[offset : offset + 8]
        found = words[np.minimum(starts + offset, len(words) - 1)] & np.uint64((1 << 8 * len(part)) - 1)
        starts = starts[found == np.uint64(int.from_bytes(part, sys.byteorder))]
    return starts + len(key) + 1


def _strings_follow(codes: Codes, colons: Places) -> bool:
    """Whether a string begins right after each colon, or after one space."""
    last = len(codes) - 1
    first, second = codes[np.minimum(colons + 1, last)], codes[np.minimum(colons + 2, last)]
    return bool(((first == _QUOTE) | ((first == ord(" ")) & (second == _QUOTE))).all())


def _is_plain(data: bytes, codes: Codes) -> bool:
    """Whether neither a NUL nor a carriage return is in it, nor an escape that could stand for one."""
    if b"\0" in data or b"\r" in data:
        return False
    escaped = codes[np.minimum(np.flatnonzero(codes == ord("\\")) + 1, len(codes) - 1)]
    return not ((escaped == ord("u")) | (escaped == ord("r"))).any()


def _has_nul(frame: pl.DataFrame) -> bool:
    """Whether a NUL stands in a cell: polars silently makes one of half a surrogate pair (``\\ud800``)."""
    found = frame.select(pl.all().str.contains("\0", literal=True).any())
    return any(found.row(0))


def parse_object(text: str) -> tuple[dict[str, Any] | None, str]:
    """The object in this text with numbers as written; or the code of what is wrong."""
    try:
        value = decoder().decode(text)
    except DuplicateKeyError:
        return None, "duplicate_keys"
    except (ValueError, RecursionError):
        return None, "broken_json"
    return (value, "") if isinstance(value, dict) else (None, "not_an_object")


def decoder() -> json.JSONDecoder:
    """Numbers stay text, so that long integers, NaN and 1.0 come through unchanged; doubled names are refused."""
    return json.JSONDecoder(parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_unique)


def as_text(value: Any) -> str | None:
    """A JSON value as a cell: strings as they are, null as missing, anything nested as JSON."""
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False)


def object_fields(item: Any, wanted: Mapping[str, str]) -> tuple[list[str | None] | None, str]:
    """The wanted fields of a parsed object as text cells, or the code of what is wrong."""
    if not isinstance(item, dict):
        return None, "not_an_object"
    cells = [as_text(item.get(name)) for name in wanted.values()]
    try:
        "".join(cell for cell in cells if cell).encode("utf-8")
    except UnicodeEncodeError:  # half of a surrogate pair
        return None, "invalid_bytes"
    return cells, ""


def _fields(line: bytes, wanted: Mapping[str, str]) -> tuple[list[str | None] | None, str]:
    if not line.strip():
        return None, ""
    try:
        text = line.decode("utf-8")
    except UnicodeDecodeError:
        return None, "invalid_bytes"
    item, code = parse_object(text)
    return (None, code) if code else object_fields(item, wanted)


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise DuplicateKeyError
    return found


def _head_objects(head: bytes) -> Iterator[dict[str, Any]]:
    for line in head.split(b"\n")[:200]:
        item, _code = parse_object(line.decode("utf-8", "replace"))
        if item is not None:
            yield item
