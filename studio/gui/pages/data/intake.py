"""The way of a source into the workspace: chosen, dropped, pasted or fetched, looked into, and imported."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QApplication, QFileDialog, QStackedWidget, QWidget

from studio.domain.datasets import DatasetVersion, ImportSpec, SourcePreview
from studio.domain.products import TITLES, Product
from studio.domain.products import Task as ProductTask
from studio.domain.recipes import Recipe
from studio.errors import StudioError
from studio.gui.context import GuiContext
from studio.gui.pages.data.import_form import ImportForm
from studio.gui.pages.data.job import ImportJob, Work
from studio.gui.pages.data.preview_card import source_words
from studio.gui.pages.data.recipes_dialog import RecipesDialog
from studio.gui.pages.data.sources.hub import HubDialog
from studio.gui.pages.data.waiting import ProblemView, StartView, WorkingView
from studio.gui.tasks import Task
from studio.gui.widgets.drop import paths_of
from studio.i18n import _
from studio.services.children import JobCancelled
from studio.services.samples import Sample, samples_for

_KINDS = (
    "*.csv *.tsv *.json *.jsonl *.ndjson *.xlsx *.xlsm *.xls *.ods *.parquet *.arrow *.feather *.txt *.md *.docx *.pdf "
    "*.html *.htm *.sqlite *.db *.zip *.png *.jpg *.jpeg *.webp *.gif *.bmp "
    "*.tif *.tiff *.wav *.flac *.ogg *.oga *.opus *.mp3 *.aif *.aiff *.au"
)


class Intake(QObject):
    """Owns the views of an import inside ``stack``.

    imported: the new DatasetVersion. left: the user went back, or nothing came of it.
    """

    imported = Signal(object)
    left = Signal()

    def __init__(self, ctx: GuiContext, stack: QStackedWidget, host: QWidget) -> None:
        super().__init__(host)
        self._ctx, self._stack, self._host = ctx, stack, host
        self.job: ImportJob | None = None
        self._spec: ImportSpec | None = None  # of the source in the form or on its way there
        self._peek: tuple[Task, threading.Event] | None = None
        self._restored: ImportSpec | None = None
        self._product: Product | None = None
        self._recipes: list[Recipe] = []
        self.start = StartView()
        self.working = WorkingView(self.cancel)
        self.problem = ProblemView(self.choose_files, self.abandon)
        for view in (self.start, self.working, self.problem):
            stack.addWidget(view)
        self.start.file_wanted.connect(self.choose_files)
        self.start.folder_wanted.connect(self.choose_folder)
        self.start.paste_wanted.connect(self.paste)
        self.start.hub_wanted.connect(self.ask_hub)
        self.start.sample_wanted.connect(self.try_example)
        self.start.set_samples(samples_for(None))
        self.start.zone.dropped.connect(self.open_paths)

    @cached_property
    def form(self) -> ImportForm:
        """Built when the first source is opened: half the cost of opening the page is spared."""
        form = ImportForm(self._ctx.tasks)
        self._stack.addWidget(form)
        form.other_wanted.connect(self.choose_files)
        form.import_wanted.connect(self._import)
        form.reread_wanted.connect(self._read_again)
        form.abandoned.connect(self.abandon)
        form.recipes_wanted.connect(lambda: RecipesDialog(self._ctx, self._host).open())
        form.task_wanted.connect(self.change_task)
        self._tell_form(form)
        return form

    def importing(self) -> bool:
        """An import is under way."""
        return self.job is not None and self.job.running

    def active(self) -> bool:
        """A source is looked at or imported; nothing else may take its place on the screen."""
        return self._spec is not None or self.importing()

    def set_surroundings(self, product: Product | None, recipes: Sequence[Recipe]) -> None:
        """The product that data is for, and what may be done again after an import."""
        self._product, self._recipes = product, list(recipes)
        self.start.set_samples(samples_for(product.task if product else None))
        if "form" in self.__dict__:
            self._tell_form(self.form)

    def choose_files(self) -> None:
        """Ask for one file or several, then read them."""
        dialog = QFileDialog(self._host, _("Choose files to import"))
        dialog.setFileMode(QFileDialog.FileMode.ExistingFiles)
        dialog.setNameFilters([_("All kinds of data") + f" ({_KINDS})", _("All files (*)")])
        dialog.filesSelected.connect(lambda paths: self.open_paths([Path(path) for path in paths]))
        dialog.open()

    def choose_folder(self) -> None:
        """Ask for a folder, then read all of it."""
        dialog = QFileDialog(self._host, _("Choose a folder to import"))
        dialog.setFileMode(QFileDialog.FileMode.Directory)
        dialog.setOption(QFileDialog.Option.ShowDirsOnly)
        dialog.fileSelected.connect(lambda path: self.open_paths([Path(path)]))
        dialog.open()

    def open_paths(self, paths: Sequence[Path]) -> None:
        """Look into files and folders, which become one dataset, and show what is in them."""
        if paths and self._free():
            first, *more = (str(path) for path in paths)
            self.read(ImportSpec(source=first, more_sources=tuple(more)))

    def paste(self) -> None:
        """Take what was copied: files, or text."""
        mime = QApplication.clipboard().mimeData()
        paths = paths_of(mime)
        if paths:
            self.open_paths(paths)
        elif mime.hasImage() and not mime.text().strip():  # cells of a spreadsheet come as both
            self._ctx.notices.info(
                _("An image cannot be pasted. Save it as a file into a folder, then choose that folder.")
            )
        elif not mime.text().strip():
            self._ctx.notices.info(
                _("There is no text to paste. Copy a table or some text, then paste it here.")
            )
        elif self._free():
            service, text = self._ctx.services.datasets, mime.text()
            self._ctx.tasks.run(lambda: service.paste(text), self.read, self._ctx.notices.error_from)

    def ask_hub(self) -> None:
        """Ask which dataset to fetch, and from where."""
        if self._free():
            dialog = HubDialog(self._ctx, self._host)
            dialog.fetched.connect(self.read)
            dialog.open()

    def try_example(self, sample: Sample) -> None:
        """Import a bundled example."""
        service = self._ctx.services.datasets
        self._begin(
            _("Example"), lambda on_event, cancel: service.import_sample(None, on_event, cancel, sample)
        )

    def read(self, spec: ImportSpec) -> None:
        """Look into a source in a thread; the form or a clear message follows."""
        self._peek_into(spec)
        self.working.start(source_words(spec), _("Looking into the file…"))
        self._stack.setCurrentWidget(self.working)

    def cancel(self) -> None:
        """Stop looking into the source, or stop the import; nothing of it is kept."""
        if self.job is not None and self.job.running:
            self.job.cancel()
            self.working.cancelling()
        elif self._peek is not None:
            self.abandon()

    def abandon(self) -> None:
        """Leave without importing."""
        self.forget()
        self.left.emit()

    def forget(self) -> None:
        """Nothing is looked at any more; an import that is under way goes on."""
        self._stop_peek()
        self._spec = None
        if "form" in self.__dict__:
            self.form.rest()

    def show_start(self) -> None:
        """Offer all the ways in."""
        self._stack.setCurrentWidget(self.start)

    def state(self) -> dict[str, Any]:
        """What must survive a rebuild of the page."""
        at_form = isinstance(self._stack.currentWidget(), ImportForm)
        return {
            "spec": self.form.spec() if at_form else None,
            "job": self.job if self.importing() else None,
        }

    def restore(self, state: dict[str, Any]) -> bool:
        """Take back what ``state`` gave; False when there was nothing under way."""
        if state.get("job") is not None:
            self._watch(state["job"])
        elif state.get("spec") is not None:
            self._restored = state["spec"]
            self.read(state["spec"])
        else:
            return False
        return True

    def dispose(self) -> None:
        """The page is thrown away; an import goes on and is taken up by the next page."""
        self._stop_peek()
        if "form" in self.__dict__:
            self.form.rest()

    def _free(self) -> bool:
        if self.importing():
            self._ctx.notices.info(_("One import at a time: wait until this one has ended, or cancel it."))
            return False
        return True

    def _tell_form(self, form: ImportForm) -> None:
        product = self._product
        form.set_product(product.name if product else None, product.task if product else None)
        form.set_recipes(self._recipes)

    def change_task(self, task: ProductTask) -> bool:
        """The product becomes one that learns from this data; said, and undone with one click."""
        product = self._product
        if product is None or not self._set_task(product.id, task):
            return False

        def undo() -> None:
            self._set_task(product.id, product.task)

        text = _("“{product}” is now this kind of product: {task}")
        self._ctx.notices.success(
            text.format(product=product.name, task=_(TITLES[task])),
            action_label=_("Undo"),
            action=undo,
        )
        return True

    def _set_task(self, product_id: str, task: ProductTask) -> bool:
        """Shown at once; other pages hear of the change as of any."""
        try:
            changed = self._ctx.services.matrices.set_task(product_id, task)
        except StudioError as problem:
            self._ctx.notices.error_from(problem)
            return False
        if self._product is not None and self._product.id == product_id:
            self.set_surroundings(changed, self._recipes)
        return True

    def _read_again(self, spec: ImportSpec) -> None:
        """The same source in another way; the form stays in sight."""
        self._peek_into(spec)
        self.form.set_busy()

    def _peek_into(self, spec: ImportSpec) -> None:
        self._stop_peek()
        self._spec = spec
        stop = threading.Event()
        service = self._ctx.services.datasets
        task = self._ctx.tasks.run(
            lambda: (spec, service.preview(spec, stop)), self._on_preview, self._on_unreadable
        )
        self._peek = (task, stop)

    def _stop_peek(self) -> None:
        if self._peek is not None:
            task, stop = self._peek
            stop.set()
            task.abandon()
            self._peek = None

    def _on_preview(self, answer: tuple[ImportSpec, SourcePreview]) -> None:
        spec, preview = answer
        self._peek = None
        restored, self._restored = self._restored, None
        self.form.show_preview(restored or spec, preview)
        self._stack.setCurrentWidget(self.form)

    def _on_unreadable(self, problem: Exception) -> None:
        self._peek = None
        if isinstance(problem, JobCancelled) or self._spec is None:
            self.abandon()
        elif not isinstance(problem, StudioError):
            self.abandon()
            self._ctx.notices.error_from(problem)
        elif isinstance(self._stack.currentWidget(), ImportForm):
            self.form.show_problem(problem)
        else:
            self.problem.show_problem(source_words(self._spec), problem)
            self._stack.setCurrentWidget(self.problem)

    def _import(self, spec: ImportSpec) -> None:
        service, recipe = self._ctx.services.datasets, self.form.recipe()
        self._begin(
            spec.name, lambda on_event, cancel: service.import_(spec, on_event, cancel, recipe), recipe
        )

    def _begin(self, name: str, work: Work, recipe: Recipe | None = None) -> None:
        if not self.importing():
            job = ImportJob(self._ctx.tasks, work, _("Importing “{name}”").format(name=name), recipe)
            self._watch(job)
            job.start()

    def _watch(self, job: ImportJob) -> None:
        self.job = job
        job.progressed.connect(self.working.show_event)
        job.done.connect(self._on_imported)
        job.failed.connect(self._on_import_failed)
        job.cancelled.connect(self._on_cancelled)
        self.working.start(job.label, _("Starting…"))
        self._stack.setCurrentWidget(self.working)

    def _on_imported(self, dataset: DatasetVersion) -> None:
        recipe = self.job.recipe if self.job is not None else None
        if recipe is not None and dataset.parent_id is None:
            self._ctx.notices.info(_("The recipe “{name}” found nothing to do.").format(name=recipe.name))
        self._spec = None
        self.imported.emit(dataset)

    def _on_import_failed(self, problem: Exception) -> None:
        if self._spec is None or not isinstance(problem, StudioError):
            self._ctx.notices.error_from(problem)
            self.abandon()
        else:
            self.form.show_problem(problem)
            self._stack.setCurrentWidget(self.form)

    def _on_cancelled(self) -> None:
        self._ctx.notices.info(_("The import was cancelled. Nothing of it was kept."))
        if self._spec is not None:
            self._stack.setCurrentWidget(self.form)
        else:
            self.abandon()
