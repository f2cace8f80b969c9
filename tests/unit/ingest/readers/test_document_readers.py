"""Word documents, PDF files and web pages as prose; their data tables as tables."""

from __future__ import annotations

from pathlib import Path

import docx
import pytest

from studio.ingest.readers.registry import sheet_of, sheets_of
from tests.faults.documents import pdf
from tests.unit.ingest.readers.helpers import opened, rejected, rows

DATA = [("question", "answer"), *((f"How about number {n}?", f"This is answer {n}.") for n in range(5))]


def word(folder: Path, *, table: bool = False, text: bool = True) -> Path:
    document = docx.Document()
    if text:
        document.add_heading("Guide", 1)
        document.add_paragraph("First paragraph.")
        document.add_heading("Install", 2)
        document.add_paragraph("Second\tparagraph.")
        document.add_paragraph("   ")
    if table:
        made = document.add_table(len(DATA), 2)
        for line, cells in zip(made.rows, DATA, strict=True):
            for cell, value in zip(line.cells, cells, strict=True):
                cell.text = value
    path = folder / "a.docx"
    document.save(str(path))
    return path


def test_word_paragraphs(tmp_path: Path) -> None:
    reader = opened(word(tmp_path))
    assert rows(reader) == [
        (1, "Guide\n\nFirst paragraph.", "Guide"),
        (2, "Install\n\nSecond\tparagraph.", "Guide / Install"),
    ]


def test_a_word_document_that_is_a_table(tmp_path: Path) -> None:
    reader = opened(word(tmp_path, table=True, text=False))
    assert (reader.columns, sheets_of(reader)) == (["question", "answer"], ["text", "table 1"])
    assert sheet_of(reader) == "table 1"
    assert rows(reader)[0] == (1, "How about number 0?", "This is answer 0.")
    as_text = rows(opened(word(tmp_path, table=True), "text"))
    assert "How about number 0? | This is answer 0." in str(as_text[-1][1])


def test_word_text_in_links_insertions_and_controls(tmp_path: Path) -> None:
    document = docx.Document()
    for inner in (
        "<w:hyperlink><w:r><w:t>link</w:t></w:r></w:hyperlink><w:r><w:t> after</w:t></w:r>",
        "<w:ins><w:r><w:t>added</w:t></w:r></w:ins><w:del><w:r><w:delText>gone</w:delText></w:r></w:del>",
    ):
        space = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
        element = docx.oxml.parse_xml(
            f"<w:sdt {space}><w:sdtContent><w:p>{inner}</w:p></w:sdtContent></w:sdt>"
        )
        document.element.body.insert(0, element)
    path = tmp_path / "odd.docx"
    document.save(str(path))
    assert [row[1] for row in rows(opened(path))] == ["added", "link after"]


def test_pdf_pages(tmp_path: Path) -> None:
    path = tmp_path / "a.pdf"
    path.write_bytes(pdf(["First page.", "", "Third page."]))
    reader = opened(path)
    assert reader.columns == ["text", "page"]
    assert rows(reader) == [(1, "First page.", "1"), (3, "Third page.", "3")]
    assert rejected(reader) == [(2, "page_without_text")]


PAGE = """<!doctype html><html><head><title>no</title><style>p{}</style></head><body>
<h1>Big <i>title</i></h1><script>bad()</script><p>Hello <b>bold</b>
text<br>next line</p><div hidden>no</div><div style="display:none">no</div>
<div>Loose <span>inline</span><p>para</p> tail</div><pre>a
  b</pre><ul><li>one<li>two</ul></body></html>"""
TABLE = "".join(f"<tr><td>{q}</td><td>{a}</td></tr>" for q, a in DATA[1:])


def page(folder: Path, text: str, name: str = "a.html", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def test_what_a_reader_sees_of_a_page(tmp_path: Path) -> None:
    assert [row[1] for row in rows(opened(page(tmp_path, PAGE)))] == [
        "Big title\n\nHello bold text\nnext line",
        "Loose inline",
        "para",
        "tail",
        "a\n  b",
        "one",
        "two",
    ]


def test_a_page_that_is_a_table(tmp_path: Path) -> None:
    text = f"<html><p>Short.</p><table><tr><th>question<th>answer</tr>{TABLE}</table></html>"
    reader = opened(page(tmp_path, text))
    assert (reader.columns, sheets_of(reader)) == (["question", "answer"], ["text", "table 1"])
    assert len(rows(reader)) == 5
    assert rows(opened(page(tmp_path, text), "text"))[2][1] == "How about number 0? | This is answer 0."


def test_a_page_in_a_declared_encoding(tmp_path: Path) -> None:
    text = '<html><meta charset="gb18030"><p>你好，这是一个网页。</p></html>'
    assert rows(opened(page(tmp_path, text, encoding="gb18030")))[0][1] == "你好，这是一个网页。"


@pytest.mark.parametrize("name", ["a.txt", "a.html"])
def test_html_is_told_by_content(name: str, tmp_path: Path) -> None:
    assert rows(opened(page(tmp_path, "\ufeff<!-- x --><HTML><p>y</p></HTML>", name)))[0][1] == "y"
