"""Markdown of a model, cut into top-level blocks.

Only the parser is markdown-it's; no HTML is ever made of it: the blocks are written into the document as text with
formats, so nothing that a model says can reach an HTML parser.
"""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

_TABLE_HEAD = 2  # lines by which a table is known
_LONGEST_MARK = 12  # characters; CommonMark allows nine digits, a mark and the space after it
SAFE_SCHEMES = ("http", "https", "mailto")


def is_safe_link(address: str) -> bool:
    """Whether an address may become something to click: web and mail only, with an address in it."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return False
    return parts.scheme.lower() in SAFE_SCHEMES and bool(parts.netloc or parts.path)


def make_parser() -> MarkdownIt:
    """CommonMark with tables and strikethrough, without HTML, entities kept."""
    parser = MarkdownIt("commonmark", {"html": False, "maxNesting": 20}).enable(["table", "strikethrough"])
    parser.validateLink = is_safe_link
    return parser


class Block:
    """A top-level block: its tokens, and the line (from 0) at which it begins."""

    __slots__ = ("line", "tokens")

    def __init__(self, tokens: list[Token], line: int) -> None:
        self.tokens = tokens
        self.line = line


def blocks(parser: MarkdownIt, source: str) -> Iterator[Block]:
    """The top-level blocks of a text in order."""
    held: list[Token] = []
    for token in parser.parse(source):
        held.append(token)
        if token.level == 0 and token.nesting <= 0:
            yield Block(held, (held[0].map or [0, 0])[0])
            held = []


def is_settled(source: str, block: Block) -> bool:
    """Whether the block goes on beginning where it does, however ``source`` goes on.

    A line that is not whole yet may still turn out to belong to what is before it: "2" to a list with "2. b", "| x |"
    and "|--" to a paragraph. A paragraph after an empty line is sure once it is longer than any mark of a list.
    """
    begins = line_start(source, block.line)
    whole = source.count("\n", begins)
    if block.tokens[0].type == "table_open":
        return whole >= _TABLE_HEAD
    after_gap = source[:begins].endswith("\n\n") and block.tokens[0].type == "paragraph_open"
    return whole >= 1 or (after_gap and len(source) - begins > _LONGEST_MARK)


def line_start(source: str, line: int) -> int:
    """Offset of the first character of a line (from 0)."""
    offset = 0
    for _count in range(line):
        offset = source.index("\n", offset) + 1
    return offset
