"""The versions tab: what made each version, the way back to any, and the difference of any two."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QStackedWidget,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from studio.domain.datasets import DatasetVersion
from studio.errors import StudioError
from studio.gui.context import GuiContext
from studio.gui.models.versions_table import VersionColumn, VersionsTable
from studio.gui.pages.data.editing.row_delegate import ROW_HEIGHT
from studio.gui.pages.data.problem import ProblemLine
from studio.gui.pages.data.versions.compare_view import CompareView
from studio.gui.pages.data.work_dialog import WorkDialog
from studio.gui.tasks import Task
from studio.gui.theme import current_tokens
from studio.gui.widgets import Caption, IconButton, SecondaryButton
from studio.i18n import _

_WIDTHS = {
    VersionColumn.NUMBER: 72, VersionColumn.CHANGE: 132, VersionColumn.ROWS: 92, VersionColumn.WHEN: 164,
}  # fmt: skip


class VersionsView(QWidget):
    """``show_dataset`` reads the family. made: the DatasetVersion to show from now on."""

    made = Signal(object)

    def __init__(self, ctx: GuiContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ctx = ctx
        self.dataset: DatasetVersion | None = None
        self._reading: Task | None = None
        self._redoable: DatasetVersion | None = None
        self._newest: DatasetVersion | None = None
        self.table = VersionsTable(self)
        self.view = QTableView()
        self.undo = IconButton("undo", _("Undo the last step"), self.undo_step)
        self.redo = IconButton("redo", _("Redo the undone step"), self.redo_step)
        self.compare = SecondaryButton(_("Compare"), self.compare_chosen, icon="compare")
        self.restore = SecondaryButton(_("Go back to this version"), self.restore_chosen)
        self.hint = Caption(
            _("Choose one version, or two to compare them. No version is ever changed or lost.")
        )
        self.problem = ProblemLine()
        self.comparison = CompareView(ctx)
        self.stack = QStackedWidget()
        self._arrange()
        self.view.selectionModel().selectionChanged.connect(self._show_buttons)
        self.comparison.left.connect(lambda: self.stack.setCurrentIndex(0))

    def show_dataset(self, dataset: DatasetVersion) -> None:
        """Read the versions of this dataset again."""
        if self.dataset is None or self.dataset.family_id != dataset.family_id:
            self.table.show_versions([dataset])
        if self.dataset is None or self.dataset.id != dataset.id:
            self.stack.setCurrentIndex(0)
            self.problem.clear()
        self.dataset = dataset
        if self._reading is not None:
            self._reading.abandon()
        versions, dataset_id = self._ctx.services.versions, dataset.id
        self._reading = self._ctx.tasks.run(
            lambda: (
                versions.versions(dataset_id),
                versions.undone(dataset_id),
                versions.replaced(dataset_id),
            ),
            self._on_versions,
            self._ctx.notices.error_from,
        )

    def chosen(self) -> list[DatasetVersion]:
        """The chosen versions, the older first."""
        rows = self.view.selectionModel().selectedRows()
        return sorted((self.table.version(index.row()) for index in rows), key=lambda each: each.number)

    def compare_chosen(self) -> None:
        """Show what differs between the two chosen versions, or between the chosen one and the one before."""
        pair = self._pair()
        if pair is not None:
            self.stack.setCurrentIndex(1)
            self.comparison.compare(*pair)

    def restore_chosen(self) -> None:
        """Make a new version with the rows of the chosen one."""
        chosen, dataset = self.chosen(), self.dataset
        if len(chosen) != 1 or dataset is None:
            return
        versions, wanted = self._ctx.services.versions, chosen[0].id
        WorkDialog(
            self._ctx,
            _("Going back to version {n}").format(n=chosen[0].number),
            lambda on_event, cancel: versions.restore_version(dataset.id, wanted, on_event, cancel),
            self.made.emit,
            self,
            failed=self.problem.show_problem,
        ).start()

    def undo_step(self) -> None:
        """Undo the newest version; the one before is the newest again."""
        self._walk("undo")

    def redo_step(self) -> None:
        """Redo the version that was undone last."""
        self._walk("redo")

    def _walk(self, way: str) -> None:
        if self.dataset is None:
            return
        walk = partial(getattr(self._ctx.services.versions, way), self.dataset.id)
        self._ctx.tasks.run(walk, self._on_walked, self._on_failed)

    def _arrange(self) -> None:
        space = current_tokens().space
        _prepare(self.view, self.table)
        tools = QHBoxLayout()
        tools.setSpacing(space.s)
        tools.addWidget(self.undo)
        tools.addWidget(self.redo)
        tools.addStretch(1)
        tools.addWidget(self.compare)
        tools.addWidget(self.restore)
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(space.s)
        column.addLayout(tools)
        column.addWidget(self.problem)
        column.addWidget(self.view, 1)
        column.addWidget(self.hint)
        self.stack.addWidget(page)
        self.stack.addWidget(self.comparison)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.stack)
        self._show_buttons()

    def _on_versions(
        self, answer: tuple[list[DatasetVersion], DatasetVersion | None, list[DatasetVersion]]
    ) -> None:
        family, self._redoable, replaced = answer
        self._newest = family[0]
        numbers = {version.number for version in self.chosen()}
        self.table.show_versions(family, replaced)
        select = self.view.selectionModel()
        for row in range(self.table.rowCount()):
            if self.table.version(row).number in numbers:
                index = self.table.index(row, 0)
                select.select(index, select.SelectionFlag.Select | select.SelectionFlag.Rows)
        self._show_buttons()

    def _on_walked(self, version: DatasetVersion | None) -> None:
        self.problem.clear()
        if version is not None:
            self.made.emit(version)

    def _on_failed(self, problem: Exception) -> None:
        if isinstance(problem, StudioError):
            self.problem.show_problem(problem)
        else:
            self._ctx.notices.error_from(problem)

    def _pair(self) -> tuple[DatasetVersion, DatasetVersion] | None:
        chosen = self.chosen()
        if len(chosen) == 2:
            return chosen[0], chosen[1]
        if len(chosen) == 1:
            family = [self.table.version(row) for row in range(self.table.rowCount())]
            before = [each for each in family if each.id == chosen[0].parent_id]
            return (before[0], chosen[0]) if before else None
        return None

    def _show_buttons(self) -> None:
        chosen = self.chosen()
        newest = self._newest is not None and chosen == [self._newest]
        usable = self.dataset is not None and not self.dataset.deleted
        self.undo.setEnabled(usable and self._newest is not None and self._newest.parent_id is not None)
        self.redo.setEnabled(usable and self._redoable is not None)
        self.redo.setVisible(self._redoable is not None)
        self.compare.setEnabled(self._pair() is not None)
        self.compare.setText(_("Compare") if len(chosen) == 2 else _("Compare with the one before"))
        self.restore.setEnabled(usable and len(chosen) == 1 and not newest)


def _prepare(view: QTableView, model: VersionsTable) -> None:
    view.setModel(model)
    view.setAccessibleName(_("Versions of the data"))
    view.setShowGrid(False)
    view.setWordWrap(False)
    view.setTabKeyNavigation(False)
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
    view.setTextElideMode(Qt.TextElideMode.ElideRight)
    view.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
    view.verticalHeader().hide()
    header = view.horizontalHeader()
    header.setHighlightSections(False)
    header.setSectionsClickable(False)
    for column, width in _WIDTHS.items():
        view.setColumnWidth(column, width)
    header.setSectionResizeMode(VersionColumn.WHAT, QHeaderView.ResizeMode.Stretch)
