"""Numbers drawn: metric tiles, the train/validation/test bar, progress with rate and ETA."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QProgressBar, QSizePolicy, QVBoxLayout, QWidget

from studio.gui.theme import current_tokens
from studio.gui.widgets.buttons import SecondaryButton
from studio.gui.widgets.labels import BodyText, Caption, Figure
from studio.i18n import _
from studio.words import duration_words, labelled, listed


class MetricTile(QFrame):
    """One number with its name above and its basis or unit below."""

    def __init__(
        self, label: str, value: str = "–", caption: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        self._label = Caption(label)
        self._value = Figure(value, size=current_tokens().fonts.title)
        self._caption = Caption(caption)
        for part in (self._label, self._value, self._caption):
            column.addWidget(part)
        column.addStretch(1)
        self.set(value, caption)

    def set_label(self, label: str) -> None:
        """Change the name."""
        self._label.setText(label)

    def set(self, value: str, caption: str = "", tone: str = "text") -> None:
        """Change number, caption and tone."""
        self._value.setText(value)
        self._value.set_tone(tone)
        self._caption.setText(caption)
        self._caption.setVisible(bool(caption))
        self.setAccessibleName(labelled(self._label.text(), f"{value} {caption}".strip()))


@dataclass(frozen=True)
class Share:
    """One part of a SplitBar. ``amount`` in any unit, the same for all parts."""

    title: str
    amount: float


class SplitBar(QWidget):
    """Proportions of train, validation and test as one bar with a legend under it."""

    _HEIGHT = 10

    def __init__(
        self, shares: Sequence[Share] = (), parent: QWidget | None = None, *, counts: bool = True
    ) -> None:
        """counts: say the amounts beside the percentages."""
        super().__init__(parent)
        self._counts = counts
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self._shares: list[Share] = []
        self.set(shares)

    def set(self, shares: Sequence[Share]) -> None:
        """Show other parts."""
        self._shares = [share for share in shares if share.amount > 0]
        self.setAccessibleName(listed(self._words(share) for share in self._shares))
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(240, 40)

    def minimumSizeHint(self) -> QSize:
        return QSize(160, 40)

    def paintEvent(self, event: QPaintEvent) -> None:
        total = sum(share.amount for share in self._shares)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        clip = QPainterPath()
        clip.addRoundedRect(QRectF(0, 0, self.width(), self._HEIGHT), self._HEIGHT / 2, self._HEIGHT / 2)
        painter.fillPath(clip, QColor(current_tokens().surface_pressed))
        painter.setClipPath(clip)
        left = 0.0
        for position, share in enumerate(self._shares):
            width = self.width() * share.amount / total
            painter.fillRect(QRectF(left, 0, max(width - 2, 1), self._HEIGHT), self._colour(position))
            left += width
        painter.setClipping(False)
        self._paint_legend(painter)

    def _paint_legend(self, painter: QPainter) -> None:
        tokens = current_tokens()
        font = self.font()
        font.setPixelSize(tokens.fonts.caption)
        painter.setFont(font)
        metrics = painter.fontMetrics()
        full = [self._words(share) for share in self._shares]
        needed = sum(metrics.horizontalAdvance(words) + 29 for words in full) - 16
        texts = full if needed <= self.width() else [self._words(share, short=True) for share in self._shares]
        x = 0
        for position, words in enumerate(texts):
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(self._colour(position))
            painter.drawEllipse(QRectF(x, 24, 8, 8))
            painter.setPen(QColor(tokens.text_muted))
            painter.drawText(x + 13, 33, words)
            x += 13 + metrics.horizontalAdvance(words) + 16

    def _words(self, share: Share, *, short: bool = False) -> str:
        total = sum(each.amount for each in self._shares)
        percent = f"{share.amount / total:.0%}"
        if short or not self._counts:
            return f"{share.title} {percent}"
        return f"{share.title} {share.amount:,.0f} · {percent}"

    def _colour(self, position: int) -> QColor:
        plot = current_tokens().plot
        return QColor(plot[(0, 2, 1)[position] if position < 3 else position % len(plot)])


class ProgressPanel(QWidget):
    """Long work: what, how far, how fast, how long still, and a cancel that works."""

    def __init__(
        self, label: str, on_cancel: Callable[[], object] | None = None, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(current_tokens().space.s)
        self._label = BodyText(label)
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 0)
        self._bar.setAccessibleName(label)
        self._figures = Caption()
        self.cancel = SecondaryButton(_("Cancel"), on_cancel)
        if on_cancel is None:
            self.cancel.hide()
        foot = QHBoxLayout()
        foot.addWidget(self._figures, 1)
        foot.addWidget(self.cancel)
        column.addWidget(self._label)
        column.addWidget(self._bar)
        column.addLayout(foot)

    def set_label(self, label: str) -> None:
        """Say what is being done now."""
        self._label.setText(label)

    def set_progress(
        self, done: float, total: float | None = None, *, rate: str = "", eta_s: float | None = None
    ) -> None:
        """done, total: counts of one thing (total None = unknown); rate: e.g. "120 rows/s"; eta_s: seconds left."""
        self._bar.setRange(0, 1000 if total else 0)
        if total:
            self._bar.setValue(round(1000 * min(done / total, 1)))
        count = f"{done:,.0f} / {total:,.0f}" if total else f"{done:,.0f}" if done else ""
        left = _("{time} left").format(time=duration_words(eta_s)) if eta_s is not None else ""
        self._figures.setText("  ·  ".join(part for part in (count, rate, left) if part))
