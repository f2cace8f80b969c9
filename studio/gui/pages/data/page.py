"""Data: files become datasets here, and datasets are looked at, split, given to products, and thrown away."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QStackedWidget, QWidget

from studio.domain.datasets import DatasetVersion, ImportSpec, SourcePreview
from studio.domain.products import Product
from studio.errors import StudioError
from studio.gui.context import GuiContext
from studio.gui.page import Page, PaletteAction
from studio.gui.pages.data.dataset_list import DatasetList
from studio.gui.pages.data.dataset_view import TABS, DatasetView
from studio.gui.pages.data.import_form import ImportForm
from studio.gui.pages.data.job import ImportJob, Work
from studio.gui.pages.data.split_editor import ResplitDialog
from studio.gui.pages.data.waiting import ProblemView, StartView, WorkingView
from studio.gui.tasks import Task
from studio.gui.theme import current_tokens
from studio.gui.widgets import Divider, DropOverlay
from studio.i18n import _
from studio.services.changes import Changes
from studio.services.children import JobCancelled

if TYPE_CHECKING:
    from studio.bootstrap import Services


@dataclass(frozen=True)
class _Snapshot:
    """What the page shows at one moment, read in a thread."""

    datasets: list[DatasetVersion]
    product: Product | None
    chosen: DatasetVersion | None
    columns: list[str]


class DataPage(Page):
    """``open_file(path)`` begins an import; ``show_dataset(id)`` opens a dataset."""

    page_id = "data"
    icon = "data"
    interests = Changes.DATASETS | Changes.MATRIX

    def __init__(self, ctx: GuiContext, parent: QWidget | None = None) -> None:
        super().__init__(ctx, parent)
        self.job: ImportJob | None = None
        self._chosen: str | None = None
        self._source = ""  # of the file in the form, "" when none is open
        self._reading: Task | None = None
        self._peek: tuple[Task, threading.Event] | None = None
        self._restored_spec: ImportSpec | None = None
        self._product: Product | None = None
        self.list = DatasetList()
        self.start = StartView()
        self.working = WorkingView(self.cancel)
        self.problem = ProblemView(self.choose_file, self.abandon)
        self.dataset_view = DatasetView(ctx)
        self.stack = QStackedWidget()
        self._arrange()
        self._overlay = DropOverlay(self, _("Drop the file to import it"))
        self._connect()

    @cached_property
    def form(self) -> ImportForm:
        """Built when the first file is opened: half the cost of opening the page is spared."""
        form = ImportForm()
        self.stack.addWidget(form)
        form.other_wanted.connect(self.choose_file)
        form.import_wanted.connect(self._import)
        form.reread_wanted.connect(self._read)
        form.abandoned.connect(self.abandon)
        return form

    def title(self) -> str:
        return _("Data")

    def enter(self, **arguments: Any) -> None:
        if arguments.get("product_id"):
            self.ctx.navigator.set_product(arguments["product_id"])
            if not arguments.get("dataset_id") and not self._busy():
                self._chosen = None
                self.stack.setCurrentWidget(self.start)
        if arguments.get("dataset_id"):
            self._chosen = arguments["dataset_id"]
            self._leave_form()
        if arguments.get("path"):
            self.open_file(Path(arguments["path"]))
        self.reload()

    def refresh(self, changes: Changes) -> None:
        self.reload()

    def state(self) -> dict[str, Any]:
        return {
            "dataset_id": self._chosen,
            "tab": TABS[self.dataset_view.tabs.currentIndex()],
            "spec": self.form.spec() if isinstance(self.stack.currentWidget(), ImportForm) else None,
            "job": self.job if self.job is not None and self.job.running else None,
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._chosen = state.get("dataset_id")
        self.dataset_view.tabs.setCurrentIndex(TABS.index(state.get("tab", TABS[0])))
        if state.get("job") is not None:
            self._watch(state["job"])
        elif state.get("spec") is not None:
            self._restored_spec = state["spec"]
            self._read(state["spec"])
        else:
            self.reload()

    def dispose(self) -> None:
        self.ctx.navigator.product_changed.disconnect(self._on_product)
        self.dataset_view.clear()

    def palette_actions(self) -> list[PaletteAction]:
        return [PaletteAction("data.import", _("Import data"), "Ctrl+O", self.choose_file)]

    def choose_file(self) -> None:
        """Ask for a file, then read it."""
        dialog = QFileDialog(self, _("Choose a file to import"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        everything = _("All files (*)")
        dialog.setNameFilters(
            [
                _("Tables and texts") + " (*.csv *.tsv *.json *.jsonl *.ndjson *.xlsx *.parquet *.txt *.md)",
                everything,
            ]
        )
        dialog.fileSelected.connect(lambda path: self.open_file(Path(path)))
        dialog.open()

    def open_file(self, path: Path) -> None:
        """Look into a file and show what is in it, ready to import."""
        if self._busy():
            self.ctx.notices.info(_("One import at a time: wait until this one has ended, or cancel it."))
            return
        self._read(ImportSpec(source=str(path)))

    def show_dataset(self, dataset_id: str) -> None:
        """Open a dataset."""
        self._chosen = dataset_id
        self._leave_form()
        self.reload()

    def reload(self) -> None:
        """Read the list of datasets, the chosen one and the chosen product again."""
        services, chosen = self.ctx.services, self._chosen
        product_id = self.ctx.navigator.current_product_id
        if self._reading is not None:
            self._reading.abandon()  # an answer to an older question must not undo a newer choice
        self._reading = self.ctx.tasks.run(
            lambda: _read_all(services, chosen, product_id), self._show, self.ctx.notices.error_from
        )

    def cancel(self) -> None:
        """Stop looking into the file, or stop the import; nothing of it is kept."""
        if self.job is not None and self.job.running:
            self.job.cancel()
            self.working.cancelling()
        elif self._peek is not None:
            task, stop = self._peek
            stop.set()
            task.abandon()
            self._peek = None
            self.abandon()

    def abandon(self) -> None:
        """Leave the form without importing."""
        self._leave_form()
        self.reload()

    def _arrange(self) -> None:
        space = current_tokens().space
        row = QHBoxLayout(self)
        row.setContentsMargins(space.xl, space.xl, space.xl, space.xl)
        row.setSpacing(space.xl)
        row.addWidget(self.list)
        self._divider = Divider(vertical=True)
        row.addWidget(self._divider)
        self._show_list(False)
        row.addWidget(self.stack, 1)
        for view in (self.start, self.working, self.problem, self.dataset_view):
            self.stack.addWidget(view)

    def _connect(self) -> None:
        self._overlay.dropped.connect(self._on_dropped)
        self.start.dropped.connect(self._on_dropped)
        for wish in (self.list.import_wanted, self.start.file_wanted):
            wish.connect(self.choose_file)
        self.start.sample_wanted.connect(self._import_sample)
        self.list.dataset_chosen.connect(self.show_dataset)
        view = self.dataset_view
        view.use_wanted.connect(self._use)
        view.train_wanted.connect(lambda: self.ctx.navigator.go("train"))
        view.resplit_wanted.connect(self._ask_resplit)
        view.delete_wanted.connect(self._delete)
        view.restore_wanted.connect(self._restore)
        self.ctx.navigator.product_changed.connect(self._on_product)

    def _busy(self) -> bool:
        return self.job is not None and self.job.running

    def _leave_form(self) -> None:
        self._source = ""
        if not self._busy():
            self.stack.setCurrentWidget(self.start)

    def _on_dropped(self, paths: list[Path]) -> None:
        if len(paths) > 1:
            self.ctx.notices.info(_("One file at a time: the first one was opened."))
        self.open_file(paths[0])

    def _read(self, spec: ImportSpec) -> None:
        """Look into a file in a thread; the form or a clear message follows."""
        self._source = spec.source
        stop = threading.Event()
        service = self.ctx.services.datasets
        self.working.start(Path(spec.source).name, _("Looking into the file…"))
        self.stack.setCurrentWidget(self.working)
        task = self.ctx.tasks.run(
            lambda: (spec, service.preview(spec, stop)), self._on_preview, self._on_unreadable
        )
        self._peek = (task, stop)

    def _on_preview(self, answer: tuple[ImportSpec, SourcePreview]) -> None:
        spec, preview = answer
        self._peek = None
        restored, self._restored_spec = self._restored_spec, None
        self.form.show_preview(restored or spec, preview)
        self.stack.setCurrentWidget(self.form)

    def _on_unreadable(self, problem: Exception) -> None:
        self._peek = None
        if isinstance(problem, JobCancelled):
            self.abandon()
        elif isinstance(problem, StudioError):
            self.problem.show_problem(Path(self._source).name, problem)
            self.stack.setCurrentWidget(self.problem)
        else:
            self.abandon()
            self.ctx.notices.error_from(problem)

    def _import(self, spec: ImportSpec) -> None:
        service = self.ctx.services.datasets
        self._begin(spec.name, lambda on_event, cancel: service.import_(spec, on_event, cancel))

    def _import_sample(self) -> None:
        service = self.ctx.services.datasets
        self._begin(_("Example"), lambda on_event, cancel: service.import_sample(None, on_event, cancel))

    def _begin(self, name: str, work: Work) -> None:
        if not self._busy():
            job = ImportJob(self.ctx.tasks, work, _("Importing “{name}”").format(name=name))
            self._watch(job)
            job.start()

    def _watch(self, job: ImportJob) -> None:
        self.job = job
        job.progressed.connect(self.working.show_event)
        job.done.connect(self._on_imported)
        job.failed.connect(self._on_import_failed)
        job.cancelled.connect(self._on_cancelled)
        self.working.start(job.label, _("Starting…"))
        self.stack.setCurrentWidget(self.working)

    def _on_imported(self, dataset: DatasetVersion) -> None:
        self._chosen = dataset.id
        self._source = ""
        self.dataset_view.tabs.setCurrentIndex(TABS.index("facts"))
        self.reload()

    def _on_import_failed(self, problem: Exception) -> None:
        shown = problem if isinstance(problem, StudioError) else None
        if shown is None:
            self.ctx.notices.error_from(problem)
        if self._source and shown is not None:
            self.form.show_problem(shown)
            self.stack.setCurrentWidget(self.form)
        else:
            if shown is not None:
                self.ctx.notices.error_from(shown)
            self.abandon()

    def _on_cancelled(self) -> None:
        self.ctx.notices.info(_("The import was cancelled. Nothing of it was kept."))
        if self._source:
            self.stack.setCurrentWidget(self.form)
        else:
            self.abandon()

    def _show(self, snapshot: _Snapshot) -> None:
        self._product = snapshot.product
        chosen = snapshot.chosen
        self._chosen = chosen.id if chosen is not None else None
        self.list.show_datasets(snapshot.datasets, self._chosen)
        self._show_list(bool(snapshot.datasets))
        if self._source or self._busy():
            return  # a file is being looked at; the list alone is brought up to date
        if chosen is None:
            self.stack.setCurrentWidget(self.start)
            return
        self.dataset_view.show_dataset(chosen, snapshot.columns)
        self._show_use()
        self.stack.setCurrentWidget(self.dataset_view)

    def _show_list(self, shown: bool) -> None:
        """Before the first import there is only one thing to do, and no empty list beside it."""
        self.list.setVisible(shown)
        self._divider.setVisible(shown)

    def _show_use(self) -> None:
        product, dataset = self._product, self.dataset_view.dataset
        in_use = product is not None and dataset is not None and product.dataset_id == dataset.id
        self.dataset_view.show_use(product.name if product is not None else None, in_use)

    def _on_product(self, _product_id: str | None) -> None:
        if self.isVisible():
            self.reload()

    def _use(self) -> None:
        product, dataset = self._product, self.dataset_view.dataset
        if product is not None and dataset is not None:
            product_id, dataset_id = product.id, dataset.id
            self._write(lambda: self.ctx.services.matrices.set_dataset(product_id, dataset_id))

    def _ask_resplit(self) -> None:
        dataset = self.dataset_view.dataset
        if dataset is None:
            return
        dialog = ResplitDialog(dataset.spec.shares, self)
        service, dataset_id = self.ctx.services.datasets, dataset.id

        def begin() -> None:
            shares = dialog.editor.shares()
            self._begin(dataset.name, lambda ev, stop: service.resplit(dataset_id, shares, ev, stop))

        dialog.accepted.connect(begin)
        dialog.open()

    def _delete(self) -> None:
        dataset = self.dataset_view.dataset
        if dataset is None:
            return
        service, dataset_id = self.ctx.services.datasets, dataset.id

        def done(_result: object) -> None:
            self._chosen = None
            self._leave_form()
            self.ctx.notices.info(
                _("“{name}” is in the bin.").format(name=dataset.name),
                action_label=_("Undo"),
                action=lambda: self._write(lambda: service.restore(dataset_id)),
            )
            self.reload()

        self._write(lambda: service.delete(dataset_id), done)

    def _restore(self) -> None:
        dataset = self.dataset_view.dataset
        if dataset is not None:
            dataset_id = dataset.id
            self._write(lambda: self.ctx.services.datasets.restore(dataset_id))

    def _write(self, write: Callable[[], Any], done: Callable[[Any], None] | None = None) -> None:
        """Change something in a thread; the change bus brings the page up to date."""
        self.ctx.tasks.run(write, done or (lambda _result: None), self.ctx.notices.error_from)


def _read_all(services: Services, chosen: str | None, product_id: str | None) -> _Snapshot:
    datasets = services.datasets.list(include_deleted=True)
    product = _product(services, product_id)
    if chosen is None and product is not None:
        live = {each.id for each in datasets if not each.deleted}
        chosen = product.dataset_id if product.dataset_id in live else None
    dataset = next((each for each in datasets if each.id == chosen), None)
    columns = services.datasets.columns(dataset.id) if dataset is not None else []
    return _Snapshot(datasets, product, dataset, columns)


def _product(services: Services, product_id: str | None) -> Product | None:
    matrix = services.matrices.matrix_of(product_id) if product_id is not None else None
    if matrix is None:
        return None
    return next((product for product in matrix.products if product.id == product_id), None)
