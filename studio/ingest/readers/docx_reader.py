"""Word documents as prose: paragraphs under their headings, tables as text or, where they hold data, as the table."""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import docx
from docx.opc.exceptions import PackageNotFoundError
from docx.oxml.ns import qn
from lxml.etree import LxmlError

from studio.ingest import errors
from studio.ingest.readers.archives import check_archive
from studio.ingest.readers.prose import Block, DocumentTable, ProseReader

if TYPE_CHECKING:
    from docx.document import Document
    from docx.oxml.xmlchemy import BaseOxmlElement

_MAX_XML_BYTES: Final = 96 << 20  # as a tree it takes about ten times as much
_HEADING: Final = re.compile(r"^heading ([1-9])$", re.IGNORECASE)
_TEXT, _PARAGRAPH, _TABLE = qn("w:t"), qn("w:p"), qn("w:tbl")
_BREAKS: Final = {qn("w:br"): "\n", qn("w:cr"): "\n", qn("w:tab"): "\t", qn("w:noBreakHyphen"): "-"}
# What is not the text as it reads: what was deleted, and the copy that older programs are given of a text box.
_SKIPPED: Final = frozenset({qn("w:del"), qn("w:moveFrom"), qn("w:instrText"), qn("w:rPr"), qn("w:pPr"),
                             "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"})  # fmt: skip
_WRAPPERS: Final = frozenset(
    {qn("w:sdt"), qn("w:sdtContent"), qn("w:customXml"), qn("w:ins"), qn("w:moveTo")}
)


class DocxReader(ProseReader):
    """The document's body in order. Links, pictures and attached templates are never followed; macros not looked at.

    Raises StudioError import.broken, import.locked, import.too_large, import.dtd, import.columns.
    """

    def __init__(self, path: Path, sheet: str | None) -> None:
        check_archive(path, "DOCX")
        _check_size(path)
        try:
            document = docx.Document(str(path))
            levels = _heading_levels(document)
            self._items = list(_items(document.element.body, levels))
        except (
            PackageNotFoundError,
            zipfile.BadZipFile,
            LxmlError,
            KeyError,
            ValueError,
            AttributeError,
        ) as error:
            raise errors.broken(str(path), "DOCX") from error
        tables = [item for item in self._items if isinstance(item, DocumentTable)]
        super().__init__(self._read, sheet, tables=tables)

    def _read(self) -> Iterator[Block]:
        for item in self._items:
            if isinstance(item, Block):
                yield item
            else:
                lines = (" | ".join(cell for cell in row if cell) for row in item.rows)
                if text := "\n".join(line for line in lines if line):
                    yield Block(text)


def _check_size(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        size = sum(part.file_size for part in archive.infolist() if part.filename.lower().endswith(".xml"))
    if size > _MAX_XML_BYTES:
        raise errors.too_large(f"{size >> 20} MB", f"{_MAX_XML_BYTES >> 20} MB")


def _heading_levels(document: Document) -> dict[str, int]:
    """Style id -> level, also of styles that are made from a heading's; ids differ by Word's language."""
    levels: dict[str, int] = {}
    based: dict[str, str] = {}
    for style in document.styles.element.iterchildren(qn("w:style")):
        name = style.find(qn("w:name"))
        key = style.get(qn("w:styleId")) or ""
        title = (name.get(qn("w:val")) or "") if name is not None else ""
        parent = style.find(qn("w:basedOn"))
        if parent is not None:
            based[key] = parent.get(qn("w:val")) or ""
        if found := _HEADING.match(title):
            levels[key] = int(found[1])
        elif title.lower() == "title":
            levels[key] = 1
    for key in based:
        ancestor, steps = key, 0
        while ancestor not in levels and ancestor in based and steps < 20:
            ancestor, steps = based[ancestor], steps + 1
        if ancestor in levels:
            levels.setdefault(key, levels[ancestor])
    return levels


def _items(body: BaseOxmlElement, levels: dict[str, int]) -> Iterator[Block | DocumentTable]:
    waiting = [iter(body)]
    while waiting:
        element = next(waiting[-1], None)
        if element is None:
            waiting.pop()
        elif element.tag == _PARAGRAPH:
            if text := _text(element).strip():
                yield Block(text, levels.get(_style(element), 0))
        elif element.tag == _TABLE:
            yield _table(element)
        elif element.tag in _WRAPPERS:
            waiting.append(iter(element))


def _style(paragraph: BaseOxmlElement) -> str:
    found = paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
    return (found.get(qn("w:val")) or "") if found is not None else ""


def _table(table: BaseOxmlElement) -> DocumentTable:
    rows = [
        ["\n".join(_text(p).strip() for p in cell.iter(_PARAGRAPH)).strip() for cell in row.iter(qn("w:tc"))]
        for row in table.iterchildren(qn("w:tr"))
    ]
    first = table.find(f"{qn('w:tr')}/{qn('w:trPr')}/{qn('w:tblHeader')}")
    return DocumentTable(rows, marked=first is not None)


def _text(paragraph: BaseOxmlElement) -> str:
    """All text that reads, hyperlinks, fields' results and accepted insertions among it."""
    parts: list[str] = []
    waiting = [iter(paragraph)]
    while waiting:
        element = next(waiting[-1], None)
        if element is None:
            waiting.pop()
        elif element.tag == _TEXT:
            parts.append(element.text or "")
        elif element.tag in _BREAKS:
            parts.append(_BREAKS[element.tag])
        elif element.tag not in _SKIPPED:
            waiting.append(iter(element))
    return "".join(parts)
