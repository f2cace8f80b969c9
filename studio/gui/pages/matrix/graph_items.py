"""Nodes and arrows of the synergy graph."""

from __future__ import annotations

import math

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QPainter, QPainterPath, QPainterPathStroker, QPen, QPolygonF
from PySide6.QtWidgets import QGraphicsItem, QStyle, QStyleOptionGraphicsItem, QWidget

from studio.domain.products import LinkState, Product, Role, SynergyLink, title
from studio.gui.theme import current_tokens, ui_font
from studio.i18n import _, ngettext
from studio.words import listed

NODE_WIDTH = 220.0
NODE_HEIGHT = 68.0
_ARROW = 10.0
_BEND = 72.0  # px that an arrow bows sideways, so that two opposite ones do not cover each other


class ProductNode(QGraphicsItem):
    """One product as a rounded plate; takes focus, and a drag from it starts a link."""

    def __init__(self, product: Product) -> None:
        super().__init__()
        self.product = product
        self.target = False  # an arrow is being dragged over it
        self.setFlags(
            QGraphicsItem.GraphicsItemFlag.ItemIsFocusable | QGraphicsItem.GraphicsItemFlag.ItemIsSelectable
        )
        self.setAcceptHoverEvents(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setZValue(2)
        self.setToolTip(product.description or _("Drag to another product to link them."))

    def set_target(self, target: bool) -> None:
        """Show whether a dragged arrow would end here."""
        if target != self.target:
            self.target = target
            self.update()

    def boundingRect(self) -> QRectF:
        return QRectF(-NODE_WIDTH / 2 - 3, -NODE_HEIGHT / 2 - 3, NODE_WIDTH + 6, NODE_HEIGHT + 6)

    def shape(self) -> QPainterPath:
        path = QPainterPath()
        path.addRect(self._plate())
        return path

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        tokens = current_tokens()
        state: QStyle.StateFlag = option.state
        core = self.product.role is Role.CORE
        marked = (
            bool(state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_HasFocus)) or self.target
        )
        hover = bool(state & QStyle.StateFlag.State_MouseOver)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        edge = tokens.accent if core or marked or hover else tokens.border_strong
        painter.setPen(QPen(QColor(edge), 2.5 if marked else 1.5 if core else 1))
        painter.setBrush(QColor(tokens.accent_soft if core or self.target else tokens.surface))
        painter.drawRoundedRect(self._plate(), tokens.radius, tokens.radius)
        words = self._plate().adjusted(14, 11, -14, -11)
        self._line(
            painter, words, self.product.name, tokens.text, tokens.fonts.body, Qt.AlignmentFlag.AlignTop
        )
        below = f"{title(self.product.role)} · {title(self.product.stage)}"
        self._line(
            painter, words, below, tokens.text_muted, tokens.fonts.caption, Qt.AlignmentFlag.AlignBottom
        )

    def _plate(self) -> QRectF:
        return QRectF(-NODE_WIDTH / 2, -NODE_HEIGHT / 2, NODE_WIDTH, NODE_HEIGHT)

    def _line(
        self, painter: QPainter, rect: QRectF, text: str, colour: str, size: int, align: Qt.AlignmentFlag
    ) -> None:
        font = ui_font(size)
        if align == Qt.AlignmentFlag.AlignTop:
            font.setWeight(font.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(QColor(colour))
        shown = QFontMetricsF(font).elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
        painter.drawText(rect, align | Qt.AlignmentFlag.AlignLeft, shown)


class LinkArrow(QGraphicsItem):
    """A link as a bowed arrow; as wide as the rows that really flowed, dashed until some did."""

    def __init__(self, link: SynergyLink, source: ProductNode, target: ProductNode) -> None:
        super().__init__()
        self.link = link
        self._path, self._head, self._label_at = _route(source.pos(), target.pos())
        self.setFlags(
            QGraphicsItem.GraphicsItemFlag.ItemIsFocusable | QGraphicsItem.GraphicsItemFlag.ItemIsSelectable
        )
        self.setAcceptHoverEvents(True)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setToolTip(link_words(link))

    def boundingRect(self) -> QRectF:
        margin = 100.0  # the label
        return self._path.boundingRect().adjusted(-margin, -24, margin, 24)

    def shape(self) -> QPainterPath:
        stroker = QPainterPathStroker()
        stroker.setWidth(18)
        return stroker.createStroke(self._path)

    def paint(
        self, painter: QPainter, option: QStyleOptionGraphicsItem, widget: QWidget | None = None
    ) -> None:
        tokens = current_tokens()
        state: QStyle.StateFlag = option.state
        marked = bool(state & (QStyle.StateFlag.State_Selected | QStyle.StateFlag.State_HasFocus))
        hover = bool(state & QStyle.StateFlag.State_MouseOver)
        colour = tokens.error if self.link.state is LinkState.BROKEN else tokens.text_muted
        colour = tokens.accent if marked or hover or self.link.rows_flowed else colour
        pen = QPen(QColor(colour), edge_width(self.link.rows_flowed) + (1 if marked else 0))
        pen.setCapStyle(Qt.PenCapStyle.FlatCap)
        if self.link.rows_flowed == 0:
            pen.setDashPattern([5, 4])
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(self._path)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colour))
        painter.drawPolygon(self._head)
        self._label(painter)

    def _label(self, painter: QPainter) -> None:
        tokens = current_tokens()
        font = ui_font(tokens.fonts.caption)
        metrics = QFontMetricsF(font)
        text = title(self.link.kind)
        if self.link.rows_flowed:
            text = f"{text} · {_rows(self.link.rows_flowed)}"
        plate = QRectF(0, 0, metrics.horizontalAdvance(text) + 14, 20)
        plate.moveCenter(self._label_at)
        painter.setBrush(QColor(tokens.surface))
        painter.drawRoundedRect(plate, 10, 10)
        painter.setFont(font)
        painter.setPen(QColor(tokens.text_muted))
        painter.drawText(plate, Qt.AlignmentFlag.AlignCenter, text)


def edge_width(rows_flowed: int) -> float:
    """Width of an arrow in px: 1.5 while nothing flowed, then growing with log10 of the rows, at most 9."""
    return min(1.5 + 1.25 * math.log10(1 + rows_flowed), 9.0)


def link_words(link: SynergyLink) -> str:
    """A link in words: kind, columns, rows, note."""
    parts = [title(link.kind), listed(link.payload)]
    parts += [_rows(link.rows_flowed) if link.rows_flowed else title(link.state), link.note]
    return " · ".join(part for part in parts if part)


def _rows(n: int) -> str:
    return ngettext("{n} row", "{n} rows", n).format(n=f"{n:,}")


def _route(start: QPointF, end: QPointF) -> tuple[QPainterPath, QPolygonF, QPointF]:
    """The bowed line between two plates, its arrow head, and the place of its label."""
    along = end - start
    length = math.hypot(along.x(), along.y()) or 1.0
    across = QPointF(-along.y(), along.x()) / length
    bend = (start + end) / 2 + across * _BEND
    first, last = _border(start, bend), _border(end, bend)
    tip = last - bend
    size = math.hypot(tip.x(), tip.y()) or 1.0
    forward = tip / size
    back = last - forward * _ARROW
    side = QPointF(-forward.y(), forward.x()) * _ARROW * 0.6
    path = QPainterPath(first)
    path.quadTo(bend, back)
    return path, QPolygonF([last, back + side, back - side]), path.pointAtPercent(0.5)


def _border(centre: QPointF, towards: QPointF) -> QPointF:
    """Where the line from a plate's centre leaves the plate, with a little air."""
    away = towards - centre
    half_width, half_height = NODE_WIDTH / 2 + 5, NODE_HEIGHT / 2 + 5
    shrink = min(
        half_width / abs(away.x()) if away.x() else math.inf,
        half_height / abs(away.y()) if away.y() else math.inf,
    )
    return centre + away * min(shrink, 1.0)
