"""One K-fold: mean and deviation large, and below them what each fold found, as points on a line."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QWidget

from studio.domain.folds import LOSS, FoldsResult, Spread, measure_title, sentence, spread_words, value_words
from studio.domain.runs import RunState
from studio.gui.models.runs_words import STATE_ICONS, STATE_TONES, state_words
from studio.gui.theme import current_tokens, tabular_font
from studio.gui.widgets import BodyText, Caption, Card, Figure, LinkButton, MetricTile, StateBadge
from studio.i18n import _

TILES_AT_MOST = 4
COLUMNS_AT_MOST = 4
SPREAD_HEIGHT = 52


class SpreadLine(QWidget):
    """Each fold a point, the mean a stroke, and one deviation to each side a band."""

    def __init__(self, values: list[float], spread: Spread, name: str) -> None:
        super().__init__()
        self._values, self._spread = values, spread
        self.setFixedHeight(SPREAD_HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(_("{measure} of the folds").format(measure=name))
        self.setAccessibleDescription(", ".join(map(value_words, values)))

    def sizeHint(self) -> QSize:
        return QSize(320, SPREAD_HEIGHT)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = current_tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = 18.0
        painter.setPen(QPen(QColor(tokens.border_strong), 1))
        painter.drawLine(QPointF(8, middle), QPointF(self.width() - 8, middle))
        mean, deviation = self._spread.mean, self._spread.deviation or 0.0
        if deviation:
            band = QRectF(
                QPointF(self._x(mean - deviation), middle - 9), QPointF(self._x(mean + deviation), middle + 9)
            )
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.accent_soft))
            painter.drawRoundedRect(band, 4, 4)
        painter.setPen(QPen(QColor(tokens.accent), 2))
        painter.drawLine(QPointF(self._x(mean), middle - 11), QPointF(self._x(mean), middle + 11))
        painter.setPen(QPen(QColor(tokens.surface), 1))
        painter.setBrush(QColor(tokens.text_muted))
        for value in self._values:
            painter.drawEllipse(QPointF(self._x(value), middle), 4.5, 4.5)
        painter.setFont(tabular_font(tokens.fonts.caption - 1))
        painter.setPen(QColor(tokens.text_muted))
        for value in {min(self._values), max(self._values)}:
            left = min(max(self._x(value) - 40, 0.0), self.width() - 80.0)
            painter.drawText(
                QRectF(left, middle + 14, 80, 16), Qt.AlignmentFlag.AlignCenter, value_words(value)
            )

    def _x(self, value: float) -> float:
        mean, deviation = self._spread.mean, self._spread.deviation or 0.0
        reach = max([abs(each - mean) for each in self._values] + [deviation * 1.3]) or 1.0
        return self.width() / 2 + (value - mean) / reach * (self.width() / 2 - 16)


class FoldsCard(Card):
    """``opened`` carries the id (str) of a fold's run."""

    opened = Signal(str)

    def __init__(self, result: FoldsResult) -> None:
        super().__init__(result.name, sentence(result), action=_badge(result))
        self.result = result
        self.open_buttons: list[LinkButton] = []
        if result.spreads:
            self.add(self._tiles())
            values = [found[LOSS] for found in result.values.values() if LOSS in found]
            self.add(SpreadLine(values, result.spreads[LOSS], measure_title(LOSS)))
        self.add(self._table())

    def _tiles(self) -> QWidget:
        host = QWidget()
        row = QHBoxLayout(host)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(current_tokens().space.xxl)
        for name, spread in list(self.result.spreads.items())[:TILES_AT_MOST]:
            row.addWidget(MetricTile(measure_title(name), spread_words(spread)))
        row.addStretch(1)
        return host

    def _table(self) -> QWidget:
        host = QWidget()
        grid = QGridLayout(host)
        space = current_tokens().space
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(space.xl)
        grid.setVerticalSpacing(space.s)
        names = list(self.result.spreads)[:COLUMNS_AT_MOST]
        for column, title in enumerate((_("Fold"), _("State"), *map(measure_title, names))):
            caption = Caption(title)
            caption.setWordWrap(False)
            grid.addWidget(caption, 0, column)
        for number, run in enumerate(self.result.runs, 1):
            values = self.result.values.get(run.id, {})
            button = LinkButton(_("Fold {number}").format(number=number), partial(self.opened.emit, run.id))
            self.open_buttons.append(button)
            grid.addWidget(button, number, 0, Qt.AlignmentFlag.AlignLeft)
            grid.addWidget(BodyText(state_words(run.state)), number, 1)
            for column, name in enumerate(names, 2):
                grid.addWidget(Figure(value_words(values[name]) if name in values else "–"), number, column)
        grid.setColumnStretch(len(names) + 2, 1)
        return host


def _badge(result: FoldsResult) -> StateBadge:
    """The state of the whole: what still goes on first, then what went wrong."""
    states = [run.state for run in result.runs]
    for state in (
        RunState.RUNNING, RunState.PAUSED, RunState.QUEUED, RunState.INTERRUPTED, RunState.FAILED, RunState.CANCELLED,
    ):  # fmt: skip
        if state in states:
            return StateBadge(state_words(state), STATE_TONES[state], icon=STATE_ICONS.get(state, ""))
    return StateBadge(state_words(RunState.DONE), "success")
