"""The left rail: the pages, settings at the foot; folds to icons by its button or when the window is narrow."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QButtonGroup, QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from studio.gui.icons import icon
from studio.gui.theme import current_tokens, ui_font
from studio.gui.widgets import IconButton, IconLabel
from studio.i18n import _

WIDTH = 208
FOLDED_WIDTH = 56


class RailButton(QPushButton):
    """One page. Folded, the name moves into the tooltip."""

    def __init__(self, page_id: str, title: str, icon_name: str, shortcut: str) -> None:
        super().__init__(title)
        self.page_id = page_id
        self._title = title
        self._hint = f"{title}  ({shortcut})" if shortcut else title
        self.setCheckable(True)
        self.setAutoDefault(False)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setIcon(icon(icon_name))
        self.setIconSize(QSize(20, 20))
        self.setAccessibleName(title)
        self.set_folded(False)

    def set_folded(self, folded: bool) -> None:
        self.setText("" if folded else self._title)
        self.setIconSize(QSize(20 if folded else 28, 20))
        self.setToolTip(self._hint)


class Rail(QFrame):
    """``chosen`` carries the page id (str); ``fold_toggled`` the user's wish (bool: folded)."""

    chosen = Signal(str)
    fold_toggled = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._buttons: dict[str, RailButton] = {}
        self._group = QButtonGroup(self)
        self._folded = False
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 10, 8, 10)
        column.setSpacing(2)
        column.addWidget(self._build_head())
        column.addSpacing(12)
        self._pages = QVBoxLayout()
        self._pages.setSpacing(2)
        column.addLayout(self._pages)
        column.addStretch(1)
        self._foot = QVBoxLayout()
        self._foot.setSpacing(2)
        column.addLayout(self._foot)
        self.fold_button = IconButton("rail-fold", "", self._toggle)
        self._foot.addWidget(self.fold_button)
        self.set_folded(False)

    @property
    def folded(self) -> bool:
        return self._folded

    def add(self, page_id: str, title: str, icon_name: str, shortcut: str, *, at_foot: bool = False) -> None:
        """Append a page (or put it at the foot, above the fold button)."""
        button = RailButton(page_id, title, icon_name, shortcut)
        button.set_folded(self._folded)
        button.clicked.connect(lambda: self.chosen.emit(page_id))
        self._group.addButton(button)
        self._buttons[page_id] = button
        if at_foot:
            self._foot.insertWidget(self._foot.count() - 1, button)
        else:
            self._pages.addWidget(button)

    def mark(self, page_id: str) -> None:
        """Show which page is open."""
        self._buttons[page_id].setChecked(True)

    def button(self, page_id: str) -> RailButton:
        """The button of a page."""
        return self._buttons[page_id]

    def set_folded(self, folded: bool) -> None:
        """Icons only, or icons with names."""
        self._folded = folded
        self.setFixedWidth(FOLDED_WIDTH if folded else WIDTH)
        for button in self._buttons.values():
            button.set_folded(folded)
        self._name.setVisible(not folded)
        self.fold_button.set_name(_("Show names") if folded else _("Fold to icons"))

    def _build_head(self) -> QWidget:
        head = QWidget()
        row = QHBoxLayout(head)
        row.setContentsMargins(9, 4, 4, 4)
        row.setSpacing(10)
        row.addWidget(IconLabel("logo", "accent_text", 22))
        self._name = QLabel(_("Product Matrix"))
        self._name.setFont(ui_font(current_tokens().fonts.body, QFont.Weight.DemiBold))
        row.addWidget(self._name, 1)
        return head

    def _toggle(self) -> None:
        self.fold_toggled.emit(not self._folded)
