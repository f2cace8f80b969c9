"""A new row, written by hand."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QComboBox, QLineEdit, QPlainTextEdit, QWidget

from studio.domain.shapes import SHAPES, Shape
from studio.errors import StudioError
from studio.gui.dialogs.product_form import FormDialog
from studio.gui.models.cell_rules import MAY_BE_EMPTY, check_row, kept_text
from studio.gui.models.cells import CellKind, kind_of, labels_text
from studio.gui.widgets import FormRow
from studio.i18n import _
from studio.words_data import column_title

_HEIGHT = 72
_LEFT_OUT = frozenset({"history", "time"})


def can_add(shape: Shape) -> bool:
    """Whether a row can be written by hand; images and recordings come by import."""
    return shape not in (Shape.IMAGE_LABEL, Shape.AUDIO_LABEL)


class AddRowDialog(FormDialog):
    """``cells()`` is the row as typed. Not for conversations, which have a dialog of their own."""

    def __init__(self, shape: Shape, labels: Sequence[str], parent: QWidget) -> None:
        super().__init__(_("Add a row"), _("Add"), parent)
        self._shape = shape
        self.fields: dict[str, QWidget] = {}
        for column in SHAPES[shape].stored:
            if column not in _LEFT_OUT:
                field = self.fields[column] = _field(column, labels)
                self.rows.addWidget(FormRow(_title(column), field))
        next(field for column, field in self.fields.items() if column not in MAY_BE_EMPTY).setFocus()

    def cells(self) -> dict[str, str | None]:
        """Column -> text; None for an optional one that was left empty."""
        return {column: kept_text(column, _value(column, field)) for column, field in self.fields.items()}

    def check(self) -> None:
        for column, text in self.cells().items():
            if column not in MAY_BE_EMPTY and not (text or "").strip():
                self.fields[column].setFocus()
                raise StudioError(
                    "cell.empty", _("“{name}” must be filled in.").format(name=column_title(column))
                )
        check_row(self._shape, self.cells())


def _title(column: str) -> str:
    name = column_title(column)
    return _("{name} (optional)").format(name=name) if column in MAY_BE_EMPTY else name


def _field(column: str, labels: Sequence[str]) -> QWidget:
    kind = kind_of(column)
    if kind is CellKind.TEXT and column not in ("user", "item"):
        text = QPlainTextEdit()
        text.setFixedHeight(_HEIGHT)
        text.setTabChangesFocus(True)
        return text
    if kind is CellKind.THUMB:
        thumb = QComboBox()
        thumb.addItem(_("Good"), "up")
        thumb.addItem(_("Bad"), "down")
        return thumb
    if kind is CellKind.LABEL:
        label = QComboBox()
        label.setEditable(True)
        label.addItems(["", *labels])
        return label
    line = QLineEdit()
    if kind is CellKind.LABELS:
        line.setPlaceholderText(_("Several labels, separated by commas"))
    return line


def _value(column: str, field: QWidget) -> str:
    if isinstance(field, QPlainTextEdit):
        return field.toPlainText()
    if isinstance(field, QComboBox):
        return str(field.currentData() or field.currentText()).strip()
    assert isinstance(field, QLineEdit)
    if kind_of(column) is CellKind.LABELS:
        parts = [part.strip() for part in field.text().replace("，", ",").split(",") if part.strip()]
        return labels_text(parts) if parts else ""
    return field.text().strip()
