"""One dataset: its rows, the rows that were put aside, and its facts."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QStackedWidget,
    QTableView,
    QTabWidget,
    QVBoxLayout,
    QWidget,
)

from studio.domain.datasets import DatasetVersion, title
from studio.errors import StudioError
from studio.gui.context import GuiContext
from studio.gui.models.rejected_table import RejectedTable
from studio.gui.models.rows_table import PagedTable, RowsTable
from studio.gui.pages.data.problem import ProblemLine
from studio.gui.pages.data.report import DatasetReport
from studio.gui.theme import current_tokens
from studio.gui.widgets import (
    Caption,
    EmptyState,
    IconButton,
    PageTitle,
    PrimaryButton,
    SecondaryButton,
    StateBadge,
)
from studio.i18n import _, ngettext

ROW_HEIGHT = 36
_NARROW = 96
_TITLE_CHARS = 30
_WIDTHS = {"row": _NARROW, "split": _NARROW, "system": 160}  # the others share what is left
TABS = ("rows", "rejected", "facts")


class DatasetView(QWidget):
    """use_wanted, resplit_wanted, delete_wanted, restore_wanted, train_wanted: no argument, of the shown dataset."""

    use_wanted = Signal()
    train_wanted = Signal()
    resplit_wanted = Signal()
    delete_wanted = Signal()
    restore_wanted = Signal()

    def __init__(self, ctx: GuiContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ctx = ctx
        self.dataset: DatasetVersion | None = None
        self.rows = RowsTable(ctx.tasks, self)
        self.rejected = RejectedTable(ctx.tasks, self)
        self.report = DatasetReport()
        self.tabs = QTabWidget()
        self.use = PrimaryButton("", self.use_wanted.emit, icon="check")
        self.train = PrimaryButton(_("Train with it"), self.train_wanted.emit, icon="train")
        self.resplit = SecondaryButton(_("Split again…"), self.resplit_wanted.emit, icon="split")
        self.delete = IconButton("trash", _("Move to bin"), self.delete_wanted.emit)
        self.restore = PrimaryButton(_("Restore"), self.restore_wanted.emit, icon="undo")
        self.problem = ProblemLine()
        self._build()
        for table in (self.rows, self.rejected):
            table.page_failed.connect(self._on_page_failed)

    def show_dataset(self, dataset: DatasetVersion, columns: list[str]) -> None:
        """Show a dataset; its rows are read when they come into sight."""
        service, dataset_id = self._ctx.services.datasets, dataset.id
        self.problem.clear()
        if self.dataset is None or self.dataset.id != dataset_id:
            self.rows.show_dataset(
                columns, dataset.rows, lambda offset, limit: service.page(dataset_id, offset, limit)
            )
            self.rejected.show_rejected(
                dataset.rejected, lambda offset, limit: service.rejected(dataset_id, offset, limit)
            )
        self.dataset = dataset
        self.report.show_dataset(dataset)
        name = dataset.name
        self._title.setText(name if len(name) <= _TITLE_CHARS else name[: _TITLE_CHARS - 1] + "…")
        self._title.setToolTip(dataset.name)
        count = ngettext("{n} row", "{n} rows", dataset.rows).format(n=f"{dataset.rows:,}")
        self._about.setText(f"{count}  ·  {title(dataset.shape)}")
        self._rejected_stack.setCurrentIndex(0 if dataset.rejected else 1)
        aside = _("Put aside ({n})").format(n=f"{dataset.rejected:,}") if dataset.rejected else _("Put aside")
        self.tabs.setTabText(1, aside)
        self._fit_columns()

    def show_use(self, product_name: str | None, in_use: bool) -> None:
        """Offer the dataset to the chosen product, or say that it has it."""
        deleted = self.dataset is not None and self.dataset.deleted
        self.use.setVisible(product_name is not None and not in_use and not deleted)
        self.use.setText(_("Use for {name}").format(name=product_name or ""))
        self.train.setVisible(in_use and not deleted)
        self._badge.set(_("In the bin") if deleted else _("In use"), "warning" if deleted else "success")
        self._badge.setVisible(deleted or in_use)
        self._badge.setToolTip(
            _("Data of {name}").format(name=product_name) if in_use and product_name else ""
        )
        for button in (self.resplit, self.delete):
            button.setVisible(not deleted)
        self.restore.setVisible(deleted)

    def clear(self) -> None:
        """Show nothing and forget the pages."""
        self.dataset = None
        self.rows.clear()
        self.rejected.clear()

    def _build(self) -> None:
        space = current_tokens().space
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(space.m)
        column.addLayout(self._header())
        column.addWidget(self.problem)
        self.rows_view = _table(self.rows, _("Rows of the data"))
        self._rejected_stack = QStackedWidget()
        self.rejected_view = _table(self.rejected, _("Rows that were put aside"))
        self._rejected_stack.addWidget(self.rejected_view)
        self._rejected_stack.addWidget(EmptyState("success", _("Every row of the file could be used.")))
        self.tabs.addTab(_padded(self.rows_view), _("Rows"))
        self.tabs.addTab(_padded(self._rejected_stack), _("Put aside"))
        self.tabs.addTab(_padded(self.report), _("Facts"))
        self.tabs.tabBar().setDrawBase(False)
        column.addWidget(self.tabs, 1)

    def _header(self) -> QHBoxLayout:
        space = current_tokens().space
        row = QHBoxLayout()
        row.setSpacing(space.s)
        words = QVBoxLayout()
        words.setSpacing(2)
        name = QHBoxLayout()
        name.setSpacing(space.s)
        self._title, self._about = PageTitle(), Caption()
        self._title.setWordWrap(False)
        self._about.setWordWrap(False)
        self._title.setMinimumWidth(60)  # a long name is cut before the buttons are
        self._badge = StateBadge("", "success")
        name.addWidget(self._title)
        name.addWidget(self._badge)
        name.addStretch(1)
        words.addLayout(name)
        words.addWidget(self._about)
        row.addLayout(words, 1)
        for button in (self.resplit, self.delete, self.restore, self.use, self.train):
            row.addWidget(button)
        return row

    def _fit_columns(self) -> None:
        widths = [_WIDTHS.get(self.rows.name(section), 0) for section in range(self.rows.columnCount())]
        share = (self.width() - sum(widths) - 20) // max(widths.count(0), 1)
        for section, width in enumerate(widths):
            self.rows_view.setColumnWidth(section, width or max(200, share))
        self.rejected_view.setColumnWidth(0, _NARROW)
        self.rejected_view.setColumnWidth(1, 320)

    def _on_page_failed(self, problem: Exception) -> None:
        if isinstance(problem, StudioError):
            self.problem.show_problem(problem)
        else:
            self._ctx.notices.error_from(problem)


def _table(model: PagedTable, name: str) -> QTableView:
    view = QTableView()
    view.setModel(model)
    view.setAccessibleName(name)
    view.setShowGrid(False)
    view.setWordWrap(False)
    view.setTabKeyNavigation(False)
    view.setAlternatingRowColors(True)
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
    view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    # Fixed heights: Qt then computes where a row is instead of remembering it for each.
    view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    view.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
    view.verticalHeader().hide()
    view.horizontalHeader().setStretchLastSection(True)
    view.horizontalHeader().setHighlightSections(False)
    view.horizontalHeader().setSectionsClickable(False)
    return view


def _padded(content: QWidget) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, current_tokens().space.m, 0, 0)
    column.addWidget(content)
    return holder
