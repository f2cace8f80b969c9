"""A choice as a card: a name, a sentence, side remarks; one of a group is chosen, by mouse or keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Generic, TypeVar

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QGridLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, Caption

Key = TypeVar("Key", bound=StrEnum)
_COLUMNS = 2


class ChoiceCard(QPushButton):
    """Checkable; put several into one exclusive QButtonGroup. Arrow keys move within the group."""

    def __init__(self, title: str, text: str, remark: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setCheckable(True)
        self.setAutoDefault(False)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAccessibleName(title)
        self.setAccessibleDescription(f"{text} {remark}".strip())
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.MinimumExpanding)
        space = current_tokens().space
        column = QVBoxLayout(self)
        column.setContentsMargins(space.l, space.m, space.l, space.m)
        column.setSpacing(2)
        self._text = Caption(text)
        for part in (BodyText(title, bold=True), self._text, Caption(remark)):
            part.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
            column.addWidget(part)
            part.setVisible(bool(part.text()))
        column.addStretch(1)

    def set_text(self, text: str) -> None:
        """Another sentence below the name."""
        self._text.setText(text)
        self._text.setVisible(bool(text))
        self.setAccessibleDescription(text)

    def hasHeightForWidth(self) -> bool:
        return True

    def heightForWidth(self, width: int) -> int:
        layout = self.layout()
        return layout.totalHeightForWidth(width) if layout is not None else super().heightForWidth(width)

    def sizeHint(self) -> QSize:
        layout = self.layout()
        return layout.totalSizeHint() if layout is not None else super().sizeHint()

    def minimumSizeHint(self) -> QSize:
        layout = self.layout()
        return layout.totalMinimumSize() if layout is not None else super().minimumSizeHint()


class ChoiceGrid(QWidget, Generic[Key]):
    """The members of an enum as cards side by side, those that fit shown. ``chosen`` carries the member."""

    chosen = Signal(object)

    def __init__(self, titles: Mapping[Key, str], help_texts: Mapping[Key, str], name: str) -> None:
        super().__init__()
        self.setAccessibleName(name)
        self.cards = {key: ChoiceCard(title, help_texts[key]) for key, title in titles.items()}
        self._group = QButtonGroup(self)
        self._shown: list[Key] = []
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(current_tokens().space.m)
        for column in range(_COLUMNS):
            self._grid.setColumnStretch(column, 1)
        for key, card in self.cards.items():
            card.setParent(self)
            card.hide()
            self._group.addButton(card)
            card.clicked.connect(lambda _checked=False, key=key: self.chosen.emit(key))

    def show_choices(self, fitting: Sequence[Key], current: Key) -> None:
        """Show these, in this order, with ``current`` marked."""
        self.cards[current].setChecked(True)
        if list(fitting) == self._shown:
            return
        for card in self.cards.values():
            self._grid.removeWidget(card)
            card.hide()
        self._shown = list(fitting)
        for place, key in enumerate(self._shown):
            self._grid.addWidget(self.cards[key], place // _COLUMNS, place % _COLUMNS)
            self.cards[key].show()
