"""What differs between two versions: the counts, and the rows before and after."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QTableView, QVBoxLayout, QWidget

from studio.domain.datasets import DatasetVersion, DiffKind, RowChange, VersionDiff
from studio.errors import StudioError
from studio.gui.context import GuiContext
from studio.gui.models.diff_table import DiffColumn, DiffTable
from studio.gui.models.paged_table import PAGE_ROWS
from studio.gui.pages.data.editing.rows_view import prepare
from studio.gui.pages.data.problem import ProblemLine
from studio.gui.pages.data.versions.diff_delegate import ROW_HEIGHT, DiffDelegate
from studio.gui.tasks import Task
from studio.gui.theme import current_tokens
from studio.gui.widgets import Caption, DropDown, EmptyState, GhostButton, SectionTitle
from studio.i18n import N_, _, ngettext

_Page = Callable[[int, int, DiffKind | None], VersionDiff]
_ROWS, _SAME, _WAITING = range(3)  # pages of the stack
_KINDS = {
    DiffKind.ADDED: N_("Added"), DiffKind.REMOVED: N_("Removed"), DiffKind.CHANGED: N_("Changed"),
    DiffKind.MOVED: N_("In another part"),
}  # fmt: skip
_WIDTHS = {DiffColumn.ROW: 84, DiffColumn.WHAT: 130}


class CompareView(QWidget):
    """``compare`` shows the difference of two versions. left: the user wants back to the list."""

    left = Signal()

    def __init__(self, ctx: GuiContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ctx = ctx
        self._asked: Task | None = None
        self._page: _Page | None = None
        self.title = SectionTitle()
        self.counts = Caption()
        self.back = GhostButton(_("Back to the versions"), self.left.emit, icon="chevron-left")
        self.kind = DropDown()
        self.kind.setAccessibleName(_("Which rows are shown"))
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
        self.kind.hide()
        self.stack.setCurrentIndex(_WAITING)
        versions = self._ctx.services.versions

        def page(offset: int, limit: int, only: DiffKind | None) -> VersionDiff:
            return versions.compare(older.id, newer.id, offset, limit, only=only)

        self._page = page
        self._asked = self._ctx.tasks.run(  # a child process each time: what it gives is used
            lambda: page(0, PAGE_ROWS, None), self._on_counts, self._on_failed, _("Comparing two versions")
        )

    def _arrange(self) -> None:
        prepare(self.view, self.table, _("Rows that differ"))
        self.view.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
        self._old, self._new = DiffDelegate(old=True), DiffDelegate(old=False)
        self.view.setItemDelegateForColumn(DiffColumn.BEFORE, self._old)
        self.view.setItemDelegateForColumn(DiffColumn.AFTER, self._new)
        self.stack.addWidget(self.view)
        self.stack.addWidget(EmptyState("success", _("The rows of both versions are the same.")))
        self.stack.addWidget(EmptyState("compare", _("Comparing…")))
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self.title)
        words.addWidget(self.counts)
        head = QHBoxLayout()
        head.addLayout(words, 1)
        head.addWidget(self.kind)
        head.addWidget(self.back)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(current_tokens().space.s)
        column.addLayout(head)
        column.addWidget(self.problem)
        column.addWidget(self.stack, 1)
        self.table.modelReset.connect(self._fit)
        self.kind.activated.connect(lambda _index: self._show_kind())

    def _on_counts(self, diff: VersionDiff) -> None:
        self._asked = None
        self.counts.setText(diff_words(diff))
        counts = {kind: int(getattr(diff, kind)) for kind in DiffKind}
        shown = sum(counts.values())
        self.stack.setCurrentIndex(_ROWS if shown else _SAME)
        self.kind.clear()
        self.kind.addItem(_("All that differ"), (None, shown))
        for kind, count in counts.items():
            if count:
                self.kind.addItem(_(_KINDS[kind]), (kind, count))
        self.kind.setVisible(self.kind.count() > 2)
        self._show_kind(diff.rows)

    def _show_kind(self, first: Sequence[RowChange] = ()) -> None:
        """The rows that differ in the chosen way. first: the first page of them, where it is known."""
        page = self._page
        only, count = self.kind.currentData()
        only = DiffKind(only) if only else None  # Qt hands a StrEnum on as a plain string

        def rows(offset: int, limit: int) -> list[RowChange]:
            return page(offset, limit, only).rows if page is not None else []

        self.table.show_changes(count, rows, first)

    def _on_failed(self, problem: Exception) -> None:
        self.counts.setText("")
        self.stack.setCurrentIndex(_ROWS)
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
