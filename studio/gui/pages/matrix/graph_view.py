"""The synergy graph: the core product in the middle, links drawn by dragging from product to product."""

from __future__ import annotations

import math

from PySide6.QtCore import QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import (
    QFrame,
    QGraphicsItem,
    QGraphicsLineItem,
    QGraphicsScene,
    QGraphicsView,
    QWidget,
)

from studio.domain.products import Matrix
from studio.gui.pages.matrix.graph_items import LinkArrow, ProductNode, link_words
from studio.gui.theme import current_tokens
from studio.i18n import _
from studio.words import clauses, labelled

_MARGIN = 40.0
_RADIUS_X = 340.0
_RADIUS_Y = 290.0
_ROOM_PER_NODE = 150.0  # px of the ellipse's half perimeter that one product needs


class SynergyGraph(QGraphicsView):
    """Shows a matrix. Wishes leave as signals; nothing is changed here.

    link_wanted: (source product id, target product id or None for "ask").
    link_chosen / link_removed: link id, to edit or to remove.
    product_opened / product_chosen: product id.
    """

    link_wanted = Signal(object)
    link_chosen = Signal(object)
    link_removed = Signal(object)
    product_opened = Signal(object)
    product_chosen = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setScene(QGraphicsScene(self))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setRenderHint(QPainter.RenderHint.Antialiasing)
        self.setViewportUpdateMode(QGraphicsView.ViewportUpdateMode.FullViewportUpdate)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(_("Synergy graph"))
        self._nodes: dict[str, ProductNode] = {}
        self._arrows: list[LinkArrow] = []
        self._dragged_from: ProductNode | None = None
        self._rubber: QGraphicsLineItem | None = None

    def show_matrix(self, matrix: Matrix) -> None:
        """Draw products and links anew."""
        self._end_drag()
        self.scene().clear()
        self._nodes = {product.id: ProductNode(product) for product in matrix.products}
        self._arrows = []
        for product_id, place in positions(matrix).items():
            self._nodes[product_id].setPos(place)
            self.scene().addItem(self._nodes[product_id])
        for link in matrix.links:
            if link.source_id in self._nodes and link.target_id in self._nodes:
                arrow = LinkArrow(link, self._nodes[link.source_id], self._nodes[link.target_id])
                self.scene().addItem(arrow)
                self._arrows.append(arrow)
        self.setAccessibleDescription(_spoken(matrix))
        self._fit()

    def node_centre(self, product_id: str) -> QPoint:
        """Where a product stands in the viewport (for the pointer)."""
        return self.mapFromScene(self._nodes[product_id].pos())

    def choose(self, product_id: str | None) -> None:
        """Mark a product."""
        self.scene().clearSelection()
        if product_id in self._nodes:
            self._nodes[product_id].setSelected(True)

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._fit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        node = self._node_at(event.position().toPoint())
        if node is not None and event.button() == Qt.MouseButton.LeftButton:
            self._dragged_from = node
            self.product_chosen.emit(node.product.id)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        if self._dragged_from is not None and event.buttons() & Qt.MouseButton.LeftButton:
            self._draw_rubber(self.mapToScene(event.position().toPoint()))
            over = self._node_at(event.position().toPoint())
            for node in self._nodes.values():
                node.set_target(node is over and node is not self._dragged_from)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        super().mouseReleaseEvent(event)
        source, target = self._dragged_from, self._node_at(event.position().toPoint())
        self._end_drag()
        if source is not None and target is not None and source is not target:
            self.link_wanted.emit((source.product.id, target.product.id))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self._end_drag()
        self._open(self.itemAt(event.position().toPoint()))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        item = self.scene().focusItem()
        key = event.key()
        if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            self._open(item)
        elif key == Qt.Key.Key_Delete and isinstance(item, LinkArrow):
            self.link_removed.emit(item.link.id)
        elif key == Qt.Key.Key_L and isinstance(item, ProductNode):
            self.link_wanted.emit((item.product.id, None))
        elif key in (Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down):
            self._step(1 if key in (Qt.Key.Key_Right, Qt.Key.Key_Down) else -1)
        else:
            super().keyPressEvent(event)

    def _open(self, item: QGraphicsItem | None) -> None:
        if isinstance(item, LinkArrow):
            self.link_chosen.emit(item.link.id)
        elif isinstance(item, ProductNode):
            self.product_opened.emit(item.product.id)

    def _step(self, by: int) -> None:
        """Move the focus to the next product or link."""
        items: list[QGraphicsItem] = [*self._nodes.values(), *self._arrows]
        if not items:
            return
        current = self.scene().focusItem()
        position = next((i for i, item in enumerate(items) if item is current), -1 if by > 0 else 0)
        item = items[(position + by) % len(items)]
        self.scene().clearSelection()
        item.setSelected(True)
        item.setFocus(Qt.FocusReason.TabFocusReason)
        if isinstance(item, ProductNode):
            self.product_chosen.emit(item.product.id)

    def _node_at(self, place: QPoint) -> ProductNode | None:
        return next((item for item in self.items(place) if isinstance(item, ProductNode)), None)

    def _draw_rubber(self, end: QPointF) -> None:
        if self._dragged_from is None:
            return
        if self._rubber is None:
            self._rubber = self.scene().addLine(0, 0, 0, 0, QPen(QColor(current_tokens().accent), 2))
            self._rubber.setZValue(1)
        start = self._dragged_from.pos()
        self._rubber.setLine(start.x(), start.y(), end.x(), end.y())

    def _end_drag(self) -> None:
        self._dragged_from = None
        if self._rubber is not None:
            self.scene().removeItem(self._rubber)
            self._rubber = None
        for node in self._nodes.values():
            node.set_target(False)

    def _fit(self) -> None:
        """Scale down until all is in sight; never magnify."""
        wanted = self.scene().itemsBoundingRect().adjusted(-_MARGIN, -_MARGIN, _MARGIN, _MARGIN)
        self.setSceneRect(wanted)
        if wanted.isEmpty():
            return
        scale = min(self.viewport().width() / wanted.width(), self.viewport().height() / wanted.height(), 1.0)
        self.resetTransform()
        self.scale(scale, scale)
        self.centerOn(wanted.center())


def positions(matrix: Matrix) -> dict[str, QPointF]:
    """Where each product stands: the core at (0, 0), the others on an ellipse that grows with them."""
    core = matrix.core
    around = [product for product in matrix.products if core is None or product.id != core.id]
    places = {core.id: QPointF(0, 0)} if core is not None else {}
    grow = max(1.0, len(around) * _ROOM_PER_NODE / (math.pi * (_RADIUS_X + _RADIUS_Y) / 2))
    pair = [math.radians(-145), math.radians(-35)]  # two stand above the core, left and right
    for number, product in enumerate(around):
        angle = pair[number] if len(around) == 2 else math.pi * (0.5 + 2 * number / len(around))
        places[product.id] = QPointF(math.cos(angle) * _RADIUS_X * grow, math.sin(angle) * _RADIUS_Y * grow)
    return places


def _spoken(matrix: Matrix) -> str:
    names = {product.id: product.name for product in matrix.products}
    lines = [
        labelled(f"{names[link.source_id]} → {names[link.target_id]}", link_words(link))
        for link in matrix.links
        if link.source_id in names and link.target_id in names
    ]
    return clauses(lines) or _("No links yet.")
