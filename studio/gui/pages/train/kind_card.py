"""What kind of model is built: those that learn from the data and do what the product is for."""

from __future__ import annotations

from PySide6.QtCore import Signal

from studio.domain.architectures import ARCHITECTURE_HELP, ARCHITECTURE_TITLES, Architecture
from studio.gui.pages.train.choice import ChoiceGrid
from studio.gui.pages.train.choices import Choices
from studio.gui.widgets import Card
from studio.i18n import _


class KindCard(Card):
    """``chosen`` carries an Architecture. Hidden where only a language model comes into question."""

    chosen = Signal(object)

    def __init__(self) -> None:
        super().__init__(_("Kind of model"), _("What can learn from this data; the advised one comes first."))
        self.kinds: ChoiceGrid[Architecture] = ChoiceGrid(
            {kind: _(title) for kind, title in ARCHITECTURE_TITLES.items()},
            {kind: _(text) for kind, text in ARCHITECTURE_HELP.items()}, _("Kind of model"),
        )  # fmt: skip
        self.kinds.chosen.connect(self.chosen)
        self.add(self.kinds)

    def show_choices(self, choices: Choices) -> None:
        """Show the kinds that fit the data."""
        fitting = choices.kinds()
        self.setVisible(fitting != (Architecture.LANGUAGE_MODEL,))
        self.kinds.show_choices(fitting, choices.spec.architecture)
