"""Data: sources become datasets here, and datasets are looked at, mended, given to products, and thrown away."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QWidget

from studio.domain.datasets import DatasetVersion
from studio.domain.products import Product
from studio.domain.recipes import Recipe
from studio.domain.task_fit import Offer
from studio.errors import NotFoundError
from studio.gui.context import GuiContext
from studio.gui.page import Page, PaletteAction
from studio.gui.pages.data.dataset_list import DatasetList
from studio.gui.pages.data.dataset_view import TABS, DatasetView
from studio.gui.pages.data.import_form import ImportForm
from studio.gui.pages.data.intake import Intake
from studio.gui.pages.data.job import ImportJob
from studio.gui.pages.data.suiting import SuitDialog, use_advice
from studio.gui.pages.data.waiting import ProblemView, StartView, WorkingView
from studio.gui.tasks import Task
from studio.gui.theme import current_tokens
from studio.gui.widgets import Divider
from studio.i18n import _
from studio.services.changes import Changes

if TYPE_CHECKING:
    from studio.bootstrap import Services


@dataclass(frozen=True)
class _Snapshot:
    """What the page shows at one moment, read in a thread."""

    datasets: list[DatasetVersion]
    product: Product | None
    chosen: DatasetVersion | None
    columns: list[str]
    recipes: list[Recipe]


class DataPage(Page):
    """``open_paths`` begins an import; ``show_dataset(id)`` opens a dataset."""

    page_id = "data"
    icon = "data"
    interests = Changes.DATASETS | Changes.MATRIX

    def __init__(self, ctx: GuiContext, parent: QWidget | None = None) -> None:
        super().__init__(ctx, parent)
        self._chosen: str | None = None
        self._at_start = False  # the user asked for the ways in; no dataset is opened unasked
        self._reading: Task | None = None
        self._product: Product | None = None
        self.list = DatasetList()
        self.stack = QStackedWidget()
        self.intake = Intake(ctx, self.stack, self)
        self.dataset_view = DatasetView(ctx)
        self.stack.addWidget(self.dataset_view)
        self._arrange()
        self._connect()

    @property
    def start(self) -> StartView:
        """The ways in."""
        return self.intake.start

    @property
    def working(self) -> WorkingView:
        """The progress of what is under way."""
        return self.intake.working

    @property
    def problem(self) -> ProblemView:
        """Why a source cannot be used."""
        return self.intake.problem

    @property
    def form(self) -> ImportForm:
        """The source before it is imported."""
        return self.intake.form

    @property
    def job(self) -> ImportJob | None:
        """The last import."""
        return self.intake.job

    def title(self) -> str:
        return _("Data")

    def enter(self, **arguments: Any) -> None:
        if arguments.get("product_id"):
            self.ctx.navigator.set_product(arguments["product_id"])
            if not arguments.get("dataset_id") and not self.intake.active():
                self._chosen, self._at_start = None, False
                self.intake.show_start()
        if arguments.get("dataset_id"):
            self._choose(arguments["dataset_id"])
        if arguments.get("paths"):
            self.open_paths(arguments["paths"])
        self.reload()

    def refresh(self, changes: Changes) -> None:
        self.reload()

    def state(self) -> dict[str, Any]:
        return {
            "dataset_id": self._chosen,
            "tab": TABS[self.dataset_view.tabs.currentIndex()],
            "start": self._at_start,
            "doctor": self.dataset_view.doctor.memory(),
            **self.intake.state(),
        }

    def restore(self, state: dict[str, Any]) -> None:
        self._chosen = state.get("dataset_id")
        self._at_start = bool(state.get("start"))
        if "doctor" in state:
            self.dataset_view.doctor.remember(state["doctor"])
        self.dataset_view.tabs.setCurrentIndex(TABS.index(state.get("tab", TABS[0])))
        if not self.intake.restore(state):
            self.reload()

    def dispose(self) -> None:
        self.ctx.navigator.product_changed.disconnect(self._on_product)
        self.intake.dispose()
        self.dataset_view.clear()

    def palette_actions(self) -> list[PaletteAction]:
        intake = self.intake
        return [
            PaletteAction("data.import", _("Import data"), "Ctrl+O", intake.choose_files),
            PaletteAction("data.folder", _("Import a folder"), "", intake.choose_folder),
            PaletteAction("data.paste", _("Import pasted text"), "Ctrl+V", intake.paste),
            PaletteAction("data.hub", _("Import data from a hub"), "", intake.ask_hub),
        ]

    def open_file(self, path: Path) -> None:
        """Look into a file and show what is in it, ready to import."""
        self.open_paths([path])

    def open_paths(self, paths: list[Path]) -> None:
        """Look into files and folders, which become one dataset."""
        self.intake.open_paths(paths)

    def show_dataset(self, dataset_id: str) -> None:
        """Open a dataset."""
        self._choose(dataset_id)
        self.reload()

    def show_start(self) -> None:
        """Offer all the ways in."""
        if self.intake.importing():
            return
        self.intake.forget()
        self._at_start = True
        self.list.choose(None)
        self.intake.show_start()

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
        """Stop looking into the source, or stop the import; nothing of it is kept."""
        self.intake.cancel()

    def abandon(self) -> None:
        """Leave the form without importing."""
        self.intake.abandon()

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

    def _connect(self) -> None:
        self.list.import_wanted.connect(self.show_start)
        self.list.dataset_chosen.connect(self.show_dataset)
        self.intake.imported.connect(self._on_imported)
        self.intake.left.connect(self._on_left)
        view = self.dataset_view
        view.use_wanted.connect(self._use)
        view.train_wanted.connect(lambda: self.ctx.navigator.go("train"))
        view.delete_wanted.connect(self._delete)
        view.restore_wanted.connect(self._restore)
        view.full_page.connect(lambda whole: self._show_list(not whole))
        view.version_made.connect(lambda version: self.show_dataset(version.id))
        self.ctx.navigator.product_changed.connect(self._on_product)

    def _choose(self, dataset_id: str) -> None:
        self._chosen = dataset_id
        self._at_start = False
        self.intake.forget()

    def _on_imported(self, dataset: DatasetVersion) -> None:
        self.dataset_view.tabs.setCurrentIndex(TABS.index("rows"))  # beside them the doctor begins at once
        self.show_dataset(dataset.id)

    def _on_left(self) -> None:
        if not self.intake.importing():
            self.intake.show_start()
        self.reload()

    def _show(self, snapshot: _Snapshot) -> None:
        self._product = snapshot.product
        chosen = None if self._at_start else snapshot.chosen
        if not self._at_start:
            self._chosen = chosen.id if chosen is not None else None
        self.list.show_datasets(snapshot.datasets, chosen.id if chosen is not None else None)
        self._show_list(bool(snapshot.datasets) and not self.dataset_view.labelling())
        self.intake.set_surroundings(snapshot.product, snapshot.recipes)
        if self.intake.active():
            return  # a source is being looked at; the list alone is brought up to date
        if chosen is None:
            self.intake.show_start()
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
        if product is None or dataset is None:
            return
        found = use_advice(product, dataset)
        if found.fits:
            self._give(product.id, dataset.id)
            return
        dialog = SuitDialog(product, found, self)
        dialog.offer_taken.connect(partial(self._on_offer, product.id, dataset.id))
        dialog.open()

    def _on_offer(self, product_id: str, dataset_id: str, offer: Offer) -> None:
        if offer.task is None:
            self.dataset_view.label()
        elif self.intake.change_task(offer.task):
            self._give(product_id, dataset_id)

    def _give(self, product_id: str, dataset_id: str) -> None:
        self._write(lambda: self.ctx.services.matrices.set_dataset(product_id, dataset_id))

    def _delete(self) -> None:
        dataset = self.dataset_view.dataset
        if dataset is None:
            return
        service, dataset_id = self.ctx.services.datasets, dataset.id

        def done(_result: object) -> None:
            self._chosen = None
            self.ctx.notices.info(
                _("“{name}” is in the bin.").format(name=dataset.name),
                action_label=_("Undo"),
                action=lambda: self._write(lambda: service.restore(dataset_id)),
            )
            self._on_left()

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
    dataset = _newest(services, datasets, chosen)
    if chosen is None and product is not None:
        given = _newest(services, datasets, product.dataset_id)
        dataset = given if given is not None and not given.deleted else None
    columns = services.datasets.columns(dataset.id) if dataset is not None else []
    return _Snapshot(datasets, product, dataset, columns, services.recipes.list())


def _newest(services: Services, datasets: list[DatasetVersion], chosen: str | None) -> DatasetVersion | None:
    """The version that counts of the family that was chosen; None when it is gone."""
    if chosen is None:
        return None
    found = next((each for each in datasets if each.id == chosen), None)
    if found is not None:
        return found
    try:
        family = services.datasets.get(chosen).family_id
    except NotFoundError:
        return None
    return next((each for each in datasets if each.family_id == family), None)


def _product(services: Services, product_id: str | None) -> Product | None:
    matrix = services.matrices.matrix_of(product_id) if product_id is not None else None
    if matrix is None:
        return None
    return next((product for product in matrix.products if product.id == product_id), None)
