"""What may stand in a cell, so that a row that was edited can still be learned from."""

from __future__ import annotations

import json

from studio.domain.shapes import SHAPES, Shape
from studio.errors import StudioError
from studio.gui.models.cells import CellKind, kind_of, turns_of
from studio.i18n import _

MAY_BE_EMPTY = frozenset({"system", "history", "label", "labels", "time"})


def check_cell(column: str, text: str) -> None:
    """Raises StudioError ``cell.empty``, ``cell.no_number``, ``cell.no_thumb`` or ``cell.no_conversation``."""
    kind = kind_of(column)
    if not text.strip():
        if column not in MAY_BE_EMPTY:
            raise StudioError(
                "cell.empty",
                _("This cell cannot be empty."),
                _("If you do not need the row, remove the whole row."),
            )
        return
    if kind is CellKind.NUMBER:
        _check_number(text)
    elif kind is CellKind.THUMB and text not in ("up", "down"):
        raise StudioError(
            "cell.no_thumb", _("This row does not say whether the answer was good."), _("Choose Good or Bad.")
        )
    elif kind is CellKind.TURNS:
        _check_turns(text)


def check_row(shape: Shape, cells: dict[str, str | None]) -> None:
    """The same for a whole new row."""
    for column in SHAPES[shape].stored:
        check_cell(column, cells.get(column) or "")


def kept_text(column: str, text: str) -> str | None:
    """A typed text as the dataset keeps it: an empty optional cell is none."""
    return None if not text.strip() and column in MAY_BE_EMPTY else text


def _check_number(text: str) -> None:
    try:
        float(text)
    except ValueError:
        raise StudioError(
            "cell.no_number", _("“{text}” is not a number.").format(text=text[:40]),
            _("Write it with figures and a decimal point, e.g. 3.5"),
        ) from None  # fmt: skip


def _check_turns(text: str) -> None:
    try:
        json.loads(text)
    except ValueError:
        raise StudioError(
            "cell.no_conversation", _("This is not a conversation."), _("Write it message by message.")
        ) from None
    if not any(content.strip() for _role, content in turns_of(text)):
        raise StudioError(
            "cell.empty",
            _("This cell cannot be empty."),
            _("If you do not need the row, remove the whole row."),
        )
