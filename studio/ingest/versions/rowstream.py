"""The rows of a dataset folder as the frames that steps take, and what is counted on the way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from studio.domain.shapes import SHAPES, Shape
from studio.ingest import errors
from studio.ingest.dataset.canonical import ROWS_FILE
from studio.ingest.dataset.splits import key_expr

STEP_ROWS: Final = 10_000


def column_names(dataset_dir: Path) -> list[str]:
    """The columns of rows.parquet. Raises StudioError import.broken when the folder is damaged."""
    try:
        return pl.scan_parquet(dataset_dir / ROWS_FILE, glob=False).collect_schema().names()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise errors.broken(str(dataset_dir), ROWS_FILE) from error


def frames_of(
    dataset_dir: Path, shape: Shape, check: Callable[[], None], content: Sequence[str] | None = None
) -> Iterator[pl.DataFrame]:
    """All rows in order, in frames of STEP_ROWS rows at most: row, key, split, origin and the content columns.

    content: only these of them, which reads faster.
    Raises StudioError import.broken when the folder is damaged, and whatever ``check`` raises.
    """
    has_origin = "origin" in column_names(dataset_dir)
    names = SHAPES[shape].stored if content is None else content
    try:
        scan = pl.scan_parquet(dataset_dir / ROWS_FILE, glob=False)
        origin = pl.col("origin") if has_origin else pl.lit(None, pl.String).alias("origin")
        rows = scan.select("row", "key", "split", origin, *names)
        for batch in rows.collect_batches(chunk_size=STEP_ROWS, maintain_order=True):
            for frame in batch.iter_slices(STEP_ROWS):
                check()
                yield frame
    except (pl.exceptions.PolarsError, OSError) as error:
        raise errors.broken(str(dataset_dir), ROWS_FILE) from error


def keyed(frames: Iterator[pl.DataFrame], shape: Shape, check: Callable[[], None]) -> Iterator[pl.DataFrame]:
    """The frames in the order of columns of ``frames_of``, with the content hash computed anew; empty ones left out."""
    content = SHAPES[shape].stored
    for frame in frames:
        check()
        if frame.height:
            yield frame.with_columns(key_expr(frame, content)).select(
                "row", "key", "split", "origin", *content
            )


class Counted:
    """Frames on their way, counted."""

    def __init__(self, frames: Iterator[pl.DataFrame]) -> None:
        self.rows = 0
        self._frames = frames

    def __iter__(self) -> Iterator[pl.DataFrame]:
        for frame in self._frames:
            self.rows += frame.height
            yield frame
