"""Small plots that are painted, not plotted: columns of a histogram, and bars with names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFontMetricsF, QHelpEvent, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QToolTip, QWidget

from studio.domain.statistics import Histogram
from studio.gui.theme import current_tokens, tabular_font, ui_font
from studio.i18n import _
from studio.words import clauses, labelled, listed

_PLOT_HEIGHT = 148
_AXIS = 22
_TOP = 18
_BAR_ROW = 28
_NAME_SHARE = 0.4
_GAP = 12
_PLOT_COLOURS = (0, 2, 1)  # training, validation, test as in the split bar


class HistogramPlot(QWidget):
    """Columns of equal width with the middle and the 95 % mark."""

    def __init__(self, histogram: Histogram, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.histogram = histogram
        self._whole = bool(histogram.unit)  # lengths are whole numbers
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(
            clauses(self._bin_words(position) for position, n in enumerate(histogram.counts) if n)
        )

    def sizeHint(self) -> QSize:
        return QSize(320, _PLOT_HEIGHT)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, _PLOT_HEIGHT)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            position = self._bin_at(event.pos().x())
            if position is not None:
                QToolTip.showText(event.globalPos(), self._bin_words(position), self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        counts = self.histogram.counts
        if not counts or not max(counts):
            return
        tokens = current_tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = QRectF(0, _TOP, self.width(), self.height() - _AXIS - _TOP)
        step = area.width() / len(counts)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(tokens.plot[0]))
        gap = min(2.0, step / 4)
        for position, amount in enumerate(counts):
            height = area.height() * amount / max(counts)
            if amount:
                height = max(height, 2.0)
            column = QRectF(position * step + gap / 2, area.bottom() - height, step - gap, height)
            painter.drawRoundedRect(column, min(2.0, step / 4), min(2.0, step / 4))
        painter.setPen(QColor(tokens.border_strong))
        painter.drawLine(area.bottomLeft(), area.bottomRight())
        self._paint_ends(painter, area)
        self._paint_mark(painter, area)

    def _paint_ends(self, painter: QPainter, area: QRectF) -> None:
        tokens, edges = current_tokens(), self.histogram.edges
        painter.setFont(tabular_font(tokens.fonts.caption))
        painter.setPen(QColor(tokens.text_muted))
        foot = QRectF(0, area.bottom() + 2, self.width(), _AXIS - 2)
        for align, value in (
            (Qt.AlignmentFlag.AlignLeft, edges[0]),
            (Qt.AlignmentFlag.AlignRight, edges[-1]),
        ):
            painter.drawText(foot, align | Qt.AlignmentFlag.AlignVCenter, number_words(value))

    def _paint_mark(self, painter: QPainter, area: QRectF) -> None:
        """The 95 % mark: a dashed line with its value over it."""
        tokens, place = current_tokens(), self.mark()
        if place is None:
            return
        x = place * area.width()
        painter.setPen(QPen(QColor(tokens.text_muted), 1, Qt.PenStyle.DashLine))
        painter.drawLine(QPointF(x, area.top()), QPointF(x, area.bottom()))
        words = _("95% up to {n}").format(n=number_words(self.histogram.p95))
        painter.setFont(tabular_font(tokens.fonts.caption))
        width = painter.fontMetrics().horizontalAdvance(words) + 4
        left = min(max(x - width / 2, 0), self.width() - width)
        painter.setPen(QColor(tokens.text_muted))
        painter.drawText(QRectF(left, 0, width, _TOP - 2), Qt.AlignmentFlag.AlignCenter, words)

    def mark(self) -> float | None:
        """Where the 95 % mark is on the axis, 0..1: behind the bar of a whole number, which it takes in."""
        return self._place(min(self.histogram.p95 + self._whole, self.histogram.edges[-1]))

    def _place(self, value: float) -> float | None:
        """Where a value is on the axis, 0..1; bins are drawn equally wide whatever they span."""
        edges = self.histogram.edges
        for position in range(len(edges) - 1):
            low, high = edges[position], edges[position + 1]
            if low <= value <= high and high > low:
                return (position + (value - low) / (high - low)) / (len(edges) - 1)
        return None

    def _bin_at(self, x: float) -> int | None:
        count = len(self.histogram.counts)
        position = int(x / max(self.width(), 1) * count)
        return position if 0 <= position < count else None

    def _bin_words(self, position: int) -> str:
        low, high = self.histogram.edges[position : position + 2]
        if self._whole:
            last = position == len(self.histogram.counts) - 1
            high = min(high if last else high - 1, self.histogram.longest)
        rows = f"{self.histogram.counts[position]:,}"
        if high <= low:
            return _("{value}: {n} rows").format(value=number_words(low), n=rows)
        return _("{low} to {high}: {n} rows").format(low=number_words(low), high=number_words(high), n=rows)


@dataclass(frozen=True)
class Part:
    """A stretch of a bar; title: what it is, "" for a bar of one part."""

    title: str
    amount: float


@dataclass(frozen=True)
class Bar:
    """A named bar; figure: what stands at its end instead of its amount."""

    name: str
    parts: Sequence[Part]
    figure: str = ""

    def words(self) -> str:
        """What stands at its end."""
        return self.figure or f"{self.amount:,.0f}"

    @property
    def amount(self) -> float:
        """Length of the whole bar."""
        return sum(part.amount for part in self.parts)


class BarList(QWidget):
    """Bars below each other: name, bar, figure. With several parts the colours are those of the split bar."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bars: list[Bar] = []
        self._of = 0.0
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def show_bars(self, bars: Sequence[Bar], *, of: float = 0.0) -> None:
        """Show other bars. of: the amount that fills the width (0: the longest bar's)."""
        self.bars, self._of = list(bars), of
        self.setAccessibleDescription(clauses(_bar_words(bar) for bar in self.bars))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(320, self._head() + max(len(self.bars), 1) * _BAR_ROW)

    def minimumSizeHint(self) -> QSize:
        return QSize(200, self._head() + max(len(self.bars), 1) * _BAR_ROW)

    def event(self, event: QEvent) -> bool:
        if isinstance(event, QHelpEvent):
            position = (event.pos().y() - self._head()) // _BAR_ROW
            if 0 <= position < len(self.bars):
                QToolTip.showText(event.globalPos(), _bar_words(self.bars[position]), self)
            return True
        return super().event(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        self._paint_legend(painter)
        for position, bar in enumerate(self.bars):
            self._paint_bar(painter, self._head() + position * _BAR_ROW, bar)

    def _legend(self) -> list[str]:
        """Titles of the parts that occur."""
        parts = self.bars[0].parts if self.bars else ()
        return [part.title for part in parts if part.title]

    def _head(self) -> int:
        return _BAR_ROW if self._legend() else 0

    def _paint_legend(self, painter: QPainter) -> None:
        tokens = current_tokens()
        painter.setFont(ui_font(tokens.fonts.caption))
        left = 0
        for number, words in enumerate(self._legend()):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(_part_colour(number))
            painter.drawEllipse(QRectF(left, 8, 8, 8))
            painter.setPen(QColor(tokens.text_muted))
            painter.drawText(left + 13, 17, words)
            left += 13 + painter.fontMetrics().horizontalAdvance(words) + 16

    def _paint_bar(self, painter: QPainter, top: int, bar: Bar) -> None:
        tokens = current_tokens()
        longest = self._of or max((each.amount for each in self.bars), default=0.0)
        name_width, figure_width = self._sides()
        painter.setFont(ui_font(tokens.fonts.caption))
        painter.setPen(QColor(tokens.text))
        name = painter.fontMetrics().elidedText(bar.name, Qt.TextElideMode.ElideRight, int(name_width - _GAP))
        middle = Qt.AlignmentFlag.AlignVCenter
        painter.drawText(QRectF(0, top, name_width, _BAR_ROW), middle | Qt.AlignmentFlag.AlignLeft, name)
        room = max(self.width() - name_width - figure_width, 1)
        left = name_width
        painter.setPen(Qt.PenStyle.NoPen)
        for number, part in enumerate(bar.parts):
            width = room * part.amount / longest if longest else 0
            if part.amount:
                painter.setBrush(_part_colour(number))
                painter.drawRoundedRect(QRectF(left, top + 9, max(width - 1, 2), 10), 2, 2)
            left += width
        painter.setPen(QColor(tokens.text_muted))
        painter.setFont(tabular_font(tokens.fonts.caption))
        place = QRectF(left + _GAP - 4, top, figure_width, _BAR_ROW)
        painter.drawText(place, middle | Qt.AlignmentFlag.AlignLeft, bar.words())

    def _sides(self) -> tuple[float, float]:
        """Widths of the names at the left and of the figures at the right."""
        caption = current_tokens().fonts.caption
        metrics = QFontMetricsF(tabular_font(caption))
        names = max((metrics.horizontalAdvance(bar.name) for bar in self.bars), default=0.0) + 2 * _GAP
        figures = max((metrics.horizontalAdvance(bar.words()) for bar in self.bars), default=0.0) + _GAP
        return min(names, self.width() * _NAME_SHARE), figures


def _part_colour(number: int) -> QColor:
    return QColor(current_tokens().plot[_PLOT_COLOURS[number % len(_PLOT_COLOURS)]])


def number_words(value: float) -> str:
    """A number as short as it can be said."""
    return f"{value:,.0f}" if value == int(value) or abs(value) >= 100 else f"{value:,.2f}"


def _bar_words(bar: Bar) -> str:
    named = [part for part in bar.parts if part.title and part.amount]
    words = labelled(bar.name, bar.words())
    facts = listed(f"{part.title} {part.amount:,.0f}" for part in named)
    return _("{text} ({facts})").format(text=words, facts=facts) if facts else words
