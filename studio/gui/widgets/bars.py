"""Probabilities and scores as bars with their names: what a classifier or recommender answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from studio.gui.theme import current_tokens
from studio.gui.widgets.buttons import LinkButton
from studio.gui.widgets.labels import BodyText, Figure
from studio.i18n import ngettext
from studio.words import labelled

_HEIGHT = 8
_FIRST = 5  # bars before "show all"


@dataclass(frozen=True)
class BarRow:
    """share: filled part of the bar, 0 to 1; words: what stands at its right; strong: decided for."""

    name: str
    share: float
    words: str
    strong: bool = False


class _Bar(QWidget):
    def __init__(self, share: float, strong: bool) -> None:
        super().__init__()
        self._share, self._strong = min(1.0, max(0.0, share)), strong
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def sizeHint(self) -> QSize:
        return QSize(160, _HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens, radius = current_tokens(), _HEIGHT / 2
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        track = QPainterPath()
        track.addRoundedRect(QRectF(0, 0, self.width(), _HEIGHT), radius, radius)
        painter.fillPath(track, QColor(tokens.surface_pressed))
        painter.setClipPath(track)  # the filled part is as long as the share, however small
        filled = QRectF(0, 0, self._share * self.width(), _HEIGHT)
        painter.fillRect(filled, QColor(tokens.accent if self._strong else tokens.border_strong))


class _Name(QLabel):
    """One line that ends in dots when there is no room; the whole in the tooltip."""

    def __init__(self, text: str, strong: bool) -> None:
        super().__init__()
        self._whole = text
        font = BodyText("", bold=strong).font()
        self.setFont(font)
        self.setAccessibleName(text)
        self.setToolTip(text)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.setText(self.fontMetrics().elidedText(self._whole, Qt.TextElideMode.ElideRight, self.width()))


class BarList(QWidget):
    """Rows from the first on; more than a handful fold away behind a link."""

    def __init__(self, rows: Sequence[BarRow]) -> None:
        super().__init__()
        self.rows = list(rows)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(current_tokens().space.xs)
        holder = QWidget()
        self._grid = QGridLayout(holder)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(current_tokens().space.m)
        self._grid.setVerticalSpacing(current_tokens().space.xs)
        self._grid.setColumnStretch(0, 2)
        self._grid.setColumnStretch(1, 3)
        column.addWidget(holder)
        self.more = LinkButton(_more_words(len(self.rows)), self._show_all)
        self.more.setVisible(len(self.rows) > _FIRST + 1)
        column.addWidget(self.more, 0, Qt.AlignmentFlag.AlignLeft)
        self._add(self.rows[:_FIRST] if len(self.rows) > _FIRST + 1 else self.rows)

    def _add(self, rows: Sequence[BarRow]) -> None:
        for row in rows:
            place = self._grid.rowCount()
            self._grid.addWidget(_Name(row.name, row.strong), place, 0)
            self._grid.addWidget(_Bar(row.share, row.strong), place, 1, Qt.AlignmentFlag.AlignVCenter)
            figure = Figure(row.words)
            figure.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
            figure.setAccessibleName(labelled(row.name, row.words))
            self._grid.addWidget(figure, place, 2)

    def _show_all(self) -> None:
        self._add(self.rows[_FIRST:])
        self.more.hide()


def _more_words(count: int) -> str:
    return ngettext("Show all {n}", "Show all {n}", count).format(n=count)
