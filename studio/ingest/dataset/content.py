"""What the content columns hold: plain text, messages as JSON, labels, numbers; and the texts inside the JSON."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any, Final

import polars as pl

from studio.domain.shapes import SHAPES, Shape

# JSON text of [{"role", "content"}].
MESSAGE_COLUMNS: Final = ("messages", "history")
# JSON text of a sorted list of strings.
LIST_COLUMNS: Final = ("labels",)
JSON_COLUMNS: Final = (*MESSAGE_COLUMNS, *LIST_COLUMNS)
_NO_PROSE: Final = ("label", "labels", "number", "image", "audio", "user", "item", "rating", "time", "thumb")
_LABELS: Final = {
    Shape.TEXT_LABEL: "label",
    Shape.TEXT_LABELS: "labels",
    Shape.IMAGE_LABEL: "label",
    Shape.AUDIO_LABEL: "label",
    Shape.THUMBS: "thumb",
}
_NUMBERS: Final = {Shape.TEXT_NUMBER: "number", Shape.RATINGS: "rating"}


def prose_columns(shape: Shape) -> tuple[str, ...]:
    """The columns that hold text to be read, in order; none for images and ratings."""
    return tuple(name for name in SHAPES[shape].stored if name not in _NO_PROSE)


def label_column(shape: Shape) -> str | None:
    """The column that says which class a row is of, None for shapes without classes."""
    return _LABELS.get(shape)


def number_column(shape: Shape) -> str | None:
    return _NUMBERS.get(shape)


def plain_texts(column: pl.Series) -> pl.Series:
    """The column as text to be read: of messages what is said, one message a line; null stays null."""
    if column.name not in MESSAGE_COLUMNS:
        return column
    return pl.Series(column.name, [_said(text) for text in column], dtype=pl.String)


def labels_of(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    """One line for each label of each row, in a column ``label``; a row without one has null."""
    if column not in LIST_COLUMNS:
        return frame.with_columns(pl.col(column).alias("label"))
    lists = frame[column].str.json_decode(pl.List(pl.String))
    return frame.with_columns(lists.alias("label")).explode("label", keep_nulls=True, empty_as_null=True)


def change_inside(column: pl.Series, change: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """``change`` on every text of the column; in JSON columns on the strings inside, so that it stays JSON."""
    if column.name not in JSON_COLUMNS:
        return change(column)
    values = [None if text is None else json.loads(text) for text in column]
    inside = pl.Series(column.name, [text for value in values for text in _strings(value)], dtype=pl.String)
    changed = change(inside)
    if changed.equals(inside):
        return column
    new = iter(changed)
    cells = zip(column, values, strict=True)
    return pl.Series(column.name, [_rebuilt(text, value, new) for text, value in cells], dtype=pl.String)


def json_text(value: Any) -> str:
    """JSON as it is stored."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _said(text: str | None) -> str | None:
    return None if text is None else "\n".join(message["content"] for message in json.loads(text))


def _strings(value: Any) -> list[str]:
    if value is None:
        return []
    return [item if isinstance(item, str) else item["content"] for item in value]


def _rebuilt(text: str | None, value: Any, new: Iterator[str]) -> str | None:
    """The cell with the new texts inside; to the letter as it was when none of them is another."""
    old = _strings(value)
    found = list(itertools.islice(new, len(old)))
    if found == old:
        return text
    if isinstance(value[0], str):
        labels = sorted({label.strip() for label in found if label.strip()})
        return json_text(labels) if labels else None
    return json_text([{**item, "content": content} for item, content in zip(value, found, strict=True)])
