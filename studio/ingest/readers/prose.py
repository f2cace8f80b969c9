"""Documents made of headings and paragraphs, whatever file they come in: as text rows, as questions and answers when
they clearly are a list of those, or as one of their tables.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple

from studio.domain.datasets import QUESTIONS_VIEW, TABLE_VIEW, TEXT_VIEW
from studio.ingest.detect.sniff import has_header
from studio.ingest.readers.rows import RowReader, SourceRow
from studio.ingest.readers.table_reader import unique_names
from studio.ingest.readers.workbook_reader import choose_sheet

MAX_TEXT_CHARS: Final = 1 << 20
_SAMPLE_BLOCKS: Final = 2_000
_SAMPLE_PAGES: Final = 30  # a page can take a tenth of a second, and a preview must not wait
_MIN_PAIRS: Final = 2
_MOST: Final = 0.7  # share of the text that stands in whole pairs
# Possessive, or a mark with a long gap behind it would be tried in all its parts.
_NUMBER: Final = r"\s*+\d{0,4}+\s*+(?:\*\*|__)?+\s*+[:：.、）)]\s*+(?:\*\*|__)?+\s*+"
_QUESTION: Final = re.compile(
    rf"^\s*+(?:[-*]\s++)?(?:\*\*|__)?(?:Q|Question|问题|提问|问){_NUMBER}", re.IGNORECASE
)
_ANSWER: Final = re.compile(
    rf"^\s*+(?:[-*]\s++)?(?:\*\*|__)?(?:A|Answer|回答|答案|答){_NUMBER}", re.IGNORECASE
)


class Block(NamedTuple):
    """A paragraph, or a heading of ``level`` 1 and deeper. page: from 1, 0 where there are none."""

    text: str
    level: int = 0
    page: int = 0
    fault: str = ""


@dataclass(frozen=True)
class DocumentTable:
    """A table in a document. marked: its first row is declared to be a header."""

    rows: list[list[str]]
    marked: bool = False

    @property
    def is_data(self) -> bool:
        """Whether it looks like rows under a header rather than like layout."""
        widths = {len(row) for row in self.rows}
        if len(self.rows) < 3 or len(widths) != 1 or widths.pop() < 2 or not all(self.rows[0]):
            return False
        return self.marked or has_header(self.rows)

    @property
    def size(self) -> int:
        return sum(len(cell) for row in self.rows for cell in row)


class ProseReader(RowReader):
    """A document by its blocks; ``sheets`` lists the ways to see it: "text", "questions", "table 1" and so on.

    blocks: called for each reading from the start. place: "heading" or "page", the column beside ``text``.
    As text, a heading stands above the first paragraph of its section, and all its paragraphs name it.
    """

    def __init__(
        self,
        blocks: Callable[[], Iterator[Block]],
        sheet: str | None,
        place: str = "heading",
        tables: Sequence[DocumentTable] = (),
    ) -> None:
        self._blocks = blocks
        sample = list(islice(blocks(), _SAMPLE_PAGES if place == "page" else _SAMPLE_BLOCKS))
        data = {
            f"{TABLE_VIEW}{n}": table for n, table in enumerate((t for t in tables if t.is_data), start=1)
        }
        self._by_marks = _clearly(marked_pairs(iter(sample)))
        questions = [QUESTIONS_VIEW] if self._by_marks or _clearly(heading_pairs(iter(sample))) else []
        self.sheets = [TEXT_VIEW, *questions, *data]
        view = choose_sheet(sheet, self.sheets)[0] if sheet else _likeliest(questions, data, sample)
        self.sheet = view
        if view in data:
            rows = data[view].rows
            super().__init__(unique_names(rows[0]), lambda: _table_rows(rows))
        elif view == QUESTIONS_VIEW:
            super().__init__(["question", "answer", "heading"], self._question_rows)
        else:
            self._by_page = place == "page"
            super().__init__(["text", place], self._text_rows)

    def _text_rows(self) -> Iterator[SourceRow]:
        above: list[str] = []
        path = Headings()
        number = 0
        for block in self._blocks():
            if block.level:
                path.enter(block)
                above.append(block.text)
                continue
            number += 1
            place = str(block.page) if self._by_page else path.text
            yield _checked(number, ["\n\n".join([*above, block.text]), place or None], block.fault)
            above = []
        if above:
            yield SourceRow(number + 1, ["\n\n".join(above), path.text])

    def _question_rows(self) -> Iterator[SourceRow]:
        pairs = marked_pairs(self._blocks()) if self._by_marks else heading_pairs(self._blocks())
        for number, pair in enumerate(pairs, start=1):
            yield _checked(
                number, [pair.question or None, pair.answer or None, pair.heading or None], pair.fault
            )


class Headings:
    """The headings that a place stands under."""

    def __init__(self) -> None:
        self._path: list[Block] = []

    def enter(self, heading: Block) -> None:
        self._path = [block for block in self._path if block.level < heading.level] + [heading]

    @property
    def text(self) -> str:
        return " / ".join(block.text for block in self._path)


@dataclass
class Pair:
    """A question and its answer; or text outside of any, with its fault."""

    heading: str = ""
    fault: str = ""
    questions: list[str] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)

    @property
    def question(self) -> str:
        return "\n".join(self.questions).strip().removesuffix("**").rstrip()

    @property
    def answer(self) -> str:
        return "\n".join(self.answers).strip()


def marked_pairs(blocks: Iterator[Block]) -> Iterator[Pair]:
    """Pairs that begin with ``Q:`` and ``A:``, or the like; what stands outside comes with a fault."""
    path = Headings()
    here: Pair | None = None
    for block in blocks:
        if block.level and not _QUESTION.match(block.text):
            if here:
                yield here
            here = None
            path.enter(block)
            continue
        for line in block.text.split("\n"):
            if mark := _QUESTION.match(line):
                if here:
                    yield here
                here = Pair(path.text, block.fault, [line[mark.end() :]])
            elif here and here.questions and (mark := _ANSWER.match(line)):
                here.answers.append(line[mark.end() :])
            else:
                here = here or Pair(path.text, "outside_questions")
                (here.answers if here.answers else here.questions).append(line)
        if here:
            (here.answers if here.answers else here.questions).append("")
    if here:
        yield here


def heading_pairs(blocks: Iterator[Block]) -> Iterator[Pair]:
    """Headings that are questions, with all that stands under them."""
    path = Headings()
    here: Pair | None = None
    level = 0
    for block in blocks:
        if block.level and (not here or here.fault or block.level <= level):
            if here:
                yield here
            here = None
            if is_question(block.text):
                here, level = Pair(path.text, questions=[_unmarked(block.text, _QUESTION)]), block.level
            else:
                path.enter(block)
        elif here and not here.fault:
            here.answers += [_unmarked(block.text, _ANSWER) if not here.answers else block.text, ""]
        else:
            here = here or Pair(path.text, "outside_questions")
            here.questions += [block.text, ""]
    if here:
        yield here


def is_question(heading: str) -> bool:
    return heading.rstrip("*_ ").endswith(("?", "？")) or _QUESTION.match(heading) is not None


def _unmarked(text: str, mark: re.Pattern[str]) -> str:
    found = mark.match(text)
    return text[found.end() :] if found else text


def _clearly(pairs: Iterator[Pair]) -> bool:
    """Whether there are several whole pairs, with little text outside of them."""
    found = list(pairs)
    whole = [pair for pair in found if not pair.fault and pair.answer]
    inside, everything = (sum(len(p.question) + len(p.answer) for p in group) for group in (whole, found))
    return len(whole) >= _MIN_PAIRS and inside >= _MOST * everything


def _likeliest(questions: list[str], data: dict[str, DocumentTable], sample: Sequence[Block]) -> str:
    """The only table when it is most of the document, else questions, else text."""
    if len(data) == 1:
        [(name, table)] = data.items()
        if table.size * 2 >= sum(len(block.text) for block in sample):
            return name
    return questions[0] if questions else TEXT_VIEW


def _table_rows(rows: list[list[str]]) -> Iterator[SourceRow]:
    for number, row in enumerate(rows[1:], start=1):
        if any(row):
            yield SourceRow(number, [cell or None for cell in row])


def _checked(number: int, cells: list[str | None], fault: str) -> SourceRow:
    too_long = any(cell and len(cell) > MAX_TEXT_CHARS for cell in cells)
    return SourceRow(number, cells, fault or ("line_too_long" if too_long else ""))
