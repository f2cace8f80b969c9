"""A source before it is imported: what is in it, how it is named, cleaned and split, and what is still missing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from studio.domain.datasets import ImportSpec, OriginKind, SourcePreview, SplitShares
from studio.domain.products import Task
from studio.domain.recipes import Recipe
from studio.domain.shapes import Shape
from studio.domain.task_fit import Offer, TaskAdvice, advice
from studio.errors import StudioError
from studio.gui.pages.data.preview_card import PreviewCard
from studio.gui.pages.data.sources.readiness import missing_words, waiting_words
from studio.gui.pages.data.split_editor import SplitEditor
from studio.gui.tasks import TaskRunner
from studio.gui.theme import current_tokens
from studio.gui.widgets import (
    Caption,
    Card,
    DropDown,
    FormRow,
    IconButton,
    PrimaryButton,
    ScrollPage,
    SecondaryButton,
)
from studio.i18n import _


class ImportForm(QWidget):
    """import_wanted: ImportSpec. reread_wanted: ImportSpec with another encoding, delimiter, sheet or shape.

    task_wanted: the Task that the product is to have from now on. other_wanted, abandoned, recipes_wanted: no argument.
    """

    import_wanted = Signal(object)
    reread_wanted = Signal(object)
    task_wanted = Signal(object)
    other_wanted = Signal()
    abandoned = Signal()
    recipes_wanted = Signal()

    def __init__(self, tasks: TaskRunner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._spec = ImportSpec(source="")
        self._product: tuple[str, Task] | None = None
        self._recipes: list[Recipe] = []
        self._busy = False
        self._accepted: Shape | None = (
            None  # a shape that the user takes although the product cannot learn from it
        )
        self.contents = PreviewCard(tasks)
        self.table, self.view, self.header = self.contents.table, self.contents.view, self.contents.header
        self.name = QLineEdit()
        self.licence = QLineEdit()
        self.licence.setPlaceholderText(_("For example: our own, CC BY 4.0"))
        self.recipe_choice = DropDown()
        self.manage_recipes = IconButton("edit", _("Rename or delete recipes"), self.recipes_wanted.emit)
        self.split = SplitEditor(SplitShares())
        self.missing = Caption(tone="warning")
        self.start = PrimaryButton(_("Import"), self._on_import, icon="download")
        self._build()
        self.table.roles_changed.connect(self._show_readiness)
        self.contents.other_wanted.connect(self.other_wanted)
        self.contents.reread_wanted.connect(self._on_reread)
        self.contents.choice_made.connect(self.set_busy)
        self.contents.advice.offer_taken.connect(self._on_offer)
        self.recipe_choice.activated.connect(lambda _index: self._on_recipe())
        self.set_recipes([])

    def show_preview(self, spec: ImportSpec, preview: SourcePreview) -> None:
        """Show a source that was just read; what the user typed for the same source stays."""
        if (spec.source, spec.more_sources) != (self._spec.source, self._spec.more_sources):
            self.name.setText(spec.name or _stem(spec))
            self.licence.setText(spec.licence)
            self.split.set_shares(spec.shares)
            self.recipe_choice.setCurrentIndex(0)
            self._accepted = None
        self._spec = spec
        self._busy = False
        self.contents.show_preview(spec, preview)
        self._show_readiness()

    def set_product(self, name: str | None, task: Task | None) -> None:
        """The product that the data is for, None when no product is chosen."""
        self._product = (name, task) if name is not None and task is not None else None
        self._show_advice()

    def set_recipes(self, recipes: Sequence[Recipe]) -> None:
        """What may be done again right after the import; hidden when nothing was kept yet."""
        chosen = self.recipe_choice.currentData()
        self._recipes = list(recipes)
        self.recipe_choice.clear()
        self.recipe_choice.addItem(_("Decide afterwards"), "")
        for recipe in self._recipes:
            self.recipe_choice.addItem(_("Clean like last time: {name}").format(name=recipe.name), recipe.id)
        self.recipe_choice.setCurrentIndex(max(self.recipe_choice.findData(chosen), 0))
        self._recipe_row.setVisible(bool(self._recipes))
        self.manage_recipes.setVisible(bool(self._recipes))

    def recipe(self) -> Recipe | None:
        """What is to be done right after the import."""
        chosen = self.recipe_choice.currentData()
        return next((recipe for recipe in self._recipes if recipe.id == chosen), None)

    def spec(self) -> ImportSpec:
        """Everything as chosen now."""
        return self._spec.model_copy(
            update={
                **self.contents.choices(),
                "name": self.name.text().strip() or _stem(self._spec),
                "roles": self.table.roles(),
                "shape": self.table.shape(),
                "shares": self.split.shares(),
                "licence": self.licence.text().strip(),
            }
        )

    def show_problem(self, problem: StudioError) -> None:
        """Say in the form why the last attempt did not work."""
        self._busy = False
        self.contents.problem.show_problem(problem)
        self._show_readiness()

    def set_busy(self) -> None:
        """The source is read again; the form stays in sight and cannot be sent meanwhile."""
        self._busy = True
        self._show_readiness()

    def rest(self) -> None:
        """The form is left: nothing that was asked for is waited for any more."""
        self.contents.rest()
        self._page.verticalScrollBar().setValue(0)  # the next source is read from its shape on

    def _build(self) -> None:
        page = self._page = ScrollPage(margin=0)
        page.add(self.contents)
        page.add(self._names_card())
        page.body.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(current_tokens().space.m)
        column.addWidget(page, 1)
        column.addLayout(self._feet())

    def _names_card(self) -> Card:
        space = current_tokens().space
        card = Card(_("Name and split"))
        names = QHBoxLayout()
        names.setSpacing(space.l)
        names.addWidget(FormRow(_("Name"), self.name), 1)
        names.addWidget(FormRow(_("Licence"), self.licence), 1)
        self._recipe_row = FormRow(_("Cleaning"), self.recipe_choice)
        names.addWidget(self._recipe_row, 1)
        names.addWidget(self.manage_recipes, 0, Qt.AlignmentFlag.AlignBottom)
        card.body.addLayout(names)
        card.body.addSpacing(space.xs)
        card.add(self.split)
        return card

    def _feet(self) -> QHBoxLayout:
        """The next step stays in sight while the rest scrolls."""
        feet = QHBoxLayout()
        feet.setSpacing(current_tokens().space.s)
        feet.addWidget(self.missing, 1)
        feet.addWidget(SecondaryButton(_("Cancel"), self.abandoned.emit))
        feet.addWidget(self.start)
        return feet

    def _show_readiness(self) -> None:
        missing = self.table.missing()
        self.start.setEnabled(not missing and not self._busy)
        if self._busy:
            words, tone = _("Reading it again…"), "muted"
        elif missing:
            words, tone = missing_words(missing), "warning"
        elif not self.table.rowCount():
            words, tone = _("There are no rows in what is shown."), "warning"
        else:
            words, tone = waiting_words(self.table.shape(), self.table.roles().values()), "muted"
        self.missing.setText(words)
        self.missing.set_tone(tone)
        self.start.setToolTip(words if missing else "")
        self._show_advice()

    def _show_advice(self) -> None:
        product, task = self._product or ("", None)
        shape, form = self.table.shape(), self.contents.source_format()
        heard = self._accepted is shape  # said once; the user chose to go on
        silent = heard or not form or not self.table.rowCount()
        found = TaskAdvice(True) if task is None or silent else advice(shape, task, form)
        self.contents.advice.show_advice(product, found)

    def _on_offer(self, offer: Offer) -> None:
        if offer.task is not None:
            self.task_wanted.emit(offer.task)
        elif offer.shape is self.table.shape():
            self._accepted = offer.shape
            self._show_advice()
        else:
            self.contents.choose_shape(offer.shape)

    def _on_recipe(self) -> None:
        """A recipe knows what the columns of its first import were for."""
        recipe = self.recipe()
        if recipe is not None and recipe.roles and set(recipe.roles) <= set(self.table.columns()):
            self.table.set_roles(recipe.roles)

    def _on_reread(self) -> None:
        read = {**self.contents.choices(), "roles": None, "shape": self.contents.chosen_shape}
        self.reread_wanted.emit(self._spec.model_copy(update=read))

    def _on_import(self) -> None:
        self.import_wanted.emit(self.spec())


def _stem(spec: ImportSpec) -> str:
    if spec.origin.kind is OriginKind.HUB:
        return spec.origin.address.rsplit("/", 1)[-1]
    path = Path(spec.source)
    return path.name if path.is_dir() else path.stem
