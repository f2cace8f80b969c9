"""Which words of a text changed, for before-and-after tables."""

from __future__ import annotations

import re
from dataclasses import dataclass
from difflib import SequenceMatcher

_WORDS = re.compile(r"\w+|\s+|[^\w\s]", re.UNICODE)
_WIDE = re.compile("([\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])")
_MOST_WORDS = 400  # of each side; what comes after is compared as one piece
_LEAD_CHARS = 40  # kept before the first change, so that it is in sight


@dataclass(frozen=True)
class Piece:
    """A stretch of text; changed: it is not in the other text."""

    text: str
    changed: bool


def word_diff(before: str, after: str) -> tuple[list[Piece], list[Piece]]:
    """Both texts in pieces. Chinese and Japanese are compared character by character."""
    old, new = _words(before), _words(after)
    left: list[Piece] = []
    right: list[Piece] = []
    for tag, i1, i2, j1, j2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        _append(left, "".join(old[i1:i2]), tag != "equal")
        _append(right, "".join(new[j1:j2]), tag != "equal")
    return left, right


def from_first_change(pieces: list[Piece]) -> list[Piece]:
    """The pieces from a little before the first change on, so that a narrow cell shows it."""
    if not pieces or pieces[0].changed or len(pieces[0].text) <= 2 * _LEAD_CHARS:
        return pieces
    return [Piece("…" + pieces[0].text[-_LEAD_CHARS:], False), *pieces[1:]]


def _words(text: str) -> list[str]:
    words = [part for word in _WORDS.findall(text) for part in _WIDE.split(word) if part]
    rest = "".join(words[_MOST_WORDS:])
    return words[:_MOST_WORDS] + ([rest] if rest else [])


def _append(pieces: list[Piece], text: str, changed: bool) -> None:
    if not text:
        return
    if pieces and pieces[-1].changed == changed:
        pieces[-1] = Piece(pieces[-1].text + text, changed)
    else:
        pieces.append(Piece(text, changed))
