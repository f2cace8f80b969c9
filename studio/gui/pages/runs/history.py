"""All runs in a table: open, rename, delete with a way back, and lay several over one another in one plot."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QItemSelectionModel, Qt, Signal
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

from studio.domain.runs import ENDED, Run, RunState
from studio.domain.verdicts import Verdict
from studio.gui.context import GuiContext
from studio.gui.models.runs_table import PAGE_ROWS, RunColumn, RunRole, RunRow, RunsTable
from studio.gui.theme import current_tokens
from studio.gui.widgets import Caption, EmptyState, GhostButton, PrimaryButton, SecondaryButton
from studio.gui.widgets.plots_spark import SparkDelegate, spark_points
from studio.i18n import _, ngettext

if TYPE_CHECKING:
    from studio.gui.pages.runs.compare import CompareCard

ROW_HEIGHT = 44
_WIDTHS = {
    RunColumn.NAME: 210, RunColumn.PRODUCT: 120, RunColumn.BASE: 170, RunColumn.DATA: 150, RunColumn.STATE: 124,
    RunColumn.LOSS: 128, RunColumn.VERDICT: 146, RunColumn.TIME: 110, RunColumn.DATE: 130,
}  # fmt: skip


class HistoryView(QWidget):
    """``opened`` carries the id (str) of a run that was double-clicked or opened by Enter."""

    opened = Signal(str)
    loaded = Signal()  # the first page stands on the screen

    def __init__(self, ctx: GuiContext) -> None:
        super().__init__()
        self._ctx = ctx
        self._generation = 0
        self._awake = False
        self._sparks: dict[
            str, tuple[tuple[float, ...], Verdict | None]
        ] = {}  # of ended runs, which do not change
        self.compare_card: CompareCard | None = None
        self.model = RunsTable(self)
        self.table = self._build_table()
        self.open = PrimaryButton(_("Open"), self._open)
        self.compare = SecondaryButton(_("Compare"), self._compare)
        self.rename = GhostButton(_("Rename"), self._rename)
        self.delete = GhostButton(_("Delete"), self._delete)
        self.count = Caption()
        self._stack = QStackedLayout(self)
        self._build()
        self.model.page_wanted.connect(self._want_page)
        self.model.renamed.connect(self._on_renamed)
        self._on_selection()

    def wake(self) -> None:
        """The view came into sight."""
        self._awake = True
        self.reload()

    def sleep(self) -> None:
        """The view went out of sight."""
        self._awake = False

    def dispose(self) -> None:
        """Let go of what outlives the page."""
        if self.compare_card is not None:
            self.compare_card.dispose()

    def reload(self) -> None:
        """Read the runs anew, as many as were shown."""
        self._generation += 1
        limit = max(PAGE_ROWS, self.model.rowCount())
        self._ctx.tasks.run(
            partial(self._read, 0, limit, with_total=True), partial(self._take_all, self._generation)
        )

    def selected(self) -> list[Run]:
        """The chosen runs, in the order of the table."""
        rows = sorted(index.row() for index in self.table.selectionModel().selectedRows())
        return [self.model.row(row).run for row in rows]

    def _build_table(self) -> QTableView:
        table = QTableView()
        table.setModel(self.model)
        table.setAccessibleName(_("All runs"))
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        table.setEditTriggers(QAbstractItemView.EditTrigger.EditKeyPressed)
        table.setShowGrid(False)
        table.setWordWrap(False)
        table.setTextElideMode(Qt.TextElideMode.ElideMiddle)  # folds differ in the end of their names
        table.setTabKeyNavigation(False)
        table.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        header = table.horizontalHeader()
        header.setHighlightSections(False)
        header.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setStretchLastSection(True)
        for column, width in _WIDTHS.items():
            table.setColumnWidth(column, width)
        self._spark = SparkDelegate(RunRole.SPARK)
        table.setItemDelegateForColumn(RunColumn.LOSS, self._spark)
        table.doubleClicked.connect(lambda _index: self._open())
        table.selectionModel().selectionChanged.connect(lambda *_args: self._on_selection())
        for keys, deed in (("Return", self._open), ("Enter", self._open), ("Delete", self._delete)):
            QShortcut(QKeySequence(keys), table, deed).setContext(Qt.ShortcutContext.WidgetShortcut)
        return table

    def _build(self) -> None:
        space = current_tokens().space
        page = QWidget()
        self._column = QVBoxLayout(page)
        self._column.setContentsMargins(space.xl, space.l, space.xl, space.xl)
        self._column.setSpacing(space.m)
        tools = QHBoxLayout()
        tools.setSpacing(space.s)
        self.count.setWordWrap(False)
        tools.addWidget(self.count)
        tools.addStretch(1)
        for button in (self.delete, self.rename, self.compare, self.open):
            tools.addWidget(button)
        self._column.addLayout(tools)
        self._column.addWidget(self.table, 1)
        empty = EmptyState(
            "runs",
            _("Every training run is kept here with its settings, curves and verdict."),
            _("Train a model"),
            lambda: self._ctx.navigator.go("train"),
            title=_("No runs yet"),
        )
        for part in (QWidget(), empty, page):
            self._stack.addWidget(part)

    def _read(self, offset: int, limit: int, *, with_total: bool = False) -> tuple[list[RunRow], int]:
        services = self._ctx.services
        names = {p.id: p.name for matrix in services.matrices.list() for p in matrix.products}
        rows = []
        for run in services.runs.list(limit=limit, offset=offset):
            spark, verdict = self._sparks.get(run.id, ((), None))
            rows.append(RunRow(run, names.get(run.product_id or "", ""), spark, verdict))
        return rows, services.runs.count() if with_total else 0

    def _take_all(self, generation: int, result: tuple[list[RunRow], int]) -> None:
        if generation != self._generation:
            return
        rows, total = result
        chosen = {run.id for run in self.selected()}
        self.model.reset(rows, total)
        self._choose(chosen)
        self._stack.setCurrentIndex(2 if rows else 1)
        self.count.setText(ngettext("{n} run", "{n} runs", total).format(n=f"{total:,}"))
        self._want_sparks(rows)
        self.loaded.emit()

    def _want_page(self, offset: int, limit: int) -> None:
        def take(result: tuple[list[RunRow], int]) -> None:
            self.model.add_page(offset, result[0])
            self._want_sparks(result[0])

        self._ctx.tasks.run(partial(self._read, offset, limit), take)

    def _want_sparks(self, rows: list[RunRow]) -> None:
        missing = [row.run for row in rows if row.run.id not in self._sparks and row.run.step > 0]
        if missing:
            self._read_next_spark(self._generation, missing)

    def _read_next_spark(self, generation: int, missing: list[Run]) -> None:
        """One run at a time, so that a long history does not hold a thread and leaving the page ends it."""
        if generation != self._generation or not missing or not self._awake:
            return
        run, rest = missing[0], missing[1:]
        runs = self._ctx.services.runs

        def read() -> tuple[tuple[float, ...], Verdict | None]:
            return spark_points([step.loss for step in runs.steps(run.id)]), runs.verdict(run.id)

        def take(found: tuple[tuple[float, ...], Verdict | None]) -> None:
            if run.state in ENDED:
                self._sparks[run.id] = found
            self.model.enrich(run.id, spark=found[0], verdict=found[1])
            self._read_next_spark(generation, rest)

        self._ctx.tasks.run(read, take)

    def _choose(self, run_ids: set[str]) -> None:
        select = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        for number in range(self.model.rowCount()):
            if self.model.row(number).run.id in run_ids:
                self.table.selectionModel().select(self.model.index(number, 0), select)

    def _on_selection(self) -> None:
        chosen = self.selected()
        self.open.setEnabled(len(chosen) == 1)
        self.rename.setEnabled(len(chosen) == 1)
        self.compare.setEnabled(len(chosen) >= 2)
        self.compare.setToolTip("" if len(chosen) >= 2 else _("Choose two or more runs with Ctrl or Shift."))
        under_way = any(run.state in (RunState.RUNNING, RunState.PAUSED) for run in chosen)
        self.delete.setEnabled(bool(chosen) and not under_way)

    def _open(self) -> None:
        chosen = self.selected()
        if len(chosen) == 1:
            self.opened.emit(chosen[0].id)

    def _rename(self) -> None:
        rows = self.table.selectionModel().selectedRows()
        if len(rows) == 1:
            self.table.setFocus()
            self.table.edit(self.model.index(rows[0].row(), RunColumn.NAME))

    def _on_renamed(self, change: tuple[str, str]) -> None:
        rename = self._ctx.services.runs.rename
        self._ctx.tasks.run(lambda: rename(*change), lambda _run: self.reload())

    def _delete(self) -> None:
        if not self.delete.isEnabled():
            return
        chosen = self.selected()
        runs = self._ctx.services.runs

        def delete() -> None:
            for run in chosen:
                runs.delete(run.id)

        self._ctx.tasks.run(delete, lambda _done: self._on_deleted(chosen))

    def _on_deleted(self, gone: list[Run]) -> None:
        self.reload()
        text = ngettext("{n} run moved to the bin.", "{n} runs moved to the bin.", len(gone)).format(
            n=len(gone)
        )
        self._ctx.notices.info(text, action_label=_("Undo"), action=lambda: self._restore(gone))

    def _restore(self, gone: list[Run]) -> None:
        runs = self._ctx.services.runs

        def restore() -> None:
            for run in gone:
                runs.restore(run.id)

        self._ctx.tasks.run(restore, lambda _done: self.reload())

    def _compare(self) -> None:
        chosen = self.selected()
        if self.compare_card is not None:
            self.compare_card.show_runs(chosen)
            return
        self._ctx.tasks.run(_import_compare, partial(self._add_compare, chosen))

    def _add_compare(self, chosen: list[Run], card_type: Callable[..., Any]) -> None:
        if self.compare_card is None:
            self.compare_card = card_type(self._ctx)
            self._column.addWidget(self.compare_card, 1)
        self.compare_card.show_runs(chosen)


def _import_compare() -> Callable[..., Any]:
    card: Callable[..., Any] = importlib.import_module("studio.gui.pages.runs.compare").CompareCard
    return card
