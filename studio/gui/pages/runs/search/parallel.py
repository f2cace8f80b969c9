"""Parallel coordinates: each trial a line across the searched settings to its loss, the best one drawn out."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPainterPath,
    QPainterPathStroker,
    QPaintEvent,
    QPen,
    QResizeEvent,
)
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from studio.domain.searches import Search
from studio.gui.pages.runs.search.axes import Axis, Line, axes_of, lines_of
from studio.gui.theme import current_tokens, tabular_font, ui_font
from studio.i18n import _

_REACH_PX = 7.0  # how near the mouse must be to a line
_HEAD, _FOOT, _SIDE = 40, 26, 78
_BOW = 0.42  # how far a line leaves an axis level, as a share of the distance


class ParallelPlot(QWidget):
    """Hovering or the arrow keys light up a trial; ``lit`` carries its number (object, None for none).

    ``chosen`` carries the number of a trial that was clicked, or Enter pressed on.
    """

    lit = Signal(object)
    chosen = Signal(int)

    def __init__(self, words: Callable[[int], str] = lambda number: str(number)) -> None:
        """words: of a trial, for the tooltip and the screen reader."""
        super().__init__()
        self._words = words
        self._axes: list[Axis] = []
        self._lines: list[Line] = []
        self._paths: dict[int, QPainterPath] = {}
        self._lit: int | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMinimumHeight(240)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(_("Trials across their settings"))

    def sizeHint(self) -> QSize:
        return QSize(720, 280)

    def show_search(self, search: Search) -> None:
        """Draw the trials of this search."""
        self._axes, self._lines = axes_of(search), lines_of(search)
        if self._lit not in {line.number for line in self._lines}:
            self._lit = None
        self._lay_out()

    def lit_number(self) -> int | None:
        """The trial that is lit up."""
        return self._lit

    def light(self, number: int | None) -> None:
        """Light up a trial, as hovering does."""
        if number != self._lit:
            self._lit = number
            self.setAccessibleDescription("" if number is None else self._words(number))
            self.update()
            self.lit.emit(number)

    def point(self, number: int, axis: int) -> QPointF:
        """Where a trial's line crosses an axis, in the widget."""
        line = next(each for each in self._lines if each.number == number)
        share = line.places[axis]
        assert share is not None
        return QPointF(self._x(axis), self._y(share))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._lay_out()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        found = self._at(event.position())
        self.light(found)
        self.setCursor(Qt.CursorShape.ArrowCursor if found is None else Qt.CursorShape.PointingHandCursor)
        if found is None:
            QToolTip.hideText()
        else:
            QToolTip.showText(event.globalPosition().toPoint(), self._words(found), self)

    def leaveEvent(self, event: QEvent) -> None:
        super().leaveEvent(event)
        self.light(None)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton and (found := self._at(event.position())) is not None:
            self.chosen.emit(found)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        step = {
            Qt.Key.Key_Right: 1, Qt.Key.Key_Down: 1, Qt.Key.Key_Left: -1, Qt.Key.Key_Up: -1,
        }.get(Qt.Key(event.key()))  # fmt: skip
        numbers = sorted(line.number for line in self._lines)
        if step is not None and numbers:
            at = numbers.index(self._lit) + step if self._lit in numbers else (0 if step > 0 else -1)
            self.light(numbers[at % len(numbers)])
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self._lit is not None:
            self.chosen.emit(self._lit)
        else:
            super().keyPressEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for number, axis in enumerate(self._axes):
            self._paint_axis(painter, number, axis)
        for line in sorted(self._lines, key=lambda line: line.number == self._lit):
            self._paint_line(painter, line)
        for number, axis in enumerate(self._axes):
            self._paint_ticks(painter, number, axis)
        if self.hasFocus():
            painter.setPen(QPen(QColor(current_tokens().accent), 1.5))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(1, 1, -1, -1), 6, 6)

    def _paint_axis(self, painter: QPainter, number: int, axis: Axis) -> None:
        tokens, x = current_tokens(), self._x(number)
        painter.setPen(QPen(QColor(tokens.border_strong), 1))
        painter.drawLine(QPointF(x, self._y(0)), QPointF(x, self._y(1)))
        font = ui_font(tokens.fonts.caption)
        font.setBold(number == len(self._axes) - 1)
        painter.setFont(font)
        painter.setPen(QColor(tokens.text))
        room = self._step() - 12
        title = QFontMetricsF(font).elidedText(axis.title, Qt.TextElideMode.ElideRight, room)
        box = QRectF(x - room / 2, 4, room, 18)
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, title)

    def _paint_ticks(self, painter: QPainter, number: int, axis: Axis) -> None:
        """Over all lines, each on a patch of the ground so that it can be read."""
        tokens, x = current_tokens(), self._x(number)
        font = tabular_font(tokens.fonts.caption - 1)
        metrics = QFontMetricsF(font)
        painter.setFont(font)
        for share, words in axis.ticks:
            y = self._y(share)
            painter.setPen(QPen(QColor(tokens.border_strong), 1))
            painter.drawLine(QPointF(x - 3, y), QPointF(x + 3, y))
            text = metrics.elidedText(words, Qt.TextElideMode.ElideRight, self._step() - 16)
            width = metrics.horizontalAdvance(text)
            box = QRectF(x + 7, y - 8, width + 4, 16)
            painter.fillRect(box, QColor(tokens.surface))
            painter.setPen(QColor(tokens.text_muted))
            painter.drawText(box.adjusted(2, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, text)

    def _paint_line(self, painter: QPainter, line: Line) -> None:
        tokens = current_tokens()
        lit, dimmed = line.number == self._lit, self._lit is not None and line.number != self._lit
        colour = QColor(tokens.plot[1] if lit else tokens.accent if line.best else tokens.text_muted)
        colour.setAlphaF(
            1.0 if lit else 0.35 if dimmed and line.best else 0.18 if dimmed else 1.0 if line.best else 0.45
        )
        pen = QPen(colour, 2.6 if lit or line.best else 1.3)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        if line.ended_early:
            pen.setDashPattern([4, 3])
        painter.setPen(pen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawPath(self._paths[line.number])
        if lit or line.best:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(colour)
            for axis, share in enumerate(line.places):
                if share is not None:
                    painter.drawEllipse(QPointF(self._x(axis), self._y(share)), 3.5, 3.5)

    def _lay_out(self) -> None:
        self._paths = {line.number: self._path(line) for line in self._lines}
        self.update()

    def _path(self, line: Line) -> QPainterPath:
        points = [
            QPointF(self._x(axis), self._y(at)) for axis, at in enumerate(line.places) if at is not None
        ]
        path = QPainterPath(points[0])
        for before, after in pairwise(points):
            bow = (after.x() - before.x()) * _BOW
            path.cubicTo(before.x() + bow, before.y(), after.x() - bow, after.y(), after.x(), after.y())
        return path

    def _at(self, where: QPointF) -> int | None:
        """The topmost trial under the mouse: the narrower the reach, the better the hit."""
        stroker = QPainterPathStroker()
        for reach in (2.0, _REACH_PX):
            stroker.setWidth(2 * reach)
            for line in reversed(self._lines):
                if stroker.createStroke(self._paths[line.number]).contains(where):
                    return line.number
        return None

    def _step(self) -> float:
        return (self.width() - 2 * _SIDE) / max(len(self._axes) - 1, 1)

    def _x(self, axis: int) -> float:
        return _SIDE + axis * self._step()

    def _y(self, share: float) -> float:
        return self.height() - _FOOT - share * (self.height() - _HEAD - _FOOT)
