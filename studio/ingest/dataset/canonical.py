"""Writing rows.parquet from a stream of batches, and its index by split."""

from __future__ import annotations

import errno
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final

import polars as pl
from polars.io.plugins import register_io_source

from studio.domain.datasets import Split
from studio.ingest.prefetch import Prefetch

PolarsType = pl.DataType | type[pl.DataType]

ROWS_FILE: Final = "rows.parquet"
INDEX_FILE: Final = "index.json"
ROW_GROUP_ROWS: Final = 65_536


def write_rows(frames: Iterable[pl.DataFrame], columns: tuple[str, ...], path: Path) -> None:
    """Stream canonical frames (row, key, split and ``columns``) to Parquet in row groups of ROW_GROUP_ROWS.

    columns: the content columns, after ``origin`` if there is one.

    Raises whatever ``frames`` raises, and OSError when the file cannot be written.
    """
    schema = {"row": pl.Int64, "key": pl.UInt64, "split": pl.String, **dict.fromkeys(columns, pl.String)}
    write_frames(frames, schema, path)


def write_frames(frames: Iterable[pl.DataFrame], schema: Mapping[str, PolarsType], path: Path) -> None:
    """Stream frames of this schema to a Parquet file. Raises as ``write_rows`` does."""
    producer = Prefetch(frame for frame in frames if frame.height)
    scan = register_io_source(lambda *_pushdown: iter(producer), schema=dict(schema))
    try:
        scan.sink_parquet(
            path,
            compression="lz4",  # half again as large as zstd, and a third less work: an import is mostly this
            statistics=False,
            row_group_size=ROW_GROUP_ROWS,
            engine="streaming",
        )
    except (pl.exceptions.PolarsError, RuntimeError, OSError) as error:
        producer.raise_own()  # it was the reader that failed, or the user who cancelled
        raise _as_os_error(error) from error
    finally:
        producer.close()
    producer.raise_own()


def _as_os_error(error: Exception) -> OSError:
    """The sink's failure with its number: polars tells a full disk in words only."""
    if isinstance(error, OSError) and error.errno:
        return error
    full = any(words in str(error) for words in ("No space left", "quota exceeded", "File too large"))
    return OSError(errno.ENOSPC if full else errno.EIO, str(error))


def write_index(folder: Path, check: Callable[[], None] = lambda: None) -> dict[Split, int]:
    """Write what stands in each block of ROW_GROUP_ROWS rows; returns the rows of each split.

    For each block: the rows of each split, the smallest and largest row number, and whether the numbers run on
    without a gap; "last_row" of all. With it a page of one split and single rows by number are found without reading
    the others.
    """
    scan = pl.scan_parquet(folder / ROWS_FILE, glob=False).select("row", "split")
    rows = int(scan.select(pl.len()).collect().item())
    blocks = []
    for start in range(0, rows, ROW_GROUP_ROWS):
        check()
        blocks.append(_block(scan.slice(start, ROW_GROUP_ROWS).collect()))
    last = max((block["last"] for block in blocks), default=0)
    index = {"block_rows": ROW_GROUP_ROWS, "last_row": last, "blocks": blocks}
    (folder / INDEX_FILE).write_text(json.dumps(index))
    return {split: sum(block[split.value] for block in blocks) for split in Split}


def _block(frame: pl.DataFrame) -> dict[str, int]:
    counts = dict(frame["split"].value_counts().iter_rows())
    splits = {split.value: int(counts.get(split.value, 0)) for split in Split}
    ends = frame.select(first=pl.col("row").min(), last=pl.col("row").max()).row(0, named=True)
    first, last = int(ends["first"]), int(ends["last"])
    runs_on = last - first + 1 == frame.height and frame["row"].is_sorted()
    return {**splits, "first": first, "last": last, "runs_on": int(runs_on)}
