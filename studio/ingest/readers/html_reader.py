"""Web pages as prose: the text that a reader sees, block by block; a table that is most of the page as the table."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Final

from selectolax.lexbor import LexborHTMLParser, LexborNode

from studio.i18n import _
from studio.ingest import errors
from studio.ingest.readers.prose import Block, DocumentTable, ProseReader
from studio.ingest.readers.text_file import encoding_of

_MAX_BYTES: Final = 64 << 20
_MAX_DEPTH: Final = 2_000  # the parser looks back through all open elements at each new one
# Tags that nest: not those without an end, and not those whose end may be left out.
_NESTING: Final = re.compile(
    r"<(/?)(?!(?:p|li|dt|dd|td|th|tr|tbody|thead|tfoot|option|br|hr|img|input|meta|link|wbr|source|col|area|base)\b)"
    r"[a-z]",
    re.IGNORECASE,
)
_BLANK: Final = re.compile(r"[ \t\r\n\f]+")
_HIDDEN: Final = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_HIDING: Final = re.compile(r"hidden|display\s*:", re.IGNORECASE)
_SKIPPED: Final = frozenset({
    "script", "style", "noscript", "template", "head", "svg", "math", "iframe", "object", "select", "option",
    "button", "input", "textarea", "canvas", "video", "audio", "-comment", "-doctype",
})  # fmt: skip
# Cells are no blocks of their own: a row of a table is one line of text.
_BLOCKS: Final = frozenset({
    "address", "article", "aside", "blockquote", "body", "center", "dd", "details", "dialog", "div", "dl", "dt",
    "fieldset", "figcaption", "figure", "footer", "form", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "html",
    "li", "main", "nav", "ol", "p", "pre", "section", "summary", "table", "tbody", "tfoot", "thead", "tr", "ul",
})  # fmt: skip
_HEADINGS: Final = {f"h{level}": level for level in range(1, 7)}


class HtmlReader(ProseReader):
    """The visible text; nothing that the page names is fetched, no script is run.

    Raises StudioError import.encoding, import.too_large, import.columns.
    """

    def __init__(self, path: Path, sheet: str | None, encoding: str | None = None) -> None:
        size = path.stat().st_size
        if size > _MAX_BYTES:
            raise errors.too_large(f"{size >> 20} MB", f"{_MAX_BYTES >> 20} MB")
        self.encoding = name = encoding_of(path, encoding)
        try:
            text = codecs.decode(path.read_bytes(), "utf-8-sig" if name == "utf-8" else name, "replace")
        except LookupError as error:
            raise errors.unknown_encoding(str(path)) from error
        depth = max(accumulate(-1 if end else 1 for end in _NESTING.findall(text)), default=0)
        if depth > _MAX_DEPTH:
            raise errors.too_large(
                _("{count} elements inside one another").format(count=depth), str(_MAX_DEPTH)
            )
        walk = _Walk(_HIDING.search(text) is not None)
        root = LexborHTMLParser(text).root
        if root is not None:
            walk.run(root)
        self._found = walk.blocks
        super().__init__(self._read, sheet, tables=walk.tables)

    def _read(self) -> Iterator[Block]:
        yield from self._found


class _Walk:
    """One way through the page, without recursion: pages nest as deep as their makers like."""

    def __init__(self, hides: bool) -> None:
        self._hides = hides
        self.blocks: list[Block] = []
        self.tables: list[DocumentTable] = []
        self._parts: list[str] = []
        self._level = 0
        self._in_pre = 0

    def run(self, root: LexborNode) -> None:
        node: LexborNode | None = root
        above: list[str] = []
        while node is not None:
            tag = node.tag or ""
            down = self._enter(node, tag)
            if down is not None:
                above.append(tag)
                node = down
                continue
            while node is not None and node.next is None:
                node = node.parent if above else None
                if node is not None:
                    self._leave(above.pop())
            node = node.next if node is not None and above else None
        self._flush()

    def _enter(self, node: LexborNode, tag: str) -> LexborNode | None:
        """The node's first child if it is to be walked."""
        if tag == "-text":
            text = node.text_content or ""
            self._parts.append(text if self._in_pre else _BLANK.sub(" ", text))
            return None
        if tag in _SKIPPED or (self._hides and _is_hidden(node)):
            return None
        if tag == "table" and (found := _table(node)).is_data:
            self.tables.append(found)
        if tag in _BLOCKS:
            self._flush()
            self._level = _HEADINGS.get(tag, self._level if tag not in _HEADINGS else 0)
            self._in_pre += tag == "pre"
        if tag == "br":
            self._parts.append("\n")
        if node.child is None:
            self._leave(tag)
        return node.child

    def _leave(self, tag: str) -> None:
        if tag in ("td", "th"):
            self._parts.append(" | ")
        elif tag in _BLOCKS:
            self._flush()
            self._level = 0 if tag in _HEADINGS else self._level
            self._in_pre -= tag == "pre"

    def _flush(self) -> None:
        text = "".join(self._parts)
        self._parts = []
        if not self._in_pre:
            text = "\n".join(line.strip() for line in text.split("\n"))
        if text := text.strip().removesuffix("|").rstrip():
            self.blocks.append(Block(text, self._level))


def _is_hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    if not attributes:
        return False
    return (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or _HIDDEN.search(attributes.get("style") or "") is not None
    )


def _table(table: LexborNode) -> DocumentTable:
    """Its rows; none when it holds further tables, which is layout."""
    if len(table.css("table")) > 1:
        return DocumentTable([])
    rows = [
        [_BLANK.sub(" ", cell.text(separator=" ")).strip() for cell in row.css("th, td")]
        for row in table.css("tr")
    ]
    first = table.css_first("tr")
    marked = first is not None and len(first.css("th")) == len(rows[0]) > 0
    return DocumentTable([row for row in rows if any(row)], marked)
