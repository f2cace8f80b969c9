"""The statistics of a dataset: measured when asked for, shown as small plots, each with a sentence."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QStackedWidget, QVBoxLayout, QWidget

from studio.domain.datasets import DatasetVersion
from studio.domain.statistics import DatasetStatistics
from studio.errors import StudioError
from studio.gui.child_job import ChildJob
from studio.gui.context import GuiContext
from studio.gui.pages.data.problem import ProblemLine
from studio.gui.pages.data.progress import show_event
from studio.gui.pages.data.statistics.cards import cards_of
from studio.gui.tasks import Task
from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, Caption, Card, ProgressPanel, SecondaryButton
from studio.i18n import _

MEASURED_AT_ONCE = 50_000  # rows up to which nobody needs to ask
_TWO_COLUMNS = 660


class StatisticsView(QWidget):
    """``show_dataset`` notes the dataset; its figures are read or measured when the tab comes into sight.

    measured: the DatasetStatistics that are on show now.
    """

    measured = Signal(object)

    def __init__(self, ctx: GuiContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ctx = ctx
        self.dataset: DatasetVersion | None = None
        self.statistics: DatasetStatistics | None = None
        self._reading: Task | None = None
        self._opened = False
        self.job = ChildJob(ctx, self)
        self.measure = SecondaryButton(_("Measure the rows"), self.start)
        self.panel = ProgressPanel(_("Measuring the rows"), self.cancel)
        self.problem = ProblemLine()
        self.stack = QStackedWidget()
        self._grid = QGridLayout()
        self._cards: list[QWidget] = []
        self._columns = 0
        self._arrange()
        self.job.told.connect(partial(show_event, self.panel))
        self.job.done.connect(self._on_measured)
        self.job.failed.connect(self._on_failed)
        self.job.cancelled.connect(lambda: self.stack.setCurrentWidget(self._asking))

    def show_dataset(self, dataset: DatasetVersion) -> None:
        """Show another dataset; its figures are read when the tab is opened."""
        if self.dataset is not None and self.dataset.id == dataset.id:
            return
        self.job.abandon()
        if self._reading is not None:
            self._reading.abandon()
        self.dataset, self.statistics, self._opened = dataset, None, False
        self.problem.clear()
        self._show_cards([])
        self.stack.setCurrentWidget(self._blank)
        if self.isVisible():
            self.open()

    def open(self) -> None:
        """The tab is in sight: show what is kept, or measure what is quickly measured."""
        if self.dataset is None or self._opened:
            return
        self._opened = True
        versions, dataset_id = self._ctx.services.versions, self.dataset.id
        self._reading = self._ctx.tasks.run(
            lambda: versions.kept_statistics(dataset_id), self._on_kept, self._on_failed
        )

    def start(self) -> None:
        """Measure now."""
        if self.dataset is None or self.job.running():
            return
        versions, dataset_id = self._ctx.services.versions, self.dataset.id
        self.problem.clear()
        self.panel.set_label(_("Measuring the rows"))
        self.panel.set_progress(0)
        self.panel.cancel.setEnabled(True)
        self.stack.setCurrentWidget(self._working)
        self.job.start(
            lambda hear, cancel: versions.statistics(dataset_id, hear, cancel), _("Measuring the data")
        )

    def cancel(self) -> None:
        """Stop measuring; nothing is kept."""
        self.panel.set_label(_("Stopping…"))
        self.panel.cancel.setEnabled(False)
        self.job.cancel()

    def showEvent(self, event: object) -> None:
        super().showEvent(event)  # type: ignore[arg-type]
        self.open()

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._place()

    def _arrange(self) -> None:
        space = current_tokens().space
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        self._blank = QWidget()
        self._asking = Card(_("Lengths, labels, languages and more"))
        self._asking.add(
            BodyText(_("Measuring reads all rows once; large data takes some minutes."), tone="muted")
        )
        self._asking.add(self.problem)
        self._asking.body.addWidget(self.measure, 0, Qt.AlignmentFlag.AlignLeft)
        self._working = Card()
        self._working.add(self.panel)
        self._shown = QWidget()
        inside = QVBoxLayout(self._shown)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(space.m)
        self._grid.setSpacing(space.l)
        inside.addLayout(self._grid)
        self._foot = Caption()
        inside.addWidget(self._foot)
        for page in (self._blank, self._asking, self._working, self._shown):
            self.stack.addWidget(page)
        column.addWidget(self.stack)

    def _on_kept(self, statistics: DatasetStatistics | None) -> None:
        if statistics is not None:
            self._on_measured(statistics)
        elif self.dataset is not None and self.dataset.rows <= MEASURED_AT_ONCE:
            self.start()
        else:
            self.stack.setCurrentWidget(self._asking)

    def _on_measured(self, statistics: DatasetStatistics) -> None:
        self.statistics = statistics
        self._show_cards(cards_of(statistics))
        words = _("Some figures are estimated from a sample of the rows.") if statistics.estimated else ""
        self._foot.setText(words)
        self._foot.setVisible(bool(words))
        self.stack.setCurrentWidget(self._shown)
        self.measured.emit(statistics)

    def _on_failed(self, problem: Exception) -> None:
        self.stack.setCurrentWidget(self._asking)
        if isinstance(problem, StudioError):
            self.problem.show_problem(problem)
        else:
            self._ctx.notices.error_from(problem)

    def _show_cards(self, cards: list[QWidget]) -> None:
        for card in self._cards:
            self._grid.removeWidget(card)
            card.hide()
            card.deleteLater()
        self._cards, self._columns = cards, 0
        self._place()

    def _place(self) -> None:
        columns = 2 if self.width() >= _TWO_COLUMNS else 1
        if columns == self._columns:
            return
        self._columns = columns
        for position, card in enumerate(self._cards):
            alone = position == len(self._cards) - 1 and position % columns == 0
            self._grid.addWidget(card, position // columns, position % columns, 1, columns if alone else 1)
        for column in range(2):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)
