"""The columns of a source's first rows, and what can be told from their cells."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, Final

from studio.ingest.detect.names import plain_name
from studio.ingest.shaping.compared import THUMBS
from studio.ingest.shaping.conversations import looks_like_conversation

_NUMBER: Final = re.compile(r"^\s*[+-]?(?:\d+(?:\.\d*)?|\.\d+)\s*$")
_IMAGE: Final = re.compile(r"\.(?:png|jpe?g|gif|bmp|webp|tiff?)\s*$", re.IGNORECASE)
_AUDIO: Final = re.compile(r"\.(?:wav|flac|og[ag]|opus|mp3|aiff?|au)\s*$", re.IGNORECASE)
_SENTENCE_CHARS: Final = 40  # a label is shorter


class Columns:
    """Names with their cells; ``taken`` columns are not found again."""

    def __init__(self, names: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
        self.names = list(names)
        self._cells = {
            name: [row[place] for row in rows if place < len(row) and row[place].strip()]
            for place, name in enumerate(names)
        }

    def named(self, known: Iterable[str], without: Iterable[str | None] = ()) -> str | None:
        """The first column with one of these names, in their order."""
        plain = {plain_name(name): name for name in reversed(self.names) if name not in set(without)}
        return next((plain[name] for name in known if name in plain), None)

    def matching(self, pattern: re.Pattern[str]) -> list[str]:
        """All columns whose plain name matches, in order."""
        return [name for name in self.names if pattern.match(plain_name(name))]

    def cells(self, name: str) -> list[str]:
        """The cells that are not blank."""
        return self._cells[name]

    def mean_length(self, name: str) -> float:
        """Characters of a cell, on average; 0 without cells."""
        cells = self._cells[name]
        return sum(map(len, cells)) / len(cells) if cells else 0.0

    def is_numeric(self, name: str, share: float = 1.0) -> bool:
        """Whether at least this share of the cells are numbers."""
        numbers = sum(_NUMBER.match(cell) is not None for cell in self._cells[name])
        return bool(self._cells[name]) and numbers >= share * len(self._cells[name])

    def is_thumb(self, name: str) -> bool:
        """At most two values, each a way to write up or down."""
        values = {cell.strip().lower() for cell in self._cells[name]}
        return bool(values) and values <= set(THUMBS)

    def is_image(self, name: str) -> bool:
        return bool(self._cells[name]) and all(_IMAGE.search(cell) for cell in self._cells[name])

    def is_audio(self, name: str) -> bool:
        return bool(self._cells[name]) and all(_AUDIO.search(cell) for cell in self._cells[name])

    def is_label(self, name: str) -> bool:
        """Short values that come again."""
        cells = [cell.strip() for cell in self._cells[name]]
        if not cells or max(map(len, cells)) > _SENTENCE_CHARS:
            return False
        return len(cells) < 4 or len(set(cells)) <= max(2, len(cells) // 2)

    def is_label_list(self, name: str) -> bool:
        """JSON lists of words, or several short words parted by a bar or semicolon."""
        cells = self._cells[name]
        lists = [parsed(cell) for cell in cells[:20]]
        if cells and all(isinstance(v, list) and all(isinstance(x, str | int) for x in v) for v in lists):
            return True
        parted = [cell for cell in cells if re.search(r"[|;；、]", cell)]
        return len(parted) * 5 >= len(cells) > 0 and max(map(len, cells)) <= 5 * _SENTENCE_CHARS

    def is_measure(self, name: str) -> bool:
        """Numbers that are amounts rather than names of classes: many different ones, or with a fraction."""
        if not self.is_numeric(name):
            return False
        values = {float(cell) for cell in self._cells[name]}
        return len(values) > 12 or any(value != int(value) for value in values)

    def is_conversation(self, name: str) -> bool:
        return any(looks_like_conversation(parsed(cell)) for cell in self._cells[name][:20])


def parsed(cell: str) -> Any:
    """The cell's JSON value where it is a list or an object; else None."""
    if not cell.lstrip().startswith(("[", "{")):
        return None
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return None
