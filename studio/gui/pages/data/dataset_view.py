"""One dataset: rows with the doctor beside them, rows put aside, statistics, versions; or the labeller."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QStackedWidget, QTableView, QTabWidget, QVBoxLayout, QWidget

from studio.domain.datasets import DatasetVersion
from studio.domain.shapes import Shape
from studio.domain.statistics import DatasetStatistics
from studio.errors import StudioError
from studio.gui.context import GuiContext
from studio.gui.dialogs.ask import Answer, AskDialog
from studio.gui.models.rejected_table import RejectedTable
from studio.gui.models.rows_table import RowsTable
from studio.gui.pages.data.beside_rows import BesideRows
from studio.gui.pages.data.doctor import DoctorPanel
from studio.gui.pages.data.editing.augment_dialog import AugmentDialog
from studio.gui.pages.data.editing.replace_dialog import ReplaceDialog
from studio.gui.pages.data.editing.rows_panel import RowsPanel
from studio.gui.pages.data.editing.rows_view import RowsView, prepare
from studio.gui.pages.data.editing.split_dialog import SplitDialog
from studio.gui.pages.data.editing.step_dialog import StepDialog
from studio.gui.pages.data.export.card_dialog import CardDialog
from studio.gui.pages.data.export.export_dialog import ExportDialog
from studio.gui.pages.data.header import DatasetHeader
from studio.gui.pages.data.labelling.labeller import LabelPage
from studio.gui.pages.data.problem import ProblemLine
from studio.gui.pages.data.report import DatasetReport
from studio.gui.pages.data.statistics.statistics_view import StatisticsView
from studio.gui.pages.data.versions.versions_view import VersionsView
from studio.gui.pages.data.work_dialog import WorkDialog
from studio.gui.theme import current_tokens
from studio.gui.widgets import EmptyState
from studio.i18n import _

TABS = ("rows", "rejected", "facts", "versions")
_NARROW = 96
_REASON_SHARE = 0.5  # of the width: a reason is a sentence
_AFTER_LENGTHS = 2  # place of the statistics among the cards of the report


class DatasetView(QWidget):
    """use_wanted, train_wanted, delete_wanted, restore_wanted: no argument, of the shown dataset.

    version_made: the DatasetVersion that is the newest of the family from now on. full_page: bool, whether the view
    wants the whole page.
    """

    use_wanted = Signal()
    train_wanted = Signal()
    delete_wanted = Signal()
    restore_wanted = Signal()
    version_made = Signal(object)
    full_page = Signal(bool)

    def __init__(self, ctx: GuiContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ctx = ctx
        self.dataset: DatasetVersion | None = None
        self._columns: list[str] = []
        self._label_next: str | None = None  # the dataset that was made to be labelled, until it is on show
        self.header = DatasetHeader()
        self.problem = ProblemLine()
        self.rows_panel = RowsPanel(ctx)
        self.doctor = DoctorPanel(ctx)
        self.beside = BesideRows(ctx, self.rows_panel, self.doctor)
        self.rejected = RejectedTable(ctx.tasks, self)
        self.rejected_view = QTableView()
        self.report = DatasetReport()
        self.statistics = StatisticsView(ctx)
        self.versions = VersionsView(ctx)
        self.labeller = LabelPage(ctx)
        self.tabs = QTabWidget()
        self.pages = QStackedWidget()
        self._build()
        self._connect()
        self._bind_keys()

    @property
    def rows(self) -> RowsTable:
        """The rows on show."""
        return self.rows_panel.rows

    @property
    def rows_view(self) -> RowsView:
        """Their table."""
        return self.rows_panel.view

    def show_dataset(self, dataset: DatasetVersion, columns: list[str]) -> None:
        """Show a dataset; its rows are read when they come into sight."""
        other = self.dataset is None or self.dataset.id != dataset.id
        self.dataset, self._columns = dataset, columns
        if other:
            self.problem.clear()
            self._leave_labeller()
            service, dataset_id = self._ctx.services.datasets, dataset.id
            self.rejected.show_rejected(
                dataset.rejected, lambda offset, limit: service.rejected(dataset_id, offset, limit)
            )
        self.header.show_dataset(dataset)
        self.rows_panel.show_dataset(dataset, columns)
        self.doctor.show_dataset(dataset)
        self.report.show_dataset(dataset)
        self.statistics.show_dataset(dataset)
        self.versions.show_dataset(dataset)
        self._rejected_stack.setCurrentIndex(0 if dataset.rejected else 1)
        aside = _("Put aside ({n})").format(n=f"{dataset.rejected:,}") if dataset.rejected else _("Put aside")
        self.tabs.setTabText(TABS.index("rejected"), aside)

    def show_use(self, product_name: str | None, in_use: bool) -> None:
        """Offer the dataset to the chosen product, or say that it has it."""
        deleted = self.dataset is not None and self.dataset.deleted
        self.header.show_use(product_name, in_use, deleted)

    def clear(self) -> None:
        """Show nothing, forget the pages and stop what is under way."""
        self.dataset = None
        self._leave_labeller()
        self.doctor.dispose()
        self.statistics.job.abandon()
        self.rows_panel.clear()
        self.rejected.clear()

    def labelling(self) -> bool:
        """The labelling page is open."""
        return self.pages.currentWidget() is self.labeller

    # What the header asks for

    def label(self) -> None:
        """Open the labelling page; plain texts become a dataset with a place for labels first."""
        draft = self.rows_panel.rows.draft()
        if self.dataset is not None and self.dataset.shape is Shape.TEXT:
            self._when_saved(self._make_room_for_labels)
        elif self.dataset is not None and draft is not None:
            self.labeller.begin(self.dataset, draft)
            self.pages.setCurrentWidget(self.labeller)
            self.full_page.emit(True)
            self.labeller.setFocus()

    def split(self) -> None:
        """Ask how to split or balance."""
        self._with_step(lambda dataset: SplitDialog(self._ctx, dataset, self._columns, self))

    def replace(self) -> None:
        """Ask what to find and replace; what is in the search field is the beginning."""
        found = self.rows_panel.finder.field.text()
        self._with_step(lambda dataset: ReplaceDialog(self._ctx, dataset, self._columns, self, found))

    def augment(self) -> None:
        """Ask for changed copies."""
        self._with_step(lambda dataset: AugmentDialog(self._ctx, dataset, self))

    def export(self) -> None:
        """Ask where to."""
        if self.dataset is not None:
            ExportDialog(self._ctx, self.dataset, self).open()

    def show_card(self) -> None:
        """Show the dataset card."""
        if self.dataset is not None:
            CardDialog(self._ctx, self.dataset, self).open()

    # Building

    def _build(self) -> None:
        space = current_tokens().space
        prepare(self.rejected_view, self.rejected, _("Rows that were put aside"))
        self._rejected_stack = QStackedWidget()
        self._rejected_stack.addWidget(self.rejected_view)
        self._rejected_stack.addWidget(EmptyState("success", _("Every row of the file could be used.")))
        self.report.body.insertWidget(_AFTER_LENGTHS, self.statistics)
        for widget, name in (
            (self.beside, _("Rows")), (self._rejected_stack, _("Put aside")), (self.report, _("Statistics")),
            (self.versions, _("Versions")),
        ):  # fmt: skip
            self.tabs.addTab(_padded(widget), name)
        self.tabs.tabBar().setDrawBase(False)
        self.tabs.tabBar().setAccessibleName(_("Parts of the data"))
        browse = QWidget()
        column = QVBoxLayout(browse)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(space.m)
        column.addWidget(self.header)
        column.addWidget(self.problem)
        column.addWidget(self.tabs, 1)
        self.pages.addWidget(browse)
        self.pages.addWidget(self.labeller)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(self.pages)

    def _connect(self) -> None:
        header = self.header
        for wish, signal in (
            (header.use_wanted, self.use_wanted), (header.train_wanted, self.train_wanted),
            (header.delete_wanted, self.delete_wanted), (header.restore_wanted, self.restore_wanted),
        ):  # fmt: skip
            wish.connect(signal)
        header.label_wanted.connect(self.label)
        header.split_wanted.connect(self.split)
        header.replace_wanted.connect(self.replace)
        header.augment_wanted.connect(self.augment)
        header.export_wanted.connect(self.export)
        header.card_wanted.connect(self.show_card)
        for source in (self.rows_panel.made, self.doctor.derived, self.versions.made):
            source.connect(self._on_made)
        self.rows_panel.problem.connect(self._show_problem)
        self.rows_panel.edits.connect(self._on_edits)
        self.doctor.example_chosen.connect(self._on_example)
        self.statistics.measured.connect(self._on_measured)
        self.rejected.page_failed.connect(self._on_page_failed)
        self.rejected.modelReset.connect(self._fit_rejected)
        self.labeller.left.connect(self._leave_labeller)
        self.labeller.labelled.connect(self.rows_panel.rows.edits_changed)
        self.labeller.save_wanted.connect(self.rows_panel.save)

    def _bind_keys(self) -> None:
        for keys, deed in (("Ctrl+H", self.replace), ("Ctrl+E", self.export)):
            shortcut = QShortcut(
                QKeySequence(keys), self.tabs
            )  # wherever the focus is, while they are in sight
            shortcut.activated.connect(deed)

    # What happens

    def _with_step(self, make: Callable[[DatasetVersion], StepDialog]) -> None:
        """Open a dialog that makes a version."""

        def begin(dataset: DatasetVersion) -> None:
            dialog = make(dataset)
            dialog.made.connect(self._on_made)
            dialog.open()

        self._when_saved(begin)

    def _when_saved(self, begin: Callable[[DatasetVersion], None]) -> None:
        """Unsaved edits are saved first, or they would be left behind."""
        if self.dataset is None or self.dataset.deleted:
            return
        if not self.rows_panel.pending():
            begin(self.dataset)
            return
        question = AskDialog(
            _("Save your changes first?"),
            _("This step works on saved rows; your unsaved changes would stay with the old version."),
            [Answer("no", _("Not now")), Answer("save", _("Save as version"), "primary")], self,
        )  # fmt: skip
        question.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        question.accepted.connect(lambda: self.rows_panel.save() if question.answer == "save" else None)
        question.open()

    def _on_made(self, version: DatasetVersion) -> None:
        self._leave_labeller()
        self.version_made.emit(version)

    def _make_room_for_labels(self, texts: DatasetVersion) -> None:
        service = self._ctx.services.datasets
        WorkDialog(
            self._ctx,
            _("Making the texts ready to be labelled"),
            lambda on_event, cancel: service.to_label(texts.id, on_event, cancel),
            self._on_ready_to_label,
            self,
            failed=self._show_problem,
        ).start()

    def _on_ready_to_label(self, version: DatasetVersion) -> None:
        self._label_next = version.id
        self.version_made.emit(version)

    def _on_edits(self, count: int) -> None:
        if self.dataset is not None and self.dataset.id == self._label_next and self.rows.draft() is not None:
            self._label_next = None
            self.label()
        self.doctor.findings.setEnabled(count == 0)  # its cancel works at any time
        self.doctor.setToolTip(_("The doctor works on saved rows: save your changes first.") if count else "")

    def _on_example(self, number: int) -> None:
        self.tabs.setCurrentIndex(TABS.index("rows"))
        self.rows_panel.go_to(number)

    def _leave_labeller(self) -> None:
        if self.pages.currentWidget() is self.labeller:
            self.pages.setCurrentIndex(0)
            self.full_page.emit(False)
            if self.labeller.session is not None:
                self.labeller.leave()
            self.rows_panel.rows.edits_changed()

    def _show_problem(self, problem: StudioError | None) -> None:
        if problem is None:
            self.problem.clear()
            self.labeller.problem.clear()
        else:
            self.problem.show_problem(problem)
            self.labeller.problem.show_problem(problem)

    def _on_page_failed(self, problem: Exception) -> None:
        if isinstance(problem, StudioError):
            self.problem.show_problem(problem)
        else:
            self._ctx.notices.error_from(problem)

    def _on_measured(self, statistics: DatasetStatistics) -> None:
        if statistics.languages:
            self.report.hide_languages()

    def _fit_rejected(self) -> None:
        self.rejected_view.setColumnWidth(0, _NARROW)
        self.rejected_view.setColumnWidth(1, round(self.rejected_view.viewport().width() * _REASON_SHARE))


def _padded(content: QWidget) -> QWidget:
    holder = QWidget()
    column = QVBoxLayout(holder)
    column.setContentsMargins(0, current_tokens().space.m, 0, 0)
    column.addWidget(content)
    return holder
