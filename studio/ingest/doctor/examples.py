"""Examples of a finding: the text before, what the advised fix makes of it, and where its twin is."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import polars as pl

from studio.domain.findings import Example
from studio.domain.shapes import SHAPES, Shape
from studio.i18n import _
from studio.ingest.dataset.content import MESSAGE_COLUMNS, prose_columns
from studio.ingest.doctor.rules import SetFinding
from studio.ingest.doctor.view import DatasetView

MOST_EXAMPLES: Final = 20
_SHOWN: Final = 300  # characters
_LEAD: Final = 60  # characters shown before the first difference


def differences(
    before: pl.DataFrame, after: pl.DataFrame, columns: Sequence[str] | None, notes: Sequence[str] | None
) -> list[Example]:
    """One example for each row of ``before``: its first text that the fix changed, else the column named."""
    rows_after = {row["row"]: row for row in after.iter_rows(named=True)}
    examples = []
    for place, row in enumerate(before.iter_rows(named=True)):
        column = columns[place] if columns else next(name for name in before.columns if name != "row")
        note = notes[place] if notes else ""
        examples.append(_example(row, rows_after.get(row["row"]), column, note))
    return examples


def of_rows(view: DatasetView, found: SetFinding, leaving: np.ndarray[Any, Any] | None) -> list[Example]:
    """Examples of rows that a set rule named; those not in ``leaving`` stay as they are."""
    numbers = [int(row) for row in found.rows[:MOST_EXAMPLES]]
    twins = [int(row) for row in found.twins[:MOST_EXAMPLES]] if found.twins is not None else []
    gone = set(leaving.tolist()) if leaving is not None else set()
    cells = {row["row"]: row for row in view.chosen(numbers).iter_rows(named=True)}
    column = _shown_column(view.shape)
    examples = []
    for place, number in enumerate(numbers):
        text = window(_readable(column, cells[number][column]), 0)
        note = found.notes.get(number, "")
        if not note and twins:
            note = _("as in row {row}").format(row=twins[place])
        after = None if number in gone else text
        examples.append(Example(row=number, column=column, before=text, after=after, note=note))
    return examples


def _shown_column(shape: Shape) -> str:
    texts = [name for name in prose_columns(shape) if name not in ("system", "history")]
    return texts[0] if texts else SHAPES[shape].stored[0]


def _example(before: dict[str, Any], after: dict[str, Any] | None, column: str, note: str) -> Example:
    if after is None:
        text = window(_readable(column, before[column]), 0)
        return Example(row=before["row"], column=column, before=text, after=None, note=note)
    changed = [name for name in before if name in after and before[name] != after[name]]
    column = changed[0] if changed and column not in changed else column
    old, new = _pair(column, before[column], after[column])
    start = next((place for place, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), 0)
    if old == new and not note:
        note = _("This fix cannot change it; remove the row, or edit it by hand.")
    return Example(
        row=before["row"], column=column, before=window(old, start), after=window(new, start), note=note
    )


def _pair(column: str, old: str | None, new: str | None) -> tuple[str, str]:
    """The two texts; of two conversations the first message that differs."""
    if column not in MESSAGE_COLUMNS or not old or not new:
        return old or "", new or ""
    was, now = ([message["content"] for message in json.loads(text)] for text in (old, new))
    for first, second in zip(was, now, strict=False):
        if first != second:
            return first, second
    return "\n".join(was), "\n".join(now)


def _readable(column: str, text: str | None) -> str:
    if text and column in MESSAGE_COLUMNS:
        return "\n".join(message["content"] for message in json.loads(text))
    return text or ""


def window(text: str, start: int) -> str:
    """The part of a long text around a place."""
    begin = max(0, start - _LEAD) if len(text) > _SHOWN else 0
    shown = text[begin : begin + _SHOWN]
    return f"{'…' if begin else ''}{shown}{'…' if begin + _SHOWN < len(text) else ''}"
