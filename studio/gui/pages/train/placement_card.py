"""Where the run is computed: here, in several processes, or on a Ray cluster. Shown to those who want every setting."""

from __future__ import annotations

from PySide6.QtCore import Signal

from studio.domain.runs import Placement
from studio.gui.forms import ModelForm
from studio.gui.pages.train.choices import Choices
from studio.gui.widgets import Card
from studio.i18n import _

_FIELDS = {
    "here": frozenset[str](), "processes": frozenset({"processes"}),
    "ray": frozenset({"processes", "address", "shared_folders"}),
}  # fmt: skip


class PlacementCard(Card):
    """``edited`` carries the Placement as chosen."""

    edited = Signal(object)
    validity_changed = Signal(bool)

    def __init__(self) -> None:
        super().__init__(
            _("Where to train"),
            _("The run looks the same from here; checkpoints and the model come back to this computer."),
        )
        self.level = "simple"
        self.form: ModelForm[Placement] = ModelForm(Placement, compact=True, columns=2)
        self.form.changed.connect(self._on_changed)
        self.form.validity_changed.connect(self.validity_changed)
        self.add(self.form)

    def show_choices(self, choices: Choices) -> None:
        """Show this place; a run that is not computed here is never hidden."""
        place = choices.placement
        if self.form.value() != place and self.form.is_valid():
            self.form.set_value(place)
        for name in _FIELDS["ray"]:
            self.form.set_field_visible(name, name in _FIELDS[place.kind])
        self.setVisible(self.level == "advanced" or place.kind != "here")

    def _on_changed(self, place: Placement) -> None:
        if place.kind == "processes" and place.processes == 1:
            place = place.model_copy(update={"processes": 2})
            self.form.set_value(place)
        self.edited.emit(place)
