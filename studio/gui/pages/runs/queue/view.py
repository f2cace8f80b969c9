"""The queue: which run is under way, which wait, in which order and for which hours."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Literal

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QStackedLayout,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from studio.domain.ids import new_id
from studio.domain.runs import Run
from studio.gui.context import GuiContext, JobStatus
from studio.gui.dialogs.ask import ask
from studio.gui.models.queue_table import QueueColumn, QueueRow, QueueTable
from studio.gui.pages.runs.queue.hours_dialog import HoursDialog
from studio.gui.pages.runs.tables import plain_table
from studio.gui.theme import current_tokens
from studio.gui.widgets import Caption, EmptyState, GhostButton, IconButton, PrimaryButton, SecondaryButton
from studio.i18n import _, ngettext

REFRESH_MS = 20_000  # “waits until 22:00” becomes untrue by itself
_WIDTHS = {
    QueueColumn.PLACE: 60, QueueColumn.DATA: 136, QueueColumn.STATE: 176, QueueColumn.HOURS: 112,
    QueueColumn.EXPECTED: 112,
}  # fmt: skip


class QueueView(QWidget):
    """``opened`` carries the id (str) of a run that was double-clicked or opened by Enter."""

    opened = Signal(str)
    loaded = Signal()

    def __init__(self, ctx: GuiContext) -> None:
        super().__init__()
        self._ctx = ctx
        self._generation = 0
        self._chosen: str | None = None
        self.model = QueueTable(self)
        self.table = self._build_table()
        self.up = IconButton("arrow-up", _("Move up"), partial(self._move, "up"))
        self.down = IconButton("arrow-down", _("Move down"), partial(self._move, "down"))
        self.first = GhostButton(_("Make it the next"), partial(self._move, "first"))
        self.drop = GhostButton(_("Take out"), self._drop)
        self.hours = SecondaryButton(_("Hours…"), self._ask_hours)
        self.now = PrimaryButton(_("Start now"), self._start_now)
        self.count = Caption()
        self._timer = QTimer(self)
        self._timer.setInterval(REFRESH_MS)
        self._timer.timeout.connect(self.reload)
        self._stack = QStackedLayout(self)
        self._build()
        if ctx.jobs is not None:
            ctx.jobs.status_changed.connect(self._show_left)
        self.model.moved.connect(lambda change: self._do(partial(ctx.services.runs.reorder, *change)))
        self._on_selection()

    def wake(self) -> None:
        """The view came into sight."""
        self._timer.start()
        if self._ctx.jobs is not None:
            self._show_left(self._ctx.jobs.status())
        self.reload()

    def sleep(self) -> None:
        """The view went out of sight."""
        self._timer.stop()

    def dispose(self) -> None:
        """Let go of the jobs, which outlive the page."""
        if self._ctx.jobs is not None:
            self._ctx.jobs.status_changed.disconnect(self._show_left)

    def reload(self) -> None:
        """Read the queue anew."""
        self._generation += 1
        self._ctx.tasks.run(self._read, partial(self._take, self._generation))

    def selected(self) -> QueueRow | None:
        """The chosen row."""
        rows = self.table.selectionModel().selectedRows()
        return self.model.rows()[rows[0].row()] if rows else None

    def _build_table(self) -> QTableView:
        table = plain_table(self.model, _("Queue of runs"), {int(k): width for k, width in _WIDTHS.items()})
        header = table.horizontalHeader()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(QueueColumn.NAME, QHeaderView.ResizeMode.Stretch)
        table.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        table.setDragDropOverwriteMode(False)
        table.setDropIndicatorShown(True)
        table.doubleClicked.connect(lambda _index: self._open())
        table.selectionModel().selectionChanged.connect(lambda *_args: self._on_selection())
        for keys, deed in (
            ("Return", self._open), ("Enter", self._open), ("Delete", self._drop),
            ("Alt+Up", partial(self._move, "up")), ("Alt+Down", partial(self._move, "down")),
        ):  # fmt: skip
            QShortcut(QKeySequence(keys), table, deed).setContext(Qt.ShortcutContext.WidgetShortcut)
        return table

    def _build(self) -> None:
        space = current_tokens().space
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(space.xl, space.l, space.xl, space.xl)
        column.setSpacing(space.m)
        tools = QHBoxLayout()
        tools.setSpacing(space.s)
        self.count.setWordWrap(False)
        tools.addWidget(self.count)
        tools.addStretch(1)
        for widget in (self.up, self.down, self.first, self.drop, self.hours, self.now):
            tools.addWidget(widget)
        self.up.setToolTip(_("Move up (Alt+Up), or drag the row"))
        self.down.setToolTip(_("Move down (Alt+Down), or drag the row"))
        column.addLayout(tools)
        column.addWidget(self.table, 1)
        empty = EmptyState(
            "queue",
            _("Start several runs on the Train page: they wait here, and go one after the other."),
            _("Train a model"),
            lambda: self._ctx.navigator.go("train"),
            title=_("Nothing waits"),
        )
        for part in (QWidget(), empty, page):
            self._stack.addWidget(part)

    def _show_left(self, job: JobStatus | None) -> None:
        """Of the run under way, as the foot of the window has it."""
        self.model.set_left(job.eta_s if job is not None and not job.paused else None)

    def _read(self) -> list[QueueRow]:
        runs = self._ctx.services.runs
        under_way = [QueueRow(run, 0) for run in runs.active()]
        return under_way + [
            QueueRow(run, place, runs.waiting_words(run)) for place, run in enumerate(runs.queue(), 1)
        ]

    def _take(self, generation: int, rows: list[QueueRow]) -> None:
        if generation != self._generation:
            return
        if rows != self.model.rows():
            chosen = self._chosen
            self.model.show(rows)
            self._choose(chosen)
        waiting = len([row for row in rows if row.place])
        self.count.setText(ngettext("{n} run waits", "{n} runs wait", waiting).format(n=waiting))
        self._stack.setCurrentIndex(2 if rows else 1)
        self._on_selection()
        self.loaded.emit()

    def _choose(self, run_id: str | None) -> None:
        for number, row in enumerate(self.model.rows()):
            if row.run.id == run_id:
                self.table.selectRow(number)
                return

    def _on_selection(self) -> None:
        row = self.selected()
        if row is not None:
            self._chosen = row.run.id
        waits = row is not None and row.place > 0
        last = max((each.place for each in self.model.rows()), default=0)
        for button in (self.hours, self.now, self.drop):
            button.setEnabled(waits)
        self.up.setEnabled(row is not None and row.place > 1)
        self.first.setEnabled(row is not None and row.place > 1)
        self.down.setEnabled(row is not None and 0 < row.place < last)

    def _open(self) -> None:
        if (row := self.selected()) is not None:
            self.opened.emit(row.run.id)

    def _move(self, place: Literal["up", "down", "first"]) -> None:
        button = {"up": self.up, "down": self.down, "first": self.first}[place]
        if button.isEnabled() and (row := self.selected()) is not None:
            self._do(partial(self._ctx.services.runs.reorder, row.run.id, place))

    def _start_now(self) -> None:
        if (row := self.selected()) is not None:
            self._do(partial(self._ctx.services.runs.start_now, row.run.id))

    def _ask_hours(self) -> None:
        row = self.selected()
        if row is None:
            return
        dialog = HoursDialog(row.run, self)
        dialog.accepted.connect(lambda: self._set_hours(row.run, dialog))
        dialog.open()

    def _set_hours(self, run: Run, dialog: HoursDialog) -> None:
        hours, runs = dialog.hours(), self._ctx.services.runs
        if hours is None:
            self._do(partial(runs.unschedule, run.id))
        else:
            self._do(partial(runs.schedule, run.id, *hours))

    def _drop(self) -> None:
        row = self.selected()
        if row is None or not self.drop.isEnabled():
            return
        runs, run = self._ctx.services.runs, row.run
        question = _("Take “{name}” out and drop what it has learned?").format(name=run.name)
        if run.step and not ask(
            self, question, _("It has been trained up to step {step}.").format(step=run.step), _("Take it out"),
            _("Leave it"), danger=True,
        ):  # fmt: skip
            return
        self._do(partial(runs.cancel, run.id), partial(self._on_dropped, run))

    def _on_dropped(self, run: Run) -> None:
        text = _("“{name}” was taken out of the queue.").format(name=run.name)
        runs = self._ctx.services.runs
        if run.search_id or run.folds_id or run.step:  # part of something larger, which has its own ways
            self._ctx.notices.info(text)
            return
        plan = run.plan.model_copy(update={"run_id": new_id()})
        again = partial(runs.enqueue, plan, run.product_id, run.estimate)
        self._ctx.notices.info(text, action_label=_("Undo"), action=lambda: self._do(again))

    def _do(self, deed: Callable[[], object], then: Callable[[], None] | None = None) -> None:
        def done(_result: object) -> None:
            self.reload()
            if then is not None:
                then()

        self._ctx.tasks.run(deed, done)
