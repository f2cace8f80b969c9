"""Which line is which: a mark in the curve's colour and form, and its name. Pure Qt, no pyqtgraph."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QWidget

from studio.gui.theme import current_tokens
from studio.gui.widgets.labels import Caption


class _Mark(QWidget):
    def __init__(self, colour: int, form: str) -> None:
        super().__init__()
        self._colour, self._form = colour, form
        self.setFixedSize(QSize(18, 12))

    def paintEvent(self, event: QPaintEvent) -> None:
        plot = current_tokens().plot
        colour = QColor(plot[self._colour % len(plot)])
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self._form == "points":
            painter.setPen(QPen(colour, 1))
            painter.setBrush(colour)
            painter.drawEllipse(QPointF(9, 6), 3.5, 3.5)
        else:
            painter.setPen(QPen(colour, 2))
            painter.drawLine(QPointF(1, 6), QPointF(17, 6))


class Legend(QWidget):
    """Names of curves in a row."""

    def __init__(self) -> None:
        super().__init__()
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(6)

    def set(self, entries: Sequence[tuple[str, int, str]]) -> None:
        """Show these curves: (name, colour index, "line" or "points")."""
        while (item := self._row.takeAt(0)) is not None:
            if (old := item.widget()) is not None:
                old.setParent(None)
                old.deleteLater()
        for name, colour, form in entries:
            label = Caption(name)
            label.setWordWrap(False)
            self._row.addWidget(_Mark(colour, form))
            self._row.addWidget(label)
            self._row.addSpacing(10)
        self._row.addStretch(1)
