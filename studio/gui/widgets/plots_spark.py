"""A loss curve in a table cell: a line of a word's size, drawn by a delegate. Pure Qt, no pyqtgraph."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem

from studio.gui.theme import current_tokens, tabular_font
from studio.gui.widgets.plots_series import running_mean

SPARK_POINTS = 48
_SMOOTHING = 0.6
_LINE_WIDTH = 56


def spark_points(losses: Sequence[float | None]) -> tuple[float, ...]:
    """The losses as at most SPARK_POINTS smoothed means of equal stretches."""
    known = np.array([loss for loss in losses if loss is not None], dtype=np.float64)
    if not len(known):
        return ()
    stretches = np.array_split(known, min(SPARK_POINTS, len(known)))
    return tuple(float(v) for v in running_mean(np.array([part.mean() for part in stretches]), _SMOOTHING))


class SparkDelegate(QStyledItemDelegate):
    """Paints ``role``'s points (tuple of floats) left of the cell's text."""

    def __init__(self, role: int) -> None:
        super().__init__()
        self._role = role

    def paint(
        self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex
    ) -> None:
        self.initStyleOption(option, index)
        text, option.text = option.text, ""
        widget = option.widget
        style = widget.style() if widget is not None else None
        if style is not None:
            style.drawControl(QStyle.ControlElement.CE_ItemViewItem, option, painter, widget)
        area = QRectF(option.rect).adjusted(8, 0, -8, 0)
        tokens = current_tokens()
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        points = index.data(self._role) or ()
        if len(points) > 1:
            painter.setPen(QPen(QColor(tokens.plot[0]), 1.5))
            line = QRectF(area.left(), area.center().y() - 8, _LINE_WIDTH, 16)
            painter.drawPolyline(_polygon(points, line))
        painter.setPen(QColor(tokens.text))
        painter.setFont(tabular_font(tokens.fonts.body))
        words = area.adjusted(_LINE_WIDTH + 10, 0, 0, 0)
        painter.drawText(words, int(Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft), text)
        painter.restore()


def _polygon(points: Sequence[float], area: QRectF) -> QPolygonF:
    low, high = min(points), max(points)
    span = (high - low) or 1.0
    step = area.width() / (len(points) - 1)
    corners = [
        QPointF(area.left() + i * step, area.bottom() - (value - low) / span * area.height())
        for i, value in enumerate(points)
    ]
    return QPolygonF(corners)
