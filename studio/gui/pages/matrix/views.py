"""The two views of a matrix: the table of products, and the synergy graph with its links in words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from studio.domain.products import Matrix, SynergyLink
from studio.gui.models.matrix_table import MatrixTable
from studio.gui.pages.matrix.graph_items import link_words
from studio.gui.pages.matrix.graph_view import SynergyGraph
from studio.gui.pages.matrix.product_table import ProductTable
from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, Caption, Card, GhostButton
from studio.i18n import _

if TYPE_CHECKING:
    from studio.services.matrices import ProductRow

_LINKS_WIDTH = 272


class TableView(QWidget):
    """The products with buttons for the chosen one. edit, link, remove: to be connected by the page."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.model = MatrixTable(self)
        self.table = ProductTable(self.model)
        self.chosen = Caption()
        self.edit = GhostButton(_("Edit"), icon="edit")
        self.link = GhostButton(_("Link…"), icon="link")
        self.remove = GhostButton(_("Remove"), icon="trash")
        self._arrange()
        self.table.product_chosen.connect(lambda _id: self._show_chosen())

    def show_rows(self, rows: Sequence[ProductRow], product_id: str | None) -> None:
        """Show these products and make one current."""
        self.model.show_rows(rows)
        self.table.choose(product_id)
        self._show_chosen()

    def _arrange(self) -> None:
        space = current_tokens().space
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        card, body = _plate(1)
        bar = QHBoxLayout()
        bar.setContentsMargins(space.m, space.s, space.s, 0)
        bar.setSpacing(0)
        bar.addWidget(self.chosen, 1)
        for button in (self.edit, self.link, self.remove):
            bar.addWidget(button)
        body.setSpacing(space.xs)
        body.addLayout(bar)
        body.addWidget(self.table, 1)
        body.addSpacing(current_tokens().radius)
        column.addWidget(card)

    def _show_chosen(self) -> None:
        row = self.model.row_of(self.table.chosen())
        for button in (self.edit, self.link, self.remove):
            button.setEnabled(row is not None)
        if row is None:
            self.chosen.setText(_("Choose a product to work on it."))
        else:
            self.chosen.setText(_("Chosen: {name}").format(name=self.model.product(row).name))


class SynergyView(QWidget):
    """The graph, and beside it the same links in words for everyone who does not drag."""

    link_opened = Signal(object)  # link id
    link_removed = Signal(object)  # link id

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.graph = SynergyGraph()
        self.links = QListWidget()
        self.links.setAccessibleName(_("Links"))
        self.links.setWordWrap(True)
        self.links.setSpacing(3)
        self.links.setFrameShape(QListWidget.Shape.NoFrame)
        self.edit = GhostButton(_("Edit"), self._open, icon="edit")
        self.remove = GhostButton(_("Remove"), self._remove, icon="trash")
        self.hint = Caption(
            _("Drag from one product to another to link them. An arrow grows with the rows that flowed.")
        )
        self.links.itemActivated.connect(lambda _item: self._open())
        self.links.currentItemChanged.connect(lambda _now, _before: self._enable())
        self.graph.link_chosen.connect(self.link_opened)
        self.graph.link_removed.connect(self.link_removed)
        self._arrange()
        self._enable()

    def show_matrix(self, matrix: Matrix, product_id: str | None) -> None:
        """Draw a matrix and list its links."""
        self.graph.show_matrix(matrix)
        self.graph.choose(product_id)
        names = {product.id: product.name for product in matrix.products}
        self.links.clear()
        for link in matrix.links:
            self.links.addItem(_link_item(link, names))
        self._no_links.setVisible(not matrix.links)
        self.links.setVisible(bool(matrix.links))
        self._enable()

    def _arrange(self) -> None:
        space = current_tokens().space
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(space.l)
        drawing, body = _plate(space.s)
        body.addWidget(self.graph, 1)
        self.hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        body.addWidget(self.hint)
        side = Card(_("Links"))
        side.setFixedWidth(_LINKS_WIDTH)
        self._no_links = BodyText(_("No links yet."), tone="muted")
        self._no_links.setAlignment(Qt.AlignmentFlag.AlignTop)
        side.add(self._no_links, 1)
        side.add(self.links, 1)
        feet = QHBoxLayout()
        feet.addWidget(self.edit)
        feet.addWidget(self.remove)
        feet.addStretch(1)
        side.body.addLayout(feet)
        row.addWidget(drawing, 1)
        row.addWidget(side)

    def _current(self) -> str | None:
        item = self.links.currentItem()
        return str(item.data(Qt.ItemDataRole.UserRole)) if item is not None else None

    def _enable(self) -> None:
        for button in (self.edit, self.remove):
            button.setEnabled(self._current() is not None)

    def _open(self) -> None:
        if self._current() is not None:
            self.link_opened.emit(self._current())

    def _remove(self) -> None:
        if self._current() is not None:
            self.link_removed.emit(self._current())


def _plate(margin: int) -> tuple[QFrame, QVBoxLayout]:
    """A card whose content reaches its edges."""
    frame = QFrame()
    frame.setObjectName("card")
    body = QVBoxLayout(frame)
    body.setContentsMargins(margin, margin, margin, margin)
    return frame, body


def _link_item(link: SynergyLink, names: dict[str, str]) -> QListWidgetItem:
    ends = f"{names.get(link.source_id, '?')} → {names.get(link.target_id, '?')}"
    words = link_words(replace(link, note=""))
    item = QListWidgetItem(f"{ends}\n{words}")
    item.setToolTip(link.note)
    item.setData(Qt.ItemDataRole.UserRole, link.id)
    return item
