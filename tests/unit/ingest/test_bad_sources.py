"""Every bad source is refused clearly, or its good rows are kept unchanged and the bad ones named by number."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.errors import StudioError
from tests.faults.bad_csv import CSV_SOURCES, random_bytes
from tests.faults.bad_json import JSON_SOURCES, type_change
from tests.faults.bad_sources import BadSource, merged_workbook, truncated_parquet
from tests.unit.ingest.helpers import pairs, rejected, run_import


@pytest.mark.parametrize(
    "bad",
    [*CSV_SOURCES, *map(random_bytes, range(3)), *JSON_SOURCES, type_change()],
    ids=lambda bad: bad.name,
)
def test_bad_source(bad: BadSource, tmp_path: Path) -> None:
    source, out = bad.write(tmp_path), tmp_path / "out"
    if bad.error:
        with pytest.raises(StudioError) as caught:
            run_import(source, out)
        assert caught.value.code == bad.error
        assert not out.exists()
        assert list(tmp_path.iterdir()) == [source]
        return
    version = run_import(source, out)
    assert pairs(out) == list(bad.kept)
    assert [(item.row, item.code) for item in rejected(out, 0, 100)] == list(bad.rejected)
    assert (version.rows, version.rejected) == (len(bad.kept), len(bad.rejected))


def test_workbook(tmp_path: Path) -> None:
    run_import(merged_workbook(tmp_path), tmp_path / "out")
    assert pairs(tmp_path / "out") == [("你好", "您好"), ("00123", "42"), ("merged", "over two")]
    assert [(item.row, item.code) for item in rejected(tmp_path / "out", 0, 9)] == []


def test_truncated_parquet_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudioError) as caught:
        run_import(truncated_parquet(tmp_path), tmp_path / "out")
    assert caught.value.code == "import.broken"


def test_a_vanished_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StudioError) as caught:
        run_import(tmp_path / "gone.csv", tmp_path / "out")
    assert caught.value.code == "import.unreadable"


def test_unknown_column_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_text("question,answer\na,b\n")
    with pytest.raises(StudioError) as caught:
        run_import(source, tmp_path / "out", roles={"question": "prompt", "nope": "response"})
    assert caught.value.code == "import.columns"
