"""What the run achieved, in a sentence, with the figures that the sentence stands on."""

from __future__ import annotations

import math

from PySide6.QtCore import QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QSizePolicy, QWidget

from studio.domain import verdicts
from studio.domain.architectures import Architecture
from studio.domain.measures import (
    HIGHER_IS_BETTER,
    LOWER_METRICS,
    Measure,
    measure_title,
    measure_words,
    metric_title,
    metric_words,
)
from studio.domain.runs import FitEstimate, Run, RunSummary
from studio.domain.values import Value
from studio.domain.verdicts import Verdict
from studio.domain.verdicts import title as verdict_title
from studio.gui.models.runs_words import (
    VERDICT_ICONS,
    VERDICT_TONES,
    money_words,
    range_words,
)
from studio.gui.theme import current_tokens
from studio.gui.widgets import (
    BodyText,
    Caption,
    Card,
    Divider,
    Figure,
    PrimaryButton,
    SecondaryButton,
    StateBadge,
)
from studio.i18n import _
from studio.words import duration_words, loss_words, size_words

_HEAD_HEIGHT = 28
# Metrics that say the same as the measure above them.
_SAID = {
    Measure.SURPRISE: "perplexity", Measure.CORRECT: "accuracy", Measure.PREFERRED: "preferred",
    Measure.RANKED: "ndcg_at_10", Measure.RECONSTRUCTION: "elbo",
}  # fmt: skip


class IntervalBar(QWidget):
    """The difference to the base with its 95% interval on a scale with zero in the middle; the better side is named."""

    def __init__(self) -> None:
        super().__init__()
        self._verdict: Verdict | None = None
        self._better = self._worse = ""
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def set(self, verdict: Verdict, *, based: bool = True) -> None:
        """Show this verdict's difference. based: against a base model, else against the simplest guess."""
        self._verdict = verdict
        self._better = _("better than the base") if based else _("better than the simplest guess")
        self._worse = _("worse than the base") if based else _("worse than the simplest guess")
        self.setVisible(verdict.difference is not None)
        if verdict.difference is not None:
            self.setAccessibleName(
                _("Difference of {measure} {middle}, 95% sure between {low} and {high}").format(
                    measure=measure_title(verdict.measure),
                    middle=f"{verdict.difference:+.3f}",
                    low="–" if verdict.ci_low is None else f"{verdict.ci_low:+.3f}",
                    high="–" if verdict.ci_high is None else f"{verdict.ci_high:+.3f}",
                )
            )
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(280, 52)

    def paintEvent(self, event: QPaintEvent) -> None:
        verdict = self._verdict
        if verdict is None or verdict.difference is None or verdict.ci_low is None or verdict.ci_high is None:
            return
        tokens = current_tokens()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setFont(Caption().font())
        reach = 1.25 * max(abs(verdict.ci_low), abs(verdict.ci_high), 1e-6)
        middle, scale = self.width() / 2, (self.width() / 2 - 8) / reach
        painter.setPen(QPen(QColor(tokens.border), 1))
        painter.drawLine(8, 16, self.width() - 8, 16)
        painter.setPen(QPen(QColor(tokens.border_strong), 1))
        painter.drawLine(int(middle), 4, int(middle), 28)
        colour = QColor(tokens.tone(VERDICT_TONES[verdict.kind])[0])
        painter.setPen(Qt.PenStyle.NoPen)
        faint = QColor(colour)
        faint.setAlpha(70)
        painter.setBrush(faint)
        begin, end = middle + verdict.ci_low * scale, middle + verdict.ci_high * scale
        painter.drawRoundedRect(QRectF(begin, 11, max(end - begin, 3), 10), 5, 5)
        painter.setBrush(colour)
        painter.drawEllipse(QRectF(middle + verdict.difference * scale - 5, 11, 10, 10))
        painter.setPen(QColor(tokens.text_muted))
        foot = QRectF(0, 32, self.width(), 18)
        left, right = self._better, self._worse
        if verdict.measure in HIGHER_IS_BETTER:
            left, right = right, left
        painter.drawText(foot, Qt.AlignmentFlag.AlignLeft, "← " + left)
        painter.drawText(foot, Qt.AlignmentFlag.AlignRight, right + " →")


class FigureTable(QWidget):
    """Base against tuned, and what was predicted against what it took."""

    def __init__(self) -> None:
        super().__init__()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(current_tokens().space.xl)
        self._grid.setVerticalSpacing(current_tokens().space.s)
        for column in range(3):
            self._grid.setColumnStretch(column, 1)

    def fill(self, run: Run, verdict: Verdict, cost: Value | None) -> None:
        """Show the figures of this run."""
        if is_based(run):
            self._add_head(_("Base model"), _("This model"))
        else:
            self._add_head(_("Simplest guess"), _("This model"), _guess_help())
        if verdict.measure is Measure.SURPRISE:
            self._add(
                _lower(_("Loss on held-out rows")),
                loss_words(verdict.base_value),
                loss_words(verdict.tuned_value),
            )
            self._add(
                _lower(_("Perplexity on held-out rows")), _two_digits(verdict.base_perplexity),
                _two_digits(verdict.tuned_perplexity),
            )  # fmt: skip
        else:
            base, tuned = (
                "–" if value is None else measure_words(verdict.measure, value)
                for value in (verdict.base_value, verdict.tuned_value)
            )
            name = measure_title(verdict.measure)
            self._add(name if verdict.measure in HIGHER_IS_BETTER else _lower(name), base, tuned)
        for name, value in verdict.metrics.items():
            if name != _SAID.get(verdict.measure):
                other, title = _base_metric(verdict, name), metric_title(name)
                words = "–" if other is None else metric_words(name, other)
                self._add(_lower(title) if name in LOWER_METRICS else title, words, metric_words(name, value))
        if run.summary is not None:
            self._add_prediction(run.estimate, run.summary)
        if cost is not None:
            self._add(_("Cost of this run"), "–", money_words(cost))

    def _add_prediction(self, estimate: FitEstimate | None, summary: RunSummary) -> None:
        time = range_words(estimate.seconds_low, estimate.seconds_high) if estimate else "–"
        memory = size_words(estimate.memory_bytes) if estimate else "–"
        self._add_head(_("Predicted"), _("Measured"))
        self._add(_("Time"), time, duration_words(summary.total_s or summary.seconds))
        self._add(_("Memory"), memory, size_words(summary.peak_memory_bytes))

    def _add_head(self, left: str, right: str, left_help: str = "") -> None:
        row = self._grid.rowCount()
        bottom = Qt.AlignmentFlag.AlignBottom
        self._grid.setRowMinimumHeight(row, _HEAD_HEIGHT)
        head = Caption(left)
        head.setToolTip(left_help)
        self._grid.addWidget(head, row, 1, bottom)
        self._grid.addWidget(Caption(right), row, 2, bottom)

    def _add(self, name: str, left: str, right: str) -> None:
        row = self._grid.rowCount()
        self._grid.addWidget(BodyText(name, tone="muted"), row, 0)
        self._grid.addWidget(Figure(left), row, 1)
        self._grid.addWidget(Figure(right), row, 2)


def _lower(name: str) -> str:
    return _("{measure} (lower is better)").format(measure=name)


def _guess_help() -> str:
    return _(
        "What one gets without a model: always the most frequent label, the mean number or picture, or what most "
        "people choose."
    )


def _base_metric(verdict: Verdict, name: str) -> float | None:
    """What is known of the other side beyond the measure: the root of a mean of squares."""
    if name == "rmse" and verdict.measure is Measure.SQUARED_ERROR and verdict.base_value is not None:
        return math.sqrt(verdict.base_value)
    return None


class VerdictCard(Card):
    """Shown when a run has ended with a verdict."""

    try_asked = Signal()
    again_asked = Signal()

    def __init__(self) -> None:
        self.badge = StateBadge("")
        super().__init__(_("Did it help?"), action=self.badge)
        self.sentence = BodyText()
        self.next_step = BodyText(bold=True)
        self.add(self.sentence)
        self.add(self.next_step)
        self.bar = IntervalBar()
        self.add(self.bar)
        self._figures = FigureTable()
        self.add(Divider())
        self.add(self._figures)
        self.try_it = PrimaryButton(_("Try in the playground"), self.try_asked.emit)
        self.again = SecondaryButton(_("Train again"), self.again_asked.emit)
        foot = QWidget()
        row = QHBoxLayout(foot)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(current_tokens().space.s)
        row.addWidget(self.try_it)
        row.addWidget(self.again)
        row.addStretch(1)
        self.add(foot)
        self.hide()

    def show_verdict(self, run: Run, verdict: Verdict, cost: Value | None) -> None:
        """Show the verdict on this run."""
        self.badge.set(verdict_title(verdict.kind), VERDICT_TONES[verdict.kind], VERDICT_ICONS[verdict.kind])
        self.sentence.setText(verdicts.sentence(verdict))
        self.next_step.setText(verdicts.next_sentence(verdict))
        self.bar.set(verdict, based=is_based(run))
        table = FigureTable()
        table.fill(run, verdict, cost)
        self.body.replaceWidget(self._figures, table)
        self._figures.deleteLater()
        self._figures = table
        self.show()


def is_based(run: Run) -> bool:
    """Whether the comparison is with a model that could do the task already: only language models can."""
    return run.plan.base_dir is not None and run.plan.spec.architecture is Architecture.LANGUAGE_MODEL


def _two_digits(value: float | None) -> str:
    return "–" if value is None else f"{value:.2f}"
