"""CSV and its relatives, fast where the file is clean and careful where it is not.

A block is handed to polars only after its quoting was proved well-formed; anything doubtful is read record by
record (csv_recovery), in small pieces, so that one bad row does not slow down a gigabyte.
"""

from __future__ import annotations

import csv
import io
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from studio.ingest.readers.batches import ROW, Batch
from studio.ingest.readers.csv_recovery import Recovery

_PIECE_BYTES: Final = 256 << 10
_AHEAD: Final = 2  # blocks
_QUOTE: Final = b'"'
Places = NDArray[np.intp]


class CsvReader:
    """Reads delimited text from UTF-8 blocks.

    blocks: called for each reading from the start. columns: as many as the file has, in order, unique.
    first_row: the number of the first record: 1 without a header, 0 for a header, less for blank lines before it.
    """

    def __init__(
        self,
        blocks: Callable[[], Iterator[bytes]],
        head: bytes,
        *,
        columns: list[str],
        delimiter: str,
        first_row: int,
    ) -> None:
        self.columns = columns
        self._blocks = blocks
        self._head = head
        self._delimiter = delimiter
        self._first_row = first_row

    def head(self, limit: int) -> list[list[str]]:
        recovery = self._recovery(range(len(self.columns)))
        recovery.row = self._first_row
        records, _rest = recovery.records(self._head, final=True, limit=limit + 2 - self._first_row)
        cells = [[cell or "" for cell in record] for row, record in records if row > 0 and any(record)]
        return [record + [""] * (len(self.columns) - len(record)) for record in cells[:limit]]

    def batches(self, wanted: Mapping[str, str]) -> Iterator[Batch]:
        indices = [self.columns.index(name) for name in wanted.values()]
        roles = list(wanted)
        recovery = self._recovery(indices)
        recovery.row = self._first_row
        yield from _Run(recovery, self._delimiter, indices, roles).batches(self._blocks())

    def _recovery(self, indices: range | list[int]) -> Recovery:
        return Recovery(self._delimiter, len(self.columns), list(indices))


@dataclass(frozen=True)
class _Parsed:
    """All columns of whole records. plain: as Batch.plain."""

    records: pl.DataFrame
    plain: bool


@dataclass(frozen=True)
class _Cut:
    """A block behind what was left before it. rest: what will be left of it. parsed: None when nobody should try."""

    before: bytes
    block: bytes
    rest: bytes
    parsed: Future[_Parsed | None] | None


class _Run:
    """One reading of the file; ``recovery.row`` is the number of the next record (the header has number 0)."""

    def __init__(self, recovery: Recovery, delimiter: str, indices: list[int], roles: list[str]) -> None:
        self._recovery = recovery
        self._delimiter = delimiter
        self._indices = indices
        self._roles = roles
        names = io.StringIO()
        csv.writer(names, delimiter=delimiter).writerow(f"c{index}" for index in range(recovery.width))
        self._header = names.getvalue().strip().encode() + b"\n"

    def batches(self, blocks: Iterator[bytes]) -> Iterator[Batch]:
        """Blocks ahead are parsed in threads, as if nothing were wrong with those before them."""
        rest = b""
        waiting: deque[_Cut] = deque()
        with ThreadPoolExecutor(_AHEAD, thread_name_prefix="csv") as pool:
            for block in blocks:
                waiting.append(self._cut(waiting[-1].rest if waiting else rest, block, pool))
                if len(waiting) > _AHEAD:
                    rest = yield from self._next(waiting, pool)
            while waiting:
                rest = yield from self._next(waiting, pool)
        if rest:
            yield from self._doubtful(rest, final=True)

    def _next(self, waiting: deque[_Cut], pool: ThreadPoolExecutor) -> Generator[Batch, None, bytes]:
        """The first of the blocks; what is left of it is returned, and the others begin with that."""
        first = waiting.popleft()
        parsed = first.parsed.result() if first.parsed else None
        if parsed is not None and not self._recovery.skipping:
            yield self._numbered(parsed)
            return first.rest
        rest = yield from self._doubtful(first.before + first.block, final=False)
        if rest != first.rest:
            later = [cut.block for cut in waiting]
            waiting.clear()
            for block in later:
                waiting.append(self._cut(waiting[-1].rest if waiting else rest, block, pool))
        return rest

    def _cut(self, rest: bytes, block: bytes, pool: ThreadPoolExecutor) -> _Cut:
        """The whole records of ``rest`` and ``block``, copied once, on their way to be parsed."""
        places = quote_places(block)
        cut = record_cut(block, places, opened=rest.count(_QUOTE) % 2)
        if not cut or len(rest) >= len(block):
            return _Cut(rest, block, b"", None)
        piece = b"".join((self._header, rest, memoryview(block)[:cut]))
        inside = places[: np.searchsorted(places, cut)] + (len(self._header) + len(rest))
        before = quote_places(rest) + len(self._header)
        places = np.concatenate((before, inside)) if len(before) else inside
        return _Cut(rest, block, block[cut:], pool.submit(self._parse, piece, places))

    def _doubtful(self, data: bytes, *, final: bool) -> Generator[Batch, None, bytes]:
        """In small pieces: most of them will be clean."""
        position, rest = 0, b""
        while position < len(data):
            end = data.find(b"\n", position + _PIECE_BYTES) + 1 or len(data)
            last = final and end == len(data)
            rest = yield from self._piece(rest + data[position:end], final=last)
            position = end
        return rest

    def _piece(self, piece: bytes, *, final: bool) -> Generator[Batch, None, bytes]:
        if (piece.endswith(b"\n") or final) and not self._recovery.skipping:
            headed = self._header + piece
            parsed = self._parse(headed, quote_places(headed))
            if parsed is not None:
                yield self._numbered(parsed)
                return b""
        batch, rest = self._recovery.batch(piece, self._roles, final=final)
        yield batch
        return rest

    def _parse(self, headed: bytes, places: Places) -> _Parsed | None:
        """Records under the header by polars, or None when they are not beyond doubt or polars refuses them.

        All columns are read, though few are wanted: polars counts the fields of a row only then.
        """
        if not is_well_formed(headed, places, self._delimiter):
            return None
        try:
            records = pl.read_csv(headed, separator=self._delimiter, infer_schema=False)
        except (pl.exceptions.PolarsError, UnicodeDecodeError):
            return None
        return _Parsed(records, plain=b"\0" not in headed and b"\r" not in headed)

    def _numbered(self, parsed: _Parsed) -> Batch:
        """The wanted columns of the next records; blank ones are numbered and left out."""
        records = parsed.records
        first = self._recovery.row
        self._recovery.row += records.height
        names = zip(self._indices, self._roles, strict=True)
        numbers = pl.int_range(first, first + records.height, dtype=pl.Int64).alias(ROW)
        frame = records.select(numbers, *(pl.col(f"c{index}").alias(role) for index, role in names))
        if all(records[name].null_count() for name in records.columns):
            frame = frame.filter(~records.select(blank=pl.all_horizontal(pl.all().is_null()))["blank"])
        return Batch(frame if first > 0 else frame.filter(pl.col(ROW) > 0), plain=parsed.plain)


def quote_places(data: bytes) -> Places:
    """Where the quotation marks are. NumPy finds them ten times faster than bytes.count only counts them."""
    return np.flatnonzero(np.frombuffer(data, np.uint8) == _QUOTE[0])


def record_cut(data: bytes, places: Places, opened: int = 0) -> int:
    """Where the last whole record ends: after the last newline outside quotes; 0 when there is none.

    opened: 1 when a quote is open where the data begins.
    """
    cut = data.rfind(b"\n") + 1
    while cut and (np.searchsorted(places, cut) + opened) % 2:
        cut = data.rfind(b"\n", 0, cut - 1) + 1
    return cut


def is_well_formed(block: bytes, places: Places, delimiter: str) -> bool:
    """Whether every quote opens right at the start of a field and closes right at its end (RFC 4180).

    Seen as a row of switches, each opening quote must follow a delimiter, a line end or a closing quote (""
    inside a field), and each closing quote must precede one; then no record can have swallowed its neighbours
    unseen. A carriage return without a line feed is doubtful as well.
    """
    if len(places) % 2 or (b"\r" in block and not _returns_are_ends(block)):
        return False
    if not len(places):
        return True
    data = np.frombuffer(block, np.uint8)
    before = data[np.maximum(places[0::2] - 1, 0)]
    after = data[np.minimum(places[1::2] + 1, len(data) - 1)]
    mark, quote = ord(delimiter), _QUOTE[0]
    opens = (before == mark) | (before == 10) | (before == quote) | (places[0::2] == 0)
    closes = (
        (after == mark) | (after == 10) | (after == 13) | (after == quote) | (places[1::2] == len(data) - 1)
    )
    return bool(opens.all() and closes.all())


def _returns_are_ends(block: bytes) -> bool:
    data = np.frombuffer(block, np.uint8)
    returns = np.flatnonzero(data == 13)
    return bool((data[np.minimum(returns + 1, len(data) - 1)] == 10).all())
