"""One dataset as the doctor reads it: rows in portions that are small in memory, as often as a check asks."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import polars as pl

from studio.domain.shapes import Shape, content_columns
from studio.ingest import errors
from studio.ingest.dataset.canonical import ROWS_FILE
from studio.protocol.events import Event, Progress

PORTION_ROWS: Final = 4096
PORTION_BYTES: Final = 4 << 20
PIECE_S: Final = 0.1
FIRST_ROWS: Final = 16
_PROGRESS_EVERY_S: Final = 0.25


@dataclass
class DatasetView:
    """The rows in ``dataset_dir``. check: called between portions; raises to cancel. emit: told of progress."""

    dataset_dir: Path
    shape: Shape
    rejected_path: Path
    check: Callable[[], None] = lambda: None
    emit: Callable[[Event], None] = lambda _event: None
    _told_at: float = field(default=0.0, init=False)

    def __post_init__(self) -> None:
        try:
            self._scan = pl.scan_parquet(self.dataset_dir / ROWS_FILE, glob=False)
            self.columns = self._scan.collect_schema().names()
            self.rows = int(self._scan.select(pl.len()).collect().item())
        except (pl.exceptions.PolarsError, OSError) as error:
            raise errors.broken(str(self.dataset_dir), ROWS_FILE) from error
        self.content = content_columns(self.columns)

    def table(self, *expressions: str | pl.Expr) -> pl.DataFrame:
        """Small columns of all rows at once. Raises StudioError import.broken."""
        self.check()
        try:
            return self._scan.select(*expressions).collect(engine="streaming")
        except (pl.exceptions.PolarsError, OSError) as error:
            raise errors.broken(str(self.dataset_dir), ROWS_FILE) from error

    def portions(self, columns: Sequence[str], phase: str) -> Iterator[pl.DataFrame]:
        """All rows in order, in portions of a bounded size; progress is told as ``phase``, in rows."""
        began, done = time.monotonic(), 0
        try:
            chosen = self._scan.select(*columns)
            for frame in chosen.collect_batches(chunk_size=4 * PORTION_ROWS, maintain_order=True):
                for portion in portions(frame):
                    self.check()
                    yield portion
                    done += portion.height
                    self.tell(phase, done, began)
        except (pl.exceptions.PolarsError, OSError) as error:
            raise errors.broken(str(self.dataset_dir), ROWS_FILE) from error

    def tell(self, phase: str, done: int, began: float, total: int | None = None) -> None:
        """Progress in rows, four times a second at most; began: of time.monotonic()."""
        now, total = time.monotonic(), self.rows if total is None else total
        if now - self._told_at < _PROGRESS_EVERY_S:
            return
        self._told_at = now
        rate = done / (now - began) if now > began else None
        eta = (total - done) / rate if rate else None
        self.emit(Progress(phase=phase, done=done, total=total, unit="rows", rate=rate, eta_s=eta))

    def chosen(self, rows: Sequence[int]) -> pl.DataFrame:
        """Single rows by their numbers, in the dataset's order."""
        wanted = pl.Series("row", list(rows), dtype=pl.Int64)
        try:
            return self._scan.filter(pl.col("row").is_in(wanted.implode())).collect(engine="streaming")
        except (pl.exceptions.PolarsError, OSError) as error:
            raise errors.broken(str(self.dataset_dir), ROWS_FILE) from error


class Pace:
    """Parts frames for one check into pieces that take about ``PIECE_S`` each, as the last ones did.

    A portion is long for a slow check on a slow machine, and the doctor is dropped between two pieces.
    """

    def __init__(self) -> None:
        self._rows = FIRST_ROWS

    def pieces(self, frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
        """The frame in order; what its user does with a piece is what is timed."""
        at = 0
        while at < frame.height:
            began = time.monotonic()
            piece = frame.slice(at, self._rows)
            yield piece
            at += piece.height
            took = time.monotonic() - began
            if took > PIECE_S:
                self._rows = max(1, int(piece.height * PIECE_S / took))
            elif took < PIECE_S / 4:
                self._rows = min(PORTION_ROWS, self._rows * 2)


def portions(frame: pl.DataFrame) -> Iterator[pl.DataFrame]:
    """The frame in pieces that one check can look at in a fraction of a second."""
    if not frame.height:
        return
    share = max(1.0, frame.estimated_size() / PORTION_BYTES, frame.height / PORTION_ROWS)
    rows = max(1, int(frame.height / share))
    yield from frame.iter_slices(rows)
