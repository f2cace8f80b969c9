"""Parquet: nested values as JSON, one column for two purposes, an empty file."""

from __future__ import annotations

from pathlib import Path

import polars as pl

from tests.unit.ingest.readers.helpers import opened, rows


def test_nested_values_and_one_column_twice(tmp_path: Path) -> None:
    path = tmp_path / "renamed.csv"
    pl.DataFrame({"a": ["x", None], "s": [{"k": 1}, None], "b": [b"t", b"\xff"]}).write_parquet(path)
    reader = opened(path)
    assert rows(reader) == [(1, "x", '{"k":1}', "t"), (2, None, None, "X'FF'")]
    [batch] = reader.batches({"text": "a", "label": "a"})
    assert batch.frame.rows() == [(1, "x", "x"), (2, None, None)]


def test_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "none.parquet"
    pl.DataFrame({"a": []}, schema={"a": pl.String}).write_parquet(path)
    assert (opened(path).head(5), rows(opened(path))) == ([], [])
