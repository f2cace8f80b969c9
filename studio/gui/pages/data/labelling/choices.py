"""The labels to choose from: a button each, the first nine with their key, and a field for all the others."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QObject, QStringListModel, Qt, Signal
from PySide6.QtGui import QIcon, QKeyEvent
from PySide6.QtWidgets import QCompleter, QGridLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from studio.gui.icons import icon
from studio.gui.theme import current_tokens
from studio.gui.widgets import SecondaryButton
from studio.i18n import _

KEYS = 9
_IN_A_ROW = 3


class LabelChoices(QWidget):
    """chosen: a label (str), known or new. left: the field was left with Escape."""

    chosen = Signal(str)
    left = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.labels: list[str] = []
        self.buttons: list[QPushButton] = []
        self._grid = QGridLayout()
        self._grid.setSpacing(current_tokens().space.s)
        self._names = QStringListModel(self)
        completer = QCompleter(self._names, self)
        completer.setCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        completer.setFilterMode(Qt.MatchFlag.MatchContains)
        self.field = QLineEdit()
        self.field.setCompleter(completer)
        self.field.setMaxLength(200)
        self.field.installEventFilter(self)
        self._new = False
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(current_tokens().space.s)
        column.addLayout(self._grid)
        column.addWidget(self.field)
        self._name_field()

    def show_labels(self, labels: Sequence[str], chosen: Sequence[str]) -> None:
        """Show these labels; the chosen ones are marked."""
        if list(labels) != self.labels:
            self.labels = list(labels)
            self._names.setStringList(self.labels)
            self._build()
            self._name_field()
        for button, label in zip(self.buttons, self.labels, strict=False):
            button.setChecked(label in chosen)
            button.setIcon(icon("check", "accent_text") if label in chosen else QIcon())

    def label_at(self, key: int) -> str | None:
        """The label of key 1–9."""
        return self.labels[key - 1] if 0 < key <= min(KEYS, len(self.labels)) else None

    def begin(self, text: str = "", *, new: bool = False) -> None:
        """Put the cursor into the field; ``new``: what is typed is a new label even when it begins like another."""
        self._new = new
        self._name_field()
        self.field.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.setText(text)

    def eventFilter(self, field: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._take()
                return True
            if event.key() == Qt.Key.Key_Escape:
                self._end()
                return True
        return super().eventFilter(field, event)

    def _take(self) -> None:
        text = self.field.text().strip()
        label = text if self._new else self._meant(text)
        self._end()
        if label:
            self.chosen.emit(label)

    def _meant(self, text: str) -> str:
        """The known label that was begun, or the text as a new one."""
        exact = [label for label in self.labels if label.casefold() == text.casefold()]
        begun = [label for label in self.labels if text and label.casefold().startswith(text.casefold())]
        return (exact or begun or [text])[0]

    def _end(self) -> None:
        self._new = False
        self.field.clear()
        self._name_field()
        self.left.emit()

    def _name_field(self) -> None:
        if not self.labels:
            words = _("Type the first label, then Enter")
        elif self._new:
            words = _("Name of the new label, then Enter")
        else:
            words = _("Type a label, or a new one, then Enter")
        self.field.setPlaceholderText(words)
        self.field.setAccessibleName(words)

    def _build(self) -> None:
        for button in self.buttons:
            button.hide()
            button.deleteLater()
        self.buttons = []
        for position, label in enumerate(self.labels[:KEYS]):
            button = SecondaryButton(f"{position + 1}   {label}".replace("&", "&&"))
            button.setCheckable(True)
            button.setObjectName("label_choice")
            button.setToolTip(label)
            button.setAccessibleName(label)
            button.setAccessibleDescription(_("Key {n}").format(n=position + 1))
            button.clicked.connect(lambda _checked=False, name=label: self.chosen.emit(name))
            self.buttons.append(button)
            self._grid.addWidget(button, position // _IN_A_ROW, position % _IN_A_ROW)
