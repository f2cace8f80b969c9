"""Markdown as prose: sections and paragraphs, their marks left as they are; lists of questions are told."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from studio.ingest.readers.prose import MAX_TEXT_CHARS, Block, ProseReader
from studio.ingest.readers.text_file import encoding_of, text_lines

_HEADING: Final = re.compile(r"^ {0,3}(#{1,6})(?:[ \t]+(.*))?$")
_UNDERLINE: Final = re.compile(r"^ {0,3}(=+|-+)[ \t]*$")
_FENCE: Final = re.compile(r"^ {0,3}(`{3,}|~{3,})")
_FRONT: Final = "---"
_FRONT_LINES: Final = 200


class MarkdownReader(ProseReader):
    """Text rows, or questions and answers. Front matter (``---`` at the very top) is about the text and left out.

    Raises StudioError import.encoding, import.columns.
    """

    def __init__(self, path: Path, sheet: str | None, encoding: str | None = None) -> None:
        self._path = path
        self.encoding = encoding_of(path, encoding)
        super().__init__(self._read, sheet)

    def _read(self) -> Iterator[Block]:
        paragraph = _Paragraph()
        fence = ""
        for line, cut in _without_front_matter(text_lines(self._path, self.encoding)):
            mark = _FENCE.match(line)
            if fence:
                paragraph.add(line, cut)
                if mark and mark[1].startswith(fence) and not line.strip().strip(fence[0]):
                    fence = ""
            elif mark:
                fence = mark[1]
                paragraph.add(line, cut)
            elif not line.strip():
                yield from paragraph.taken()
            elif heading := heading_of(line):
                yield from paragraph.taken()
                if heading[1]:
                    yield Block(heading[1], heading[0])
            elif (under := _UNDERLINE.match(line)) and paragraph.count == 1:
                yield Block(paragraph.text.strip(), 1 if under[1].startswith("=") else 2)
                paragraph.clear()
            else:
                paragraph.add(line, cut)
        yield from paragraph.taken()


def heading_of(line: str) -> tuple[int, str] | None:
    """(level, text) of a line that is a heading; marks at its end are no part of it."""
    found = _HEADING.match(line)
    if found is None:
        return None
    text = (found[2] or "").strip()
    bare = text.rstrip("#")
    return len(found[1]), bare.rstrip() if not bare or bare[-1].isspace() else text


class _Paragraph:
    """Lines gathered until the paragraph ends; no more of them than a row can hold."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        self._lines: list[str] = []
        self._chars = 0
        self._cut = False

    @property
    def count(self) -> int:
        return len(self._lines)

    @property
    def text(self) -> str:
        return "\n".join(self._lines)

    def add(self, line: str, cut: bool) -> None:
        self._chars += len(line)
        self._cut = self._cut or cut or self._chars > MAX_TEXT_CHARS
        if not self._cut or not self._lines:
            self._lines.append(line)

    def taken(self) -> Iterator[Block]:
        if self._lines:
            yield Block(self.text, fault="line_too_long" if self._cut else "")
        self.clear()


def _without_front_matter(lines: Iterator[tuple[str, bool]]) -> Iterator[tuple[str, bool]]:
    first = next(lines, None)
    if first is None:
        return
    held = [first]
    if first[0].rstrip() == _FRONT:
        for line in lines:
            held.append(line)
            if line[0].rstrip() in (_FRONT, "..."):
                held = []
                break
            if len(held) > _FRONT_LINES:
                break
    yield from held
    yield from lines
