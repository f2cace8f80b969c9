"""The top bar: which matrix, which product, and how far that product is on its way from data to a tried model."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from PySide6.QtCore import QSize, Qt, Signal
from PySide6.QtGui import QAction, QActionGroup, QFont
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMenu, QPushButton, QWidget

from studio.gui.icons import icon
from studio.gui.shell.facts import Item, StageFact, StageKey, StageState
from studio.gui.theme import current_tokens, ui_font
from studio.gui.widgets import IconButton, IconLabel
from studio.i18n import _
from studio.words import labelled

HEIGHT = 56
STAGE_PAGES: dict[StageKey, str] = {"data": "data", "train": "train", "try": "playground"}
_LOOKS: dict[StageState, tuple[str, str]] = {
    "todo": ("circle", "text_muted"),
    "ready": ("target", "accent_text"),
    "running": ("clock", "accent_text"),
    "attention": ("warning", "warning"),
    "done": ("success", "success"),
}


class SpineStage(QPushButton):
    """One stage with its state as icon and colour; the words are in tooltip and accessible description."""

    def __init__(self, title: str) -> None:
        super().__init__(title)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAutoDefault(False)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setIconSize(QSize(20, 16))
        self.set_fact(StageFact("todo", ""))

    def set_fact(self, fact: StageFact) -> None:
        name, tone = _LOOKS[fact.state]
        self.setIcon(icon(name, tone))
        self.setToolTip(fact.words)
        self.setAccessibleName(self.text())
        self.setAccessibleDescription(fact.words)
        self.setProperty("state", fact.state)
        self.style().unpolish(self)
        self.style().polish(self)


class ProductButton(QPushButton):
    """A choice that opens a menu; long names are cut with an ellipsis, in full in the tooltip."""

    chosen = Signal(str)

    def __init__(self, what: str, empty: str) -> None:
        super().__init__()
        self._what, self._empty = what, empty
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAutoDefault(False)
        self.setMenu(QMenu(self))
        self.set_items([], None)

    def set_items(self, items: Sequence[Item], current: str | None) -> None:
        """Offer other things; ``current`` is the id of the chosen one."""
        menu = self.menu()
        menu.clear()
        group = QActionGroup(menu)
        for item in items:
            action = QAction(item.name.replace("&", "&&"), menu, checkable=True, checked=item.id == current)
            action.triggered.connect(lambda _checked, item_id=item.id: self.chosen.emit(item_id))
            group.addAction(action)
            menu.addAction(action)
        name = next((item.name for item in items if item.id == current), self._empty)
        self.setEnabled(bool(items))
        shown = self.fontMetrics().elidedText(name, Qt.TextElideMode.ElideRight, 190)
        self.setText(shown.replace("&", "&&"))
        both = labelled(self._what, name)
        self.setToolTip(both)
        self.setAccessibleName(both)


class TopBar(QFrame):
    """Signals: matrix_chosen(id), product_chosen(id), stage_opened(page id)."""

    matrix_chosen = Signal(str)
    product_chosen = Signal(str)
    stage_opened = Signal(str)

    def __init__(self, open_palette: Callable[[], None], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setFixedHeight(HEIGHT)
        self.matrix = ProductButton(_("Matrix"), _("No matrix yet"))
        self.matrix.setFont(ui_font(current_tokens().fonts.body, QFont.Weight.DemiBold))
        self.product = ProductButton(_("Product"), _("No product yet"))
        self.matrix.chosen.connect(self.matrix_chosen)
        self.product.chosen.connect(self.product_chosen)
        self._stages: dict[StageKey, SpineStage] = {}
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 0, 12, 0)
        row.setSpacing(8)
        row.addWidget(self.matrix)
        row.addWidget(IconLabel("chevron-right", "text_disabled", 16))
        row.addWidget(self.product)
        row.addStretch(1)
        self._add_spine(row)
        row.addStretch(1)
        search = IconButton("search", _("Search actions (Ctrl+K)"), open_palette)
        row.addWidget(search)

    def stage(self, key: StageKey) -> SpineStage:
        """One stage of the spine."""
        return self._stages[key]

    def set_stages(self, facts: Mapping[StageKey, StageFact]) -> None:
        """Show how far the chosen product is."""
        for key, fact in facts.items():
            self._stages[key].set_fact(fact)

    def _add_spine(self, row: QHBoxLayout) -> None:
        titles: dict[StageKey, str] = {"data": _("Data"), "train": _("Train"), "try": _("Try")}
        for key, title in titles.items():
            if self._stages:
                row.addWidget(IconLabel("arrow-right", "text_disabled", 14))
            stage = SpineStage(title)
            stage.clicked.connect(lambda _checked=False, page=STAGE_PAGES[key]: self.stage_opened.emit(page))
            self._stages[key] = stage
            row.addWidget(stage)
