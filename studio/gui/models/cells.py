"""What the cells of a dataset hold, and how each kind is shown on one line."""

from __future__ import annotations

import json
from enum import StrEnum
from functools import lru_cache

from studio.domain.shapes import Shape
from studio.i18n import _, ngettext
from studio.words import labelled

CELL_CHARS = 400
_TURN_CHARS = 80


class CellKind(StrEnum):
    """How a column is shown and edited."""

    PLAIN = "plain"  # numbers and marks that nobody edits
    TEXT = "text"
    LABEL = "label"
    LABELS = "labels"
    THUMB = "thumb"
    NUMBER = "number"
    IMAGE = "image"
    AUDIO = "audio"
    TURNS = "turns"  # a conversation as JSON text


_KINDS = {
    "row": CellKind.PLAIN, "key": CellKind.PLAIN, "split": CellKind.PLAIN, "origin": CellKind.PLAIN,
    "label": CellKind.LABEL, "labels": CellKind.LABELS, "thumb": CellKind.THUMB, "number": CellKind.NUMBER,
    "rating": CellKind.NUMBER, "image": CellKind.IMAGE, "audio": CellKind.AUDIO, "messages": CellKind.TURNS,
    "history": CellKind.TURNS,
}  # fmt: skip
LABELLED = (Shape.TEXT_LABEL, Shape.TEXT_LABELS, Shape.IMAGE_LABEL)


def kind_of(column: str) -> CellKind:
    """The kind of a canonical column."""
    return _KINDS.get(column, CellKind.TEXT)


def label_column(shape: Shape) -> str | None:
    """The column that holds the labels; None for a shape without labels."""
    if shape not in LABELLED:
        return None
    return "labels" if shape is Shape.TEXT_LABELS else "label"


def labels_of(text: str | None) -> list[str]:
    """The labels in a cell of several labels; empty when there are none or the cell is damaged."""
    try:
        found = json.loads(text or "[]")
    except ValueError:
        return []
    return [str(each) for each in found] if isinstance(found, list) else []


def labels_text(labels: set[str] | list[str]) -> str:
    """Several labels as a cell holds them: a sorted JSON list."""
    return json.dumps(sorted(set(labels)), ensure_ascii=False)


def turns_of(text: str | None) -> list[tuple[str, str]]:
    """(role, content) of each message in a conversation cell; empty when it cannot be read."""
    try:
        found = json.loads(text or "[]")
    except ValueError:
        return []
    if not isinstance(found, list):
        return []
    return [
        (str(each.get("role", "")), str(each.get("content", ""))) for each in found if isinstance(each, dict)
    ]


def turns_text(turns: list[tuple[str, str]]) -> str:
    """Messages as a conversation cell holds them."""
    return json.dumps([{"role": role, "content": content} for role, content in turns], ensure_ascii=False)


def shown_text(kind: CellKind, text: str) -> str:
    """A cell on one line: the beginning of a text, a conversation folded to its turns, a thumb in a word,
    and for a recording what one does with it."""
    if kind is CellKind.TURNS:
        return _folded(text)
    if kind is CellKind.LABELS:
        return ", ".join(labels_of(text))
    if kind is CellKind.THUMB:
        return {"up": _("Good"), "down": _("Bad")}.get(text, text)
    if kind is CellKind.AUDIO:
        return _("Listen") if text else ""
    return one_line(text)


def one_line(text: str, chars: int = CELL_CHARS) -> str:
    """The beginning of a text without its line breaks."""
    return " ".join(text[:chars].split())


def role_words(role: str) -> str:
    """Who speaks, in a word."""
    return {"user": _("User"), "assistant": _("Model"), "system": _("Instruction")}.get(role, role)


@lru_cache(maxsize=2048)
def _folded(text: str) -> str:
    turns = turns_of(text)
    if not turns:
        return one_line(text)
    spoken = [turn for turn in turns if turn[0] != "system"] or turns
    words = "  →  ".join(
        labelled(role_words(role), one_line(content, _TURN_CHARS)) for role, content in spoken[:2]
    )
    more = len(spoken) - 2
    if more > 0:
        words += "  …  " + ngettext("{n} more message", "{n} more messages", more).format(n=more)
    return words
