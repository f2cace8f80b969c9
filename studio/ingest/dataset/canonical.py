"""Writing rows.parquet and its index from a stream of batches."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Literal, cast

import polars as pl
from polars.io.plugins import register_io_source

from studio.domain.datasets import Split
from studio.ingest.dataset.hashed_output import HashedOutput
from studio.ingest.dataset.row_index import RowIndex
from studio.ingest.prefetch import Prefetch

PolarsType = pl.DataType | type[pl.DataType]

ROWS_FILE: Final = "rows.parquet"
INDEX_FILE: Final = "index.json"
ROW_GROUP_ROWS: Final = 65_536


@dataclass(frozen=True)
class WrittenRows:
    """The SHA-256 of rows.parquet in hex, and how many rows each split has."""

    sha256: str
    splits: dict[Split, int]


def write_rows(frames: Iterable[pl.DataFrame], columns: tuple[str, ...], folder: Path) -> WrittenRows:
    """Stream canonical frames (row, key, split and ``columns``) to Parquet, with the index of its row groups.

    columns: the content columns, after ``origin`` if there is one. Not compressed: that would be a third of an
    import's work, and every page that is looked at would pay for it again.

    Raises whatever ``frames`` raises, and OSError when the files cannot be written.
    """
    schema = {"row": pl.Int64, "key": pl.UInt64, "split": pl.String, **dict.fromkeys(columns, pl.String)}
    index = RowIndex(ROW_GROUP_ROWS)
    digest = write_frames(index.noting(frames), schema, folder / ROWS_FILE, compression="uncompressed")
    index.write(folder / INDEX_FILE)
    return WrittenRows(digest, index.splits)


def write_frames(
    frames: Iterable[pl.DataFrame],
    schema: Mapping[str, PolarsType],
    path: Path,
    compression: Literal["uncompressed", "zstd"] = "zstd",
) -> str:
    """Stream frames of this schema to a Parquet file; its SHA-256. Raises as ``write_rows`` does."""
    producer = Prefetch(frame for frame in frames if frame.height)
    scan = register_io_source(lambda *_pushdown: iter(producer), schema=dict(schema))
    with HashedOutput(path) as output:
        try:
            scan.sink_parquet(
                cast(IO[bytes], output),
                compression=compression,
                statistics=False,
                row_group_size=ROW_GROUP_ROWS,
                engine="streaming",
            )
        except (pl.exceptions.PolarsError, RuntimeError, OSError) as error:
            producer.raise_own()  # it was the reader that failed, or the user who cancelled
            raise output.error or _as_os_error(error) from error
        finally:
            producer.close()
    producer.raise_own()
    return output.sha256


def _as_os_error(error: Exception) -> OSError:
    """The sink's failure with its number: polars tells a full disk in words only."""
    if isinstance(error, OSError) and error.errno:
        return error
    full = any(words in str(error) for words in ("No space left", "quota exceeded", "File too large"))
    return OSError(errno.ENOSPC if full else errno.EIO, str(error))
