"""rows.parquet, its hash and its index, as they are written."""

from __future__ import annotations

import errno
import hashlib
import json
import sys
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.domain.datasets import Split
from studio.ingest.dataset.canonical import INDEX_FILE, ROWS_FILE, write_rows
from studio.ingest.dataset.row_index import RowIndex

_SPLITS = [split.value for split in Split]


def frame(rows: list[int], text: str = "t") -> pl.DataFrame:
    return pl.DataFrame(
        {"row": rows, "key": rows, "split": [_SPLITS[row % 3] for row in rows], "text": [text] * len(rows)},
        schema={"row": pl.Int64, "key": pl.UInt64, "split": pl.String, "text": pl.String},
    )


def test_the_hash_is_that_of_the_file(tmp_path: Path) -> None:
    # Large enough to be flushed on the way.
    frames = [frame(list(range(start, start + 20_000)), "x" * 900) for start in range(0, 60_000, 20_000)]
    written = write_rows(frames, ("text",), tmp_path)
    assert written.sha256 == hashlib.sha256((tmp_path / ROWS_FILE).read_bytes()).hexdigest()
    assert written.splits == dict.fromkeys(Split, 20000)
    assert pl.read_parquet(tmp_path / ROWS_FILE).equals(pl.concat(frames))


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="/dev/full")
def test_a_full_disk_keeps_its_number(tmp_path: Path) -> None:
    (tmp_path / ROWS_FILE).symlink_to("/dev/full")
    with pytest.raises(OSError, match="No space") as caught:
        write_rows([frame([1, 2, 3])], ("text",), tmp_path)
    assert caught.value.errno == errno.ENOSPC


@settings(deadline=None)
@given(
    st.lists(st.lists(st.integers(1, 40), min_size=1, max_size=9, unique=True).map(sorted), max_size=6),
    st.integers(1, 7),
)
def test_the_index_is_that_of_all_rows_at_once(parts: list[list[int]], block: int) -> None:
    index = RowIndex(block)
    for _frame in index.noting([frame(part) for part in parts]):
        pass
    rows = [row for part in parts for row in part]
    assert index.splits == {split: sum(_SPLITS[row % 3] == split.value for row in rows) for split in Split}


def test_blocks(tmp_path: Path) -> None:
    index = RowIndex(4)
    for _frame in index.noting([frame([1, 2, 3]), frame([4, 5, 9])]):
        pass
    index.write(tmp_path / INDEX_FILE)
    found = json.loads((tmp_path / INDEX_FILE).read_text())
    assert (found["block_rows"], found["last_row"]) == (4, 9)
    ends = [(block["first"], block["last"], block["runs_on"]) for block in found["blocks"]]
    assert ends == [(1, 4, 1), (5, 9, 0)]
