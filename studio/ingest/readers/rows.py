"""The part that readers of whole documents share: their rows come one by one and leave in tables of a bounded size."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple

import polars as pl

from studio.domain.datasets import RejectedRow
from studio.ingest.readers.batches import EXCERPT_CHARS, Batch, frame_of, rejection

_BATCH_ROWS: Final = 20_000
_BATCH_CHARS: Final = 16 << 20


class SourceRow(NamedTuple):
    """One row: its number, its cells in the order of the columns, and the code it is put aside with, if any."""

    number: int
    cells: Sequence[str | None]
    fault: str = ""


class RowReader:
    """A Reader over ``rows``, which is called for each reading from the start.

    Cells with lone surrogates, as decoding leaves them in the place of bad bytes, put their row aside.
    """

    def __init__(self, columns: list[str], rows: Callable[[], Iterator[SourceRow]]) -> None:
        self.columns = columns
        self._rows = rows

    def head(self, limit: int) -> list[list[str]]:
        good = (row.cells for row in self._rows() if not row.fault)
        return [[_shown(cell) for cell in cells] for cells in islice(good, limit)]

    def batches(self, wanted: Mapping[str, str]) -> Iterator[Batch]:
        indices = [self.columns.index(name) for name in wanted.values()]
        names = list(wanted)
        kept: list[SourceRow] = []
        rejected: list[RejectedRow] = []
        chars = 0
        for row in self._rows():
            if row.fault:
                rejected.append(_put_aside(row, row.fault))
            else:
                kept.append(SourceRow(row.number, [row.cells[index] for index in indices]))
                chars += sum(len(cell) for cell in kept[-1].cells if cell)
            if chars > _BATCH_CHARS or len(kept) + len(rejected) >= _BATCH_ROWS:
                yield _batch(kept, rejected, names)
                kept, rejected, chars = [], [], 0
        yield _batch(kept, rejected, names)


def _batch(rows: list[SourceRow], rejected: list[RejectedRow], names: list[str]) -> Batch:
    try:
        return Batch(_frame(rows, names), rejected)
    except UnicodeEncodeError:
        bad = [row for row in rows if not all(map(_is_text, row.cells))]
        numbers = {row.number for row in bad}
        rejected = [*rejected, *(_put_aside(row, "invalid_bytes") for row in bad)]
        good = [row for row in rows if row.number not in numbers]
        return Batch(_frame(good, names), sorted(rejected, key=lambda item: item.row))


def _frame(rows: list[SourceRow], names: list[str]) -> pl.DataFrame:
    return frame_of([row.number for row in rows], [row.cells for row in rows], names)


def _put_aside(row: SourceRow, code: str) -> RejectedRow:
    return rejection(row.number, code, " | ".join((cell or "")[:EXCERPT_CHARS] for cell in row.cells))


def _is_text(cell: str | None) -> bool:
    try:
        return cell is None or bool(cell.encode()) or True
    except UnicodeEncodeError:
        return False


def _shown(cell: str | None) -> str:
    return (cell or "").encode("utf-8", "replace").decode()
