"""XLSX, XLS and ODS: values as text, errors with their sign, sheets by name, merged and blank cells."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
import xlsxwriter

from studio.errors import StudioError
from studio.ingest.readers.registry import sheet_of, sheets_of
from studio.ingest.readers.workbook_scan import scan_xlsx
from tests.faults.tables import ods, ods_row, row, xlsx
from tests.helpers.xls_file import ErrorValue, write_xls
from tests.unit.ingest.readers.helpers import opened, rows


def make_xlsx(folder: Path) -> Path:
    path = folder / "book.xlsx"
    with xlsxwriter.Workbook(path) as book:
        book.add_worksheet("Empty")
        sheet = book.add_worksheet("FAQ")
        sheet.write_row(3, 2, ["question", "answer"])
        sheet.write_formula(4, 2, "=1/0", None, "#DIV/0!")
        sheet.write_formula(4, 3, "=1+1", None, 2)
        sheet.merge_range(6, 2, 7, 2, "00123")
        sheet.write_datetime(6, 3, datetime(2024, 5, 6), book.add_format({"num_format": "yyyy-mm-dd"}))
        sheet.write(7, 3, 0.1)
        book.add_worksheet("Other").write_row(0, 0, ["a", "b"])
    return path


def make_xls(folder: Path) -> Path:
    cells = [
        (3, 2, "question"), (3, 3, "answer"), (4, 2, ErrorValue(7)), (4, 3, 2.0), (6, 2, "00123"),
        (6, 3, ErrorValue(0x2A, formula=True)), (7, 3, 0.1),
    ]  # fmt: skip
    return write_xls(folder / "book.xls", cells)


def make_ods(folder: Path) -> Path:
    blank = '<table:table-row table:number-rows-repeated="3"><table:table-cell/></table:table-row>'
    aside = '<table:table-cell table:number-columns-repeated="2"/>'

    def line(*cells: str) -> str:
        return f"<table:table-row>{aside}{''.join(cells)}</table:table-row>"

    error = (
        '<table:table-cell office:value-type="string" office:string-value="" calcext:value-type="error">'
        "<text:p>#DIV/0!</text:p></table:table-cell>"
    )
    text = '<table:table-cell office:value-type="string"><text:p>{}</text:p></table:table-cell>'
    number = '<table:table-cell office:value-type="float" office:value="{0}"><text:p>{0}0</text:p></table:table-cell>'
    sheet = (
        blank + line(text.format("question"), text.format("answer")) + line(error, number.format("2"))
        + line() + line(text.format("00123"), text.format("two<text:s text:c='2'/>spaces"))
        + line("<table:covered-table-cell/>", number.format("0.1"))
    )  # fmt: skip
    return ods(folder / "book.ods", {"Empty": "", "FAQ": sheet, "Other": ods_row("a", "b")})


LAST = {".xlsx": "2024-05-06 00:00:00", ".xls": "#N/A", ".ods": "two  spaces"}


@pytest.mark.parametrize("make", [make_xlsx, make_xls, make_ods])
def test_cells_become_text_and_rows_keep_their_numbers(make: Callable[[Path], Path], tmp_path: Path) -> None:
    path = make(tmp_path)
    reader = opened(path)
    assert reader.columns == ["question", "answer"]
    assert rows(reader) == [
        (1, "#DIV/0!", "2"),
        (3, "00123", LAST[path.suffix]),
        (4, None, "0.1"),
    ]
    assert reader.head(1) == [["#DIV/0!", "2"]]
    assert reader.head(3)[2] == ["", "0.1"]


@pytest.mark.parametrize("make", [make_xlsx, make_ods])
def test_sheets_are_chosen_by_name(make: Callable[[Path], Path], tmp_path: Path) -> None:
    path = make(tmp_path)
    assert sheets_of(opened(path)) == ["Empty", "FAQ", "Other"]
    assert sheet_of(opened(path)) == "FAQ"  # the first with rows
    assert sheet_of(opened(path, "Other")) == "Other"
    assert opened(path, "Other").columns == ["a", "b"]
    with pytest.raises(StudioError) as raised:
        opened(path, "Nothing")
    assert raised.value.code == "import.columns"


@pytest.mark.parametrize("ending", [".xlsx", ".ods"])
def test_a_cover_sheet_with_a_header_only_is_passed_over(ending: str, tmp_path: Path) -> None:
    path = two_sheets(tmp_path / f"book{ending}", [("制作人", "日期")], [("问题", "回答"), ("在吗", "在")])
    assert sheet_of(opened(path)) == "对话"
    assert rows(opened(path)) == [(1, "在吗", "在")]
    path = two_sheets(tmp_path / f"none{ending}", [("制作人", "日期")], [("问题", "回答")])
    assert sheet_of(opened(path)) == "封面"  # none has rows: the first that is not empty


def two_sheets(path: Path, cover: list[tuple[str, str]], rows: list[tuple[str, str]]) -> Path:
    sheets = {"封面": cover, "对话": rows}
    if path.suffix == ".ods":
        return ods(path, {name: "".join(ods_row(*row) for row in rows) for name, rows in sheets.items()})
    with xlsxwriter.Workbook(path) as book:
        for name, lines in sheets.items():
            sheet = book.add_worksheet(name)
            for place, line in enumerate(lines):
                sheet.write_row(place, 0, line)
    return path


def test_the_same_column_can_be_wanted_twice(tmp_path: Path) -> None:
    batches = list(opened(make_xlsx(tmp_path)).batches({"text": "answer", "label": "answer"}))
    assert batches[0].frame.columns == ["row", "text", "label"]


def test_errors_are_found_however_the_sheet_is_written(tmp_path: Path) -> None:
    odd = "<row r='2'><c t='e' r = 'B2'><v>#REF!</v></c></row>"
    assert scan_xlsx(xlsx(tmp_path / "odd.xlsx", row(1, "a", "b") + odd), "S") == {(1, 1): "#REF!"}


def test_a_tall_sheet_with_few_columns_is_read(tmp_path: Path) -> None:
    """The rough estimate says 26 columns; the exact one sees two."""
    cells = row(1, "question", "answer") + row(900_000, "q", "a")
    assert rows(opened(xlsx(tmp_path / "tall.xlsx", cells))) == [(899_999, "q", "a")]


def test_an_ods_row_wider_than_the_columns_is_put_aside(tmp_path: Path) -> None:
    lines = ods_row("a", "b") + ods_row("1", "2") * 300 + ods_row("1", "2", "3")
    reader = opened(ods(tmp_path / "wide.ods", {"S": lines}))
    batches = list(reader.batches({"a": "a"}))
    assert sum(batch.frame.height for batch in batches) == 300
    assert [(r.row, r.code) for batch in batches for r in batch.rejected] == [(301, "too_many_fields")]
