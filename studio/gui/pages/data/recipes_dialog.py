"""The recipes of the workspace: what each does, another name for it, and the bin."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QListWidget, QVBoxLayout, QWidget

from studio.domain.recipes import AnyStep, Recipe
from studio.errors import StudioError
from studio.gui.context import GuiContext
from studio.gui.dialogs.ask import Answer, AskDialog
from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, Caption, FormRow, GhostButton, SecondaryButton, SectionTitle
from studio.i18n import _
from studio.words_versions import step_words

_SIZE = (460, 460)


class RecipesDialog(QDialog):
    """Shows them by name; the steps of the chosen one stand below."""

    def __init__(self, ctx: GuiContext, parent: QWidget) -> None:
        super().__init__(parent)
        self._ctx = ctx
        self._recipes: list[Recipe] = []
        self.setWindowTitle(_("Recipes"))
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.resize(*_SIZE)
        self.list = QListWidget()
        self.list.setAccessibleName(_("Recipes"))
        self.steps = BodyText(tone="muted")
        self.name = QLineEdit()
        self.rename = SecondaryButton(_("Rename"), self._rename)
        self.delete = GhostButton(_("Delete"), self._ask_delete, icon="trash")
        self.message = Caption(tone="error")
        self.close_button = SecondaryButton(_("Close"), self.reject)
        self._arrange()
        self.list.currentRowChanged.connect(lambda _row: self._show_chosen())
        self.name.textChanged.connect(lambda _text: self._show_rename())
        self._do(lambda: None)

    def chosen(self) -> Recipe | None:
        """The marked recipe."""
        row = self.list.currentRow()
        return self._recipes[row] if 0 <= row < len(self._recipes) else None

    def _arrange(self) -> None:
        space = current_tokens().space
        column = QVBoxLayout(self)
        column.setContentsMargins(space.xl, space.xl, space.xl, space.xl)
        column.setSpacing(space.m)
        column.addWidget(SectionTitle(_("Recipes")))
        column.addWidget(self.list, 1)
        column.addWidget(self.steps)
        naming = QHBoxLayout()
        naming.setSpacing(space.s)
        naming.addWidget(FormRow(_("Name"), self.name), 1)
        naming.addWidget(self.rename, 0, Qt.AlignmentFlag.AlignBottom)
        column.addLayout(naming)
        column.addWidget(self.message)
        self.message.hide()
        feet = QHBoxLayout()
        feet.addWidget(self.delete)
        feet.addStretch(1)
        feet.addWidget(self.close_button)
        column.addLayout(feet)
        self.rename.setDefault(True)  # Enter in the field

    def _rename(self) -> None:
        recipe, name, recipes = self.chosen(), self.name.text(), self._ctx.services.recipes
        if recipe is not None:
            self._do(lambda: recipes.rename(recipe.id, name))

    def _ask_delete(self) -> None:
        recipe = self.chosen()
        if recipe is None:
            return
        question = AskDialog(
            _("Delete the recipe “{name}”?").format(name=recipe.name),
            _("Data that was cleaned by it stays as it is."),
            [Answer("no", _("Cancel")), Answer("delete", _("Delete"), "danger")], self,
        )  # fmt: skip
        question.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        question.accepted.connect(lambda: self._delete(recipe) if question.answer == "delete" else None)
        question.open()

    def _delete(self, recipe: Recipe) -> None:
        recipes = self._ctx.services.recipes
        self._do(lambda: recipes.delete(recipe.id))

    def _do(self, deed: Callable[[], object]) -> None:
        """Change something in a thread, then show what there is now."""
        recipes = self._ctx.services.recipes

        def work() -> list[Recipe]:
            deed()
            return recipes.list()

        self._ctx.tasks.run(work, self._show, self._on_failed)

    def _show(self, recipes: list[Recipe]) -> None:
        before = self.chosen()
        self.message.hide()
        self._recipes = recipes
        self.list.clear()
        self.list.addItems([recipe.name for recipe in recipes])
        ids = [recipe.id for recipe in recipes]
        self.list.setCurrentRow(ids.index(before.id) if before is not None and before.id in ids else 0)
        self._show_chosen()

    def _show_chosen(self) -> None:
        recipe = self.chosen()
        self.name.setText(recipe.name if recipe is not None else "")
        self.steps.setText(steps_listed(recipe.steps) if recipe is not None else _("There is no recipe yet."))
        self.name.setEnabled(recipe is not None)
        self.delete.setEnabled(recipe is not None)
        self._show_rename()

    def _show_rename(self) -> None:
        recipe, name = self.chosen(), self.name.text().strip()
        self.rename.setEnabled(recipe is not None and bool(name) and name != recipe.name)

    def _on_failed(self, problem: Exception) -> None:
        if not isinstance(problem, StudioError):
            self._ctx.notices.error_from(problem)
            return
        self.message.setText(str(problem))
        self.message.show()


def steps_listed(steps: Sequence[AnyStep]) -> str:
    """The steps in order, one a line."""
    return "\n".join(f"{number}. {step_words(step)}" for number, step in enumerate(steps, start=1))
