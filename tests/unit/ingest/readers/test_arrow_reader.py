"""Arrow files and streams: same rows either way, nested values as JSON, bounded batches."""

from __future__ import annotations

from pathlib import Path

import polars as pl
import pytest

from studio.ingest.readers.arrow_reader import ArrowReader
from tests.unit.ingest.readers.helpers import opened, rows

FRAME = pl.DataFrame(
    {
        "prompt": ["00123", None, "你好"],
        "kind": pl.Series(["x", "y", "x"], dtype=pl.Categorical),
        "list": [[1, 2], None, []],
        "number": [0.1, 2.0, None],
    }
)
ROWS = [(1, "00123", "x", "[1,2]", "0.1"), (2, None, "y", None, "2.0"), (3, "你好", "x", "[]", None)]


@pytest.mark.parametrize("form", ["file", "packed", "stream"])
def test_rows_of_all_forms(form: str, tmp_path: Path) -> None:
    path = tmp_path / "data.arrow"
    if form == "stream":
        FRAME.write_ipc_stream(path)
    else:
        FRAME.write_ipc(path, compression="zstd" if form == "packed" else "uncompressed")
    reader = opened(path)
    assert reader.columns == ["prompt", "kind", "list", "number"]
    assert rows(reader) == ROWS
    assert reader.head(2)[1] == ["", "y", "", "2.0"]


@pytest.mark.parametrize("stream", [False, True])
def test_row_numbers_go_on_over_batches(stream: bool, tmp_path: Path) -> None:
    path = tmp_path / "data.arrow"
    frame = pl.DataFrame({"n": [str(n) for n in range(120_000)]})
    frame.write_ipc_stream(path) if stream else frame.write_ipc(path)
    batches = [batch.frame for batch in ArrowReader(path).batches({"n": "n"})]
    whole = pl.concat(batches)
    assert whole["row"].to_list() == list(range(1, 120_001))
    assert whole["n"].to_list() == frame["n"].to_list()


def test_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "none.arrow"
    FRAME.clear().write_ipc_stream(path)
    assert opened(path).columns == FRAME.columns
    assert rows(opened(path)) == []
