"""Plots of a run: many points drawn few times a second, read by mouse or keyboard, saved as pictures.

Imports pyqtgraph (a third of a second): only import this module lazily, in a task.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyqtgraph as pg
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtSvg import QSvgGenerator
from PySide6.QtWidgets import QFrame, QLabel, QVBoxLayout, QWidget

from studio.gui.theme import Tokens, current_tokens, ui_font
from studio.gui.widgets.labels import BodyText
from studio.gui.widgets.plots_axis import RoundAxis, short_number
from studio.gui.widgets.plots_series import Array, Series, Smoothed, sample, thin
from studio.i18n import _

Style = Literal["line", "points", "smooth"]  # smooth: only the smoothed line is drawn
SMOOTH_POINTS = 400  # a wide antialiased line costs per corner; a smooth one needs few
_PADDING = 0.06
_FAR = 1.6  # the view narrows again only when it is this much wider than the data


@dataclass(eq=False)
class Curve:
    """What one curve shows. ``colour`` is an index into the theme's plot colours."""

    title: str
    series: Series
    colour: int = 0
    style: Style = "line"
    smoothed: Smoothed | None = None  # the strong line over a raw one


class PlotCanvas(pg.PlotWidget):  # type: ignore[misc] # pyqtgraph is untyped
    """The drawing area. Drag moves, Ctrl+wheel zooms (a plain wheel scrolls the page), double click resets.

    pointed(object): x under the mouse or the keyboard's mark, None when it left. touched: moved or zoomed by
    hand.
    """

    pointed = Signal(object)
    touched = Signal()
    reset_asked = Signal()

    def __init__(self) -> None:
        self.x_axis, self.y_axis = RoundAxis("bottom", whole=True), RoundAxis("left")
        super().__init__(axisItems={"bottom": self.x_axis, "left": self.y_axis})
        item = self.getPlotItem()
        item.setMenuEnabled(False)
        item.hideButtons()
        item.disableAutoRange()
        item.getViewBox().sigRangeChangedManually.connect(lambda *_args: self.touched.emit())
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setMouseTracking(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.y_axis.setWidth(44)
        self.mark: float | None = None

    @property
    def box(self) -> Any:
        """pyqtgraph's ViewBox."""
        return self.getPlotItem().getViewBox()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            super().wheelEvent(event)
        else:
            event.ignore()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        self.reset_asked.emit()

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        super().mouseMoveEvent(event)
        at = self.mapToScene(event.position().toPoint())
        inside = self.box.sceneBoundingRect().contains(at)
        self._point(self.box.mapSceneToView(at).x() if inside else None)

    def leaveEvent(self, event: Any) -> None:
        super().leaveEvent(event)
        self._point(None)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self._point(None)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = Qt.Key(event.key())
        if key in (Qt.Key.Key_Left, Qt.Key.Key_Right):
            self._step_mark(-1 if key == Qt.Key.Key_Left else 1)
        elif key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal, Qt.Key.Key_Minus):
            factor = 1.25 if key == Qt.Key.Key_Minus else 0.8
            self.box.scaleBy((factor, factor))
            self.touched.emit()
        elif key in (Qt.Key.Key_0, Qt.Key.Key_Home):
            self.reset_asked.emit()
        else:
            event.ignore()

    def _step_mark(self, direction: int) -> None:
        low, high = self.box.viewRange()[0]
        start = high if self.mark is None else self.mark
        self._point(min(max(start + direction * max((high - low) / 100, 1e-9), low), high))

    def _point(self, x: float | None) -> None:
        self.mark = x
        self.pointed.emit(x)


class PlotPanel(QWidget):
    """One plot with its curves. ``refresh`` draws what is new; nothing is drawn without it.

    x_name: what x counts ("step"), put before the value in the reading. positive: y never goes below 0.
    """

    read = Signal(str)  # the reading under the mouse, for screen readers and tests

    def __init__(
        self,
        name: str,
        x_name: str,
        *,
        positive: bool = True,
        format_y: Callable[[float], str] = short_number,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._x_name, self._positive, self._format_y = x_name, positive, format_y
        self._curves: list[tuple[Curve, Any, Any]] = []  # curve, raw item, smooth item or None
        self._drawn: tuple[Any, ...] = ()
        self._log = self._manual = False
        self._x_end = 0.0
        self._empty = True
        self.canvas = PlotCanvas()
        self.canvas.setAccessibleName(name)
        self.canvas.setAccessibleDescription(
            _("Left and right read values, plus and minus zoom, 0 shows everything.")
        )
        self._line = pg.InfiniteLine(angle=90, movable=False)
        self._line.hide()
        self.canvas.addItem(self._line, ignoreBounds=True)
        self._bubble = QLabel(self.canvas)
        self._bubble.setObjectName("plot_bubble")
        self._bubble.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._bubble.hide()
        self.empty = BodyText("", self, tone="muted")  # in the middle while there is nothing to draw
        self.empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.empty.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.canvas)
        self.empty.raise_()
        self.canvas.pointed.connect(self._show_reading)
        self.canvas.touched.connect(self._on_touched)
        self.canvas.reset_asked.connect(self.reset_view)
        self.restyle()
        self._show_empty(empty=True)

    def add(self, curve: Curve) -> None:
        """Show another curve."""
        points = curve.style == "points"
        item = (
            pg.PlotDataItem(pen=None, symbol="o", symbolSize=7, antialias=True)
            if points
            else pg.PlotDataItem()
        )
        smooth = pg.PlotDataItem(antialias=True) if curve.smoothed is not None else None
        for part in (item, smooth):
            if part is not None:
                self.canvas.addItem(part)
        self._curves.append((curve, item, smooth))
        self.restyle()

    def clear(self) -> None:
        """Take all curves away."""
        for _curve, item, smooth in self._curves:
            self.canvas.removeItem(item)
            if smooth is not None:
                self.canvas.removeItem(smooth)
        self._curves.clear()
        self._drawn = ()
        self._manual = False
        self._show_empty(empty=True)

    def set_log(self, on: bool) -> None:
        """Show y on a logarithmic scale; values at or below 0 are left out."""
        self._log = self.canvas.y_axis.log = on
        self.reset_view()

    def set_x_end(self, x_end: float) -> None:
        """x that the run is expected to reach, so that the axis stands still while the line grows."""
        self._x_end = x_end

    def reset_view(self) -> None:
        """Show everything again."""
        self._manual = False
        self._drawn = ()  # fit anew, even where the view is not far off
        self.refresh(force=True)

    def stale(self) -> bool:
        """There is something that the picture does not show yet."""
        return self._state() != self._drawn

    def refresh(self, *, force: bool = False) -> bool:
        """Draw the curves as they are now; False when nothing has changed."""
        state = self._state()
        if state == self._drawn and not force:
            return False
        if self._empty:
            self._show_empty(empty=not any(_tells(curve.series) for curve, _item, _smooth in self._curves))
        if not self._manual:
            self._fit()
        low, high = self.canvas.box.viewRange()[0]
        buckets = max(100, self.canvas.width() // 2)
        for curve, item, smooth in self._curves:
            x = curve.series.x
            if curve.style != "smooth":
                item.setData(*thin(x, self._scaled(curve.series.y), low, high, buckets), connect="finite")
            if smooth is not None and curve.smoothed is not None:
                values = self._scaled(curve.smoothed.values())
                smooth.setData(*sample(x, values, low, high, SMOOTH_POINTS), connect="finite")
        self._drawn = self._state()
        return True

    def restyle(self) -> None:
        """Take the colours of the appearance in force."""
        tokens = current_tokens()
        self.canvas.setBackground(QColor(tokens.surface))
        for axis in (self.canvas.x_axis, self.canvas.y_axis):
            axis.dress(tokens)
        self.canvas.y_axis.setGrid(70)
        self._line.setPen(pg.mkPen(tokens.text_muted, width=1, style=Qt.PenStyle.DashLine))
        self._bubble.setFont(ui_font(tokens.fonts.caption))
        for curve, item, smooth in self._curves:
            _dress_curve(tokens, curve, item, smooth)

    def reading(self, x: float) -> str:
        """Values of all curves nearest to x, one a line."""
        lines: list[str] = []
        for curve, _item, _smooth in self._curves:
            index = curve.series.nearest(x)
            if index is None:
                continue
            if not lines:
                lines.append(f"{self._x_name} {curve.series.x[index]:,.0f}")
            lines += self._values_at(curve, index)
        return "\n".join(lines)

    def save_png(self, path: Path, scale: float = 2.0) -> None:
        """Write the plot as a picture. Raises OSError when it cannot be written."""
        image = QImage(self.size() * scale, QImage.Format.Format_ARGB32_Premultiplied)
        image.setDevicePixelRatio(scale)
        self.render(image)
        if not image.save(str(path)):
            raise OSError(str(path))

    def save_svg(self, path: Path) -> None:
        """Write the plot as a scalable drawing. Raises OSError when it cannot be written."""
        path.write_bytes(b"")
        drawing = QSvgGenerator()
        drawing.setFileName(str(path))
        drawing.setSize(self.canvas.size())
        drawing.setViewBox(QRectF(QPointF(0, 0), self.canvas.size().toSizeF()))
        painter = QPainter(drawing)
        self.canvas.render(painter)
        painter.end()

    def sizeHint(self) -> QSize:
        return QSize(420, 220)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.empty.setGeometry(self.rect())

    def _show_empty(self, *, empty: bool) -> None:
        self._empty = empty
        self.empty.setVisible(empty)
        for axis in (self.canvas.x_axis, self.canvas.y_axis):
            axis.set_blank(empty)

    def _state(self) -> tuple[Any, ...]:
        versions = tuple(
            (c.series.version, c.smoothed.amount if c.smoothed else 0) for c, _i, _s in self._curves
        )
        view = self.canvas.box.viewRange()
        return (versions, self._log, self._x_end, self.canvas.width(), tuple(view[0]), self._manual)

    def _values_at(self, curve: Curve, index: int) -> list[str]:
        value = float(curve.series.y[index])
        lines = [] if math.isnan(value) else [f"{curve.title}  {self._format_y(value)}"]
        if curve.smoothed is not None and curve.smoothed.amount > 0:
            smooth = self._format_y(float(curve.smoothed.values()[index]))
            lines.append(_("{name}, smoothed").format(name=curve.title) + f"  {smooth}")
        return lines

    def _scaled(self, y: Array) -> Array:
        if not self._log:
            return y
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(y > 0, np.log10(y), np.nan)

    def _fit(self) -> None:
        known = [c.series for c, _item, _smooth in self._curves if len(c.series)]
        if not known:
            return
        start = float(min(series.x[0] for series in known))
        end = max(self._x_end, float(max(series.x[-1] for series in known)), start + 1)
        low, high = self._extent(known)
        view_low, view_high = self.canvas.box.viewRange()[1]
        if self._manual_or_far(low, high, view_low, view_high):
            margin = (high - low) * _PADDING
            bottom = low - margin
            if self._positive and not self._log and bottom < 0 <= low:
                bottom = 0.0
            self.canvas.box.setYRange(bottom, high + margin, padding=0)
        self.canvas.box.setXRange(start, end, padding=0.01)

    def _extent(self, known: Sequence[Series]) -> tuple[float, float]:
        values = [self._scaled(series.y) for series in known]
        finite = [part[np.isfinite(part)] for part in values]
        finite = [part for part in finite if len(part)]
        if not finite:
            return 0.0, 1.0
        low, high = min(float(p.min()) for p in finite), max(float(p.max()) for p in finite)
        spread = max(high - low, abs(high) * 1e-3, 1e-12)
        return (low, high) if high > low else (low - spread, high + spread)

    def _manual_or_far(self, low: float, high: float, view_low: float, view_high: float) -> bool:
        outside = low < view_low or high > view_high
        return outside or (view_high - view_low) > _FAR * (high - low) or not self._drawn

    def _on_touched(self) -> None:
        self._manual = True
        self.refresh(force=True)

    def _show_reading(self, x: float | None) -> None:
        text = self.reading(x) if x is not None else ""
        self._bubble.setVisible(bool(text))
        self._line.setVisible(bool(text))
        self.read.emit(text)
        if not text or x is None:
            return
        self._line.setPos(x)
        self._bubble.setText(text)
        self._bubble.adjustSize()
        at = self.canvas.mapFromScene(self.canvas.box.mapViewToScene(QPointF(x, 0))).x()
        right = at + 12 + self._bubble.width() <= self.canvas.width()
        self._bubble.move(at + 12 if right else max(0, at - 12 - self._bubble.width()), 8)


def _tells(series: Series) -> bool:
    return bool(np.isfinite(series.y).any())


def _dress_curve(tokens: Tokens, curve: Curve, item: Any, smooth: Any) -> None:
    colour = QColor(tokens.plot[curve.colour % len(tokens.plot)])
    strong = pg.mkPen(colour, width=2)
    if smooth is not None:
        smooth.setPen(strong)
        faint = _mixed(colour, QColor(tokens.surface), 0.38)  # opaque: blending many lines is slow
        item.setPen(None if curve.style == "smooth" else pg.mkPen(faint, width=1))
    elif curve.style == "points":
        item.setPen(pg.mkPen(colour, width=1))
        item.setSymbolBrush(colour)
        item.setSymbolPen(pg.mkPen(tokens.surface, width=1.5))
    else:
        item.setPen(pg.mkPen(colour, width=1))


def _mixed(colour: QColor, ground: QColor, share: float) -> QColor:
    def channel(front: float, back: float) -> float:
        return share * front + (1 - share) * back

    return QColor.fromRgbF(
        channel(colour.redF(), ground.redF()),
        channel(colour.greenF(), ground.greenF()),
        channel(colour.blueF(), ground.blueF()),
    )
