"""Every bad source is refused clearly, or its good rows are kept unchanged and the bad ones named by number."""

from __future__ import annotations

from pathlib import Path

import pytest
import xlsxwriter

from studio.errors import StudioError
from tests.faults.bad_csv import CSV_SOURCES, random_bytes
from tests.faults.bad_json import JSON_SOURCES, type_change
from tests.faults.bad_sources import BadSource, merged_workbook, truncated_parquet
from tests.faults.tables import old_word
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


def test_without_a_usable_row_the_columns_and_the_other_sheets_are_named(tmp_path: Path) -> None:
    source = tmp_path / "book.xlsx"
    with xlsxwriter.Workbook(source) as book:
        book.add_worksheet("封面").write_row(0, 0, ["制作人", "日期"])
        book.add_worksheet("评分").write_column(0, 0, ["分数", "很好"])
    with pytest.raises(StudioError) as empty:
        run_import(source, tmp_path / "out", sheet="封面")
    assert empty.value.hint == "Choose another sheet or table (--sheet on the command line): 评分."
    csv = tmp_path / "a.csv"
    csv.write_text("text,score\nfine,good\n")
    with pytest.raises(StudioError) as unusable:
        run_import(csv, tmp_path / "out", shape="text-number", roles={"text": "text", "score": "number"})
    assert unusable.value.hint == "Check what the columns are for: text → Text, score → Number."


@pytest.mark.parametrize(
    ("name", "content", "advice"),
    [
        ("cat.png", b"\x89PNG\r\n\x1a\n" + bytes(64), "Put the images into a folder"),
        ("cat.webp", b"RIFF\x40\0\0\0WEBPVP8 " + bytes(64), "Put the images into a folder"),
        ("faq.rar", b"Rar!\x1a\x07" + bytes(64), "Unpack it"),
    ],
)
def test_a_file_of_a_known_kind_comes_with_its_own_way_out(
    name: str, content: bytes, advice: str, tmp_path: Path
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(StudioError) as caught:
        run_import(tmp_path / name, tmp_path / "out")
    assert caught.value.code == "import.binary"
    assert caught.value.message.startswith("This kind of file is not read by itself")
    assert caught.value.hint.startswith(advice)


def test_an_old_word_file_is_to_be_saved_as_docx(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="save it as DOCX"):
        run_import(old_word(tmp_path), tmp_path / "out")


def test_what_is_of_no_known_kind_has_no_kind_in_brackets(tmp_path: Path) -> None:
    video = tmp_path / "video.mp4"
    video.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(range(32)) * 99)
    with pytest.raises(StudioError) as caught:
        run_import(video, tmp_path / "out")
    assert caught.value.message.endswith("video.mp4.")


def test_unknown_column_is_refused(tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    source.write_text("question,answer\na,b\n")
    with pytest.raises(StudioError) as caught:
        run_import(source, tmp_path / "out", roles={"question": "prompt", "nope": "response"})
    assert caught.value.code == "import.columns"
