"""Exports: harmless in a spreadsheet, whole or not at all, with limits that are told."""

from __future__ import annotations

import csv
import errno
import json
import zipfile
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from studio.domain.shapes import Shape
from studio.errors import StudioError
from studio.ingest.dataset.file_store import FileStore
from studio.ingest.dataset.images import store_content
from studio.ingest.export import writers
from studio.ingest.export.exporter import Exporter
from studio.ingest.export.formulas import is_marked, neutralised, restored
from studio.ingest.export.pictures import ClassFolders
from studio.ingest.readers.batches import Batch
from studio.ingest.readers.unmarked import unmarked
from tests.unit.ingest.versions.helpers import make_dataset


def export(folder: Path, form: str, out: Path, splits: list[str] | None = None) -> dict[str, object]:
    return Exporter(folder, lambda _event: None, lambda: None).run(form, out, splits)


def test_formulas_are_text_and_numbers_stay(tmp_path: Path) -> None:
    texts = ["=1+1", "-5", "+x", "@a", "\tb", "'c", "plain", "-1e5"]
    make_dataset(tmp_path / "v1", Shape.TEXT, [(text,) for text in texts])
    export(tmp_path / "v1", "csv", tmp_path / "a.csv")
    with (tmp_path / "a.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.reader(file))
    assert rows[0] == ["'text", "split"]
    assert [row[0] for row in rows[1:]] == ["'=1+1", "-5", "'+x", "'@a", "'\tb", "''c", "plain", "-1e5"]


def test_a_column_without_danger_has_no_mark(tmp_path: Path) -> None:
    make_dataset(tmp_path / "v1", Shape.TEXT_LABEL, [("it's 1-2", "-"), ("b", None)])
    export(tmp_path / "v1", "csv", tmp_path / "a.csv")
    header = (tmp_path / "a.csv").read_text(encoding="utf-8-sig").splitlines()[0]
    assert header == "text,'label,split"


def test_neutralising_is_undone() -> None:
    cells = pl.DataFrame({"a": ["=x", "'", "''", "'=x", "-5", None, "", "x'"]})
    safe = cells.with_columns(neutralised("a"))
    assert not safe["a"].str.contains(r"^[=@\t\r]").any()
    assert safe.with_columns(restored("a")).equals(cells)
    assert [is_marked(name) for name in ("'a", "a", "'", "'a'")] == [True, False, False, False]


def test_other_programs_apostrophes_are_left_alone() -> None:
    class Plain:
        columns = ("text", "'quoted'")

        def head(self, _limit: int) -> list[list[str]]:
            return [["'=1", "'x'"]]

        def batches(self, _wanted: object) -> list[Batch]:
            return []

    reader = Plain()
    reader.columns = ["text", "'quoted'"]  # type: ignore[assignment]
    assert unmarked(reader) is reader  # type: ignore[comparison-overlap, arg-type]


def test_excel_strings(tmp_path: Path) -> None:
    make_dataset(
        tmp_path / "v1", Shape.TEXT_LABEL, [("=1+1", "00123"), ("-5", None), (" NA\n😀", "2024-01-02")]
    )
    export(tmp_path / "v1", "xlsx", tmp_path / "a.xlsx")
    sheet = openpyxl.load_workbook(tmp_path / "a.xlsx").active
    cells = [[cell.value for cell in row] for row in sheet.iter_rows(max_col=2)]
    assert cells == [["text", "label"], ["=1+1", "00123"], ["-5", None], [" NA\n😀", "2024-01-02"]]
    assert {cell.data_type for row in sheet.iter_rows(min_row=2, max_col=1) for cell in row} == {"s"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.xlsx", "v1"]


def test_excel_limits_are_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_dataset(
        tmp_path / "v1", Shape.TEXT, [("short",), ("字" * 32_767,), ("😀" * 16_384,)], numbers=[1, 2, 30]
    )
    with pytest.raises(StudioError) as caught:
        export(tmp_path / "v1", "xlsx", tmp_path / "a.xlsx")
    assert caught.value.code == "export.cell_too_long"
    assert "row 30" in caught.value.message
    monkeypatch.setattr(writers, "SHEET_ROWS", 3)
    with pytest.raises(StudioError) as caught:
        export(tmp_path / "v1", "xlsx", tmp_path / "a.xlsx")
    assert caught.value.code == "export.too_many_rows"
    assert not (tmp_path / "a.xlsx").exists()


def test_only_these_splits(tmp_path: Path) -> None:
    make_dataset(tmp_path / "v1", Shape.TEXT, [("a",), ("b",), ("c",)], splits=["train", "test", "train"])
    result = export(tmp_path / "v1", "jsonl", tmp_path / "a.jsonl", ["test"])
    assert result["rows"] == 1
    assert json.loads((tmp_path / "a.jsonl").read_text()) == {"text": "b", "split": "test"}
    with pytest.raises(StudioError) as caught:
        export(tmp_path / "v1", "jsonl", tmp_path / "b.jsonl", ["validation"])
    assert caught.value.code == "export.no_rows"


@pytest.mark.parametrize("form", ["csv", "jsonl", "xlsx", "parquet"])
def test_an_old_file_stays_when_the_new_one_fails(
    form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_dataset(tmp_path / "v1", Shape.TEXT, [(f"a{i}",) for i in range(30_000)])
    out = tmp_path / f"a.{form}"
    out.write_text("old")
    told = 0

    def check() -> None:
        nonlocal told
        told += 1
        if told > 9:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(StudioError) as caught:
        Exporter(tmp_path / "v1", lambda _event: None, check).run(form, out)
    assert caught.value.code == "export.disk_full"
    assert out.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"a.{form}", "v1"]
    export(tmp_path / "v1", form, out)
    assert out.stat().st_size > 1000


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    make_dataset(tmp_path / "v1", Shape.TEXT, [("a",)])
    with pytest.raises(StudioError) as caught:
        export(tmp_path / "v1", "xlsx", tmp_path / "no" / "a.xlsx")
    assert caught.value.code == "export.unwritable"


def picture_set(datasets: Path) -> list[str]:
    names = [store_content(f"picture {i}".encode(), FileStore(datasets / "images"), "png") for i in range(4)]
    rows = [(names[0], "a/b"), (names[1], "a:b"), (names[2], None), (names[3], "con"), (names[0], "a/b")]
    make_dataset(datasets / "v1", Shape.IMAGE_LABEL, rows)
    return names


def test_pictures_by_class_in_an_archive(tmp_path: Path) -> None:
    names = picture_set(tmp_path / "sets")
    export(tmp_path / "sets" / "v1", "csv", tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.testzip() is None
        listed = list(csv.DictReader(archive.read("labels.csv").decode("utf-8-sig").splitlines()))
        files = set(archive.namelist())
        assert archive.read(f"images/a_b/{names[0]}") == b"picture 0"
    assert [row["label"] for row in listed] == ["a/b", "a:b", "", "con", "a/b"]
    assert {row["image"] for row in listed} == files - {"labels.csv"}
    assert f"images/a_b (2)/{names[1]}" in files
    assert f"images/_con/{names[3]}" in files
    assert [path.name for path in tmp_path.iterdir() if path.name != "sets"] == ["out.zip"]


def test_pictures_in_a_folder(tmp_path: Path) -> None:
    names = picture_set(tmp_path / "sets")
    result = export(tmp_path / "sets" / "v1", "jsonl", tmp_path / "out.jsonl")
    assert result["path"] == str(tmp_path / "out")
    assert (tmp_path / "out" / "images" / "_unlabelled" / names[2]).read_bytes() == b"picture 2"
    assert len((tmp_path / "out" / "labels.jsonl").read_text().splitlines()) == 5
    (tmp_path / "sets" / "images" / names[1][:2] / names[1]).unlink()
    with pytest.raises(StudioError) as caught:
        export(tmp_path / "sets" / "v1", "jsonl", tmp_path / "again")
    assert caught.value.code == "export.missing_picture"
    assert not (tmp_path / "again").exists()


def test_class_folders_are_safe() -> None:
    folders = ClassFolders()
    for label in ("..", "../../etc", "x" * 300, "nul.txt", " ", "A", "a", "猫", "\0"):
        path = folders.path("p.png", label)
        assert len(path.parts) == 3
        assert ".." not in path.parts
        assert len(path.parts[1]) <= 70
    assert len({str(folders.path("p.png", label)).casefold() for label in ("A", "a", "猫", None)}) == 4
