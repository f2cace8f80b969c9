"""What differs between two versions: the counts, and the rows before and after."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QTableView, QVBoxLayout, QWidget

from studio.domain.datasets import DatasetVersion, RowChange, VersionDiff
from studio.errors import StudioError
from studio.gui.context import GuiContext
from studio.gui.models.diff_table import DiffColumn, DiffTable
from studio.gui.pages.data.editing.rows_view import prepare
from studio.gui.pages.data.problem import ProblemLine
from studio.gui.pages.data.versions.diff_delegate import ROW_HEIGHT, DiffDelegate
from studio.gui.tasks import Task
from studio.gui.theme import current_tokens
from studio.gui.widgets import Caption, EmptyState, GhostButton, SectionTitle
from studio.i18n import _, ngettext

_WIDTHS = {DiffColumn.ROW: 84, DiffColumn.WHAT: 130}


class CompareView(QWidget):
    """``compare`` shows the difference of two versions. left: the user wants back to the list."""

    left = Signal()

    def __init__(self, ctx: GuiContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ctx = ctx
        self._asked: Task | None = None
        self.title = SectionTitle()
        self.counts = Caption()
        self.back = GhostButton(_("Back to the versions"), self.left.emit, icon="chevron-left")
        self.problem = ProblemLine()
        self.table = DiffTable(ctx.tasks, self)
        self.view = QTableView()
        self.stack = QStackedWidget()
        self._arrange()
        self.table.page_failed.connect(self._on_failed)

    def compare(self, older: DatasetVersion, newer: DatasetVersion) -> None:
        """Show what the newer one has different; the counts come first."""
        self._forget()
        self.title.setText(
            _("Version {newer} compared with version {older}").format(newer=newer.number, older=older.number)
        )
        self.counts.setText(_("Comparing…"))
        self.problem.clear()
        self.stack.setCurrentIndex(0)
        versions = self._ctx.services.versions
        page: Callable[[int, int], VersionDiff] = lambda offset, limit: versions.compare(  # noqa: E731
            older.id, newer.id, offset, limit
        )
        self._asked = self._ctx.tasks.run(
            lambda: page(0, 1), partial(self._on_counts, page), self._on_failed, _("Comparing two versions")
        )

    def _arrange(self) -> None:
        prepare(self.view, self.table, _("Rows that differ"))
        self.view.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self._old, self._new = DiffDelegate(old=True), DiffDelegate(old=False)
        self.view.setItemDelegateForColumn(DiffColumn.BEFORE, self._old)
        self.view.setItemDelegateForColumn(DiffColumn.AFTER, self._new)
        self.stack.addWidget(self.view)
        self.stack.addWidget(EmptyState("success", _("The rows of both versions are the same.")))
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.title)
        words.addWidget(self.counts)
        head = QHBoxLayout()
        head.addLayout(words, 1)
        head.addWidget(self.back)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(current_tokens().space.s)
        column.addLayout(head)
        column.addWidget(self.problem)
        column.addWidget(self.stack, 1)
        self.table.modelReset.connect(self._fit)

    def _on_counts(self, page: Callable[[int, int], VersionDiff], diff: VersionDiff) -> None:
        self._asked = None
        self.counts.setText(diff_words(diff))
        shown = diff.added + diff.removed + diff.changed
        self.stack.setCurrentIndex(0 if shown else 1)

        def rows(offset: int, limit: int) -> list[RowChange]:
            return page(offset, limit).rows

        self.table.show_changes(shown, rows)

    def _on_failed(self, problem: Exception) -> None:
        self.counts.setText("")
        if isinstance(problem, StudioError):
            self.problem.show_problem(problem)
        else:
            self._ctx.notices.error_from(problem)

    def _forget(self) -> None:
        if self._asked is not None:
            self._asked.abandon()
            self._asked = None
        self.table.clear()

    def resizeEvent(self, event: object) -> None:
        super().resizeEvent(event)  # type: ignore[arg-type]
        self._fit()

    def _fit(self) -> None:
        for column, width in _WIDTHS.items():
            self.view.setColumnWidth(column, width)
        room = self.view.viewport().width() - sum(_WIDTHS.values())
        for column in (DiffColumn.BEFORE, DiffColumn.AFTER):
            self.view.setColumnWidth(column, max(room // 2, 180))


def diff_words(diff: VersionDiff) -> str:
    """The counts in a line."""
    parts = [
        words.format(n=f"{count:,}")
        for count, words in (
            (diff.added, ngettext("{n} row added", "{n} rows added", diff.added)),
            (diff.removed, ngettext("{n} row removed", "{n} rows removed", diff.removed)),
            (diff.changed, ngettext("{n} row changed", "{n} rows changed", diff.changed)),
            (diff.moved, ngettext("{n} row in another part", "{n} rows in another part", diff.moved)),
        )
        if count
    ]
    return "  ·  ".join(parts) or _("No difference")
