"""Keep what was done to the data under a name, to be done again at the next import."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit, QWidget

from studio.domain.recipes import AnyStep, Recipe
from studio.errors import StudioError
from studio.gui.context import GuiContext
from studio.gui.dialogs.product_form import FormDialog
from studio.gui.pages.data.recipes_dialog import RecipesDialog, steps_listed
from studio.gui.widgets import BodyText, FormRow, GhostButton, SectionTitle
from studio.i18n import _


class KeepRecipeDialog(FormDialog):
    """Asks for a name and saves; the notice area says that it is done."""

    def __init__(self, ctx: GuiContext, dataset_id: str, name: str, parent: QWidget | None = None) -> None:
        super().__init__(_("Save as a recipe"), _("Save"), parent)
        self._ctx, self._dataset_id = ctx, dataset_id
        self.rows.addWidget(SectionTitle(_("Save as a recipe")))
        self.rows.addWidget(
            BodyText(
                _("The steps that made this version are done again on the next file by one choice."),
                tone="muted",
            )
        )
        self.steps = BodyText()
        self.rows.addWidget(self.steps)
        recipes, datasets = ctx.services.recipes, ctx.services.datasets
        ctx.tasks.run(
            lambda: recipes.steps_of(datasets.get(dataset_id)),
            self._show_steps,
            ctx.notices.error_from,
        )
        self.name = QLineEdit(name)
        self.name.selectAll()
        self.rows.addWidget(FormRow(_("Name"), self.name))
        manage = GhostButton(_("Rename or delete recipes…"), lambda: RecipesDialog(ctx, self).open())
        self.rows.addWidget(manage, 0, Qt.AlignmentFlag.AlignLeft)
        self.name.setFocus()

    def _show_steps(self, steps: Sequence[AnyStep]) -> None:
        self.steps.setText(steps_listed(steps))

    def check(self) -> None:
        if not self.name.text().strip():
            raise StudioError("recipe.no_name", _("The recipe has no name."), _("Type one."))

    def accept(self) -> None:
        """Saving may fail (the name is taken, say); the dialog then stays with the reason."""
        try:
            self.check()
        except StudioError as problem:
            self._on_failed(problem)
            return
        name, recipes, dataset_id = self.name.text().strip(), self._ctx.services.recipes, self._dataset_id
        self.confirm.setEnabled(False)
        self._ctx.tasks.run(lambda: recipes.save(name, dataset_id), self._on_saved, self._on_failed)

    def _on_saved(self, recipe: Recipe) -> None:
        self._ctx.notices.success(
            _("Saved. The next import offers “Clean like last time: {name}”.").format(name=recipe.name)
        )
        super().accept()

    def _on_failed(self, problem: Exception) -> None:
        self.confirm.setEnabled(True)
        if not isinstance(problem, StudioError):
            self._ctx.notices.error_from(problem)
            return
        self.message.setText(str(problem))
        self.message.show()
