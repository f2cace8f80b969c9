"""How the model learns: three presets and a method; every setting for those who want them."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QWidget

from studio.domain.architectures import METHOD_HELP, METHOD_TITLES, Architecture, Method
from studio.domain.shapes import Shape
from studio.domain.sizes import model_size
from studio.domain.specs import ADDS_ON, PRESET_TITLES, Preset, TrainSpec, applies
from studio.gui.forms import ModelForm
from studio.gui.models.runs_words import count_words
from studio.gui.pages.train.choice import ChoiceCard, ChoiceGrid
from studio.gui.pages.train.choices import Choices, fields_of
from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, Caption, Card, Divider
from studio.i18n import N_, _, ngettext

_GROUPS = (
    ("model", N_("Sizes of the model")),
    ("method", N_("Add-on")),
    ("settings", N_("Learning")),
    ("machine", N_("This computer")),
)
# What Simple shows besides presets and methods; the presets decide the rest.
_SIMPLE = {
    "model": frozenset(fields_of("model")), "settings": frozenset({"balance_labels"}), "method": frozenset[str](),
    "machine": frozenset[str](),
}  # fmt: skip
_FOR_EXPERTS = frozenset({Method.DORA, Method.QLORA})  # methods that Simple leaves out
_IN_COLOUR = frozenset({Architecture.CNN, Architecture.VAE})  # pictures without colour need a little less


class SpecForm(QWidget):
    """Some fields of TrainSpec under a heading; ``edited`` carries {field: value} of what was typed."""

    edited = Signal(object)
    validity_changed = Signal(bool)

    def __init__(self, fields: list[str], heading: str = "") -> None:
        super().__init__()
        self.fields = fields
        self.form: ModelForm[TrainSpec] = ModelForm(TrainSpec, fields=fields, compact=True, columns=2)
        card = Card(flat=True) if heading else None
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        if card is not None:
            card.set_title(heading)
            card.add(self.form)
            row.addWidget(card)
        else:
            row.addWidget(self.form)
        self.form.changed.connect(self._on_changed)
        self.form.validity_changed.connect(self.validity_changed)

    def show_spec(
        self, spec: TrainSpec, shape: Shape | None, level: str, simple: frozenset[str] | None = None
    ) -> None:  # fmt: skip
        """Show these values; fields that mean nothing for kind, method or data are hidden.

        simple: names of the fields that the level "simple" shows at all; None: each by its own level.
        """
        if self.form.value() != spec and self.form.is_valid():
            self.form.set_value(spec)
        self.form.set_level(level)
        shown = False
        for name in self.fields:
            left_out = level == "simple" and simple is not None and name not in simple
            if left_out or not applies(name, spec, shape):
                self.form.set_field_visible(name, False)
            else:
                shown = shown or level == "advanced" or self.form.level_of(name) == "simple"
        self.setVisible(shown)

    def _on_changed(self, spec: TrainSpec) -> None:
        self.edited.emit({name: getattr(spec, name) for name in self.fields})


class MethodCard(Card):
    """Signals: preset_chosen(Preset), method_chosen(Method), edited(dict field -> value),
    validity_changed(bool).
    """

    preset_chosen = Signal(object)
    method_chosen = Signal(object)
    edited = Signal(object)
    validity_changed = Signal(bool)

    def __init__(self) -> None:
        super().__init__(_("Method and settings"))
        self.level = "simple"
        self.presets = {p: ChoiceCard(_(PRESET_TITLES[p]), "") for p in Preset}
        self._group = QButtonGroup(self)
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(current_tokens().space.m)
        for preset, button in self.presets.items():
            self._group.addButton(button)
            button.clicked.connect(lambda _checked=False, p=preset: self.preset_chosen.emit(p))
            row.addWidget(button, 1)
        self.own = Caption(_("Your own settings; choose a preset to go back."))
        self.methods: ChoiceGrid[Method] = ChoiceGrid(
            {method: _(title) for method, title in METHOD_TITLES.items()},
            {method: _(text) for method, text in METHOD_HELP.items()}, _("Method"),
        )  # fmt: skip
        self.methods.chosen.connect(self.method_chosen)
        self._line = Divider()
        self.parameters = BodyText(bold=True)
        self.add(holder)
        self.add(self.own)
        self.add(self._line)
        self.add(self.methods)
        self.forms = self._build_forms()

    def show_choices(self, choices: Choices) -> None:
        """Show these settings."""
        spec = choices.spec
        self._show_presets(choices)
        self._show_methods(choices)
        for group, form in self.forms.items():
            form.show_spec(spec, choices.shape, self.level, _SIMPLE[group])
        self.parameters.setVisible(spec.method is Method.SCRATCH)
        if spec.method is Method.SCRATCH:
            self.parameters.setText(_size_words(choices))

    def _show_presets(self, choices: Choices) -> None:
        preset = choices.preset()
        self._group.setExclusive(preset is not None)
        for each, button in self.presets.items():
            button.setChecked(each is preset)
            button.set_text(_preset_words(each, choices))
        self.own.setVisible(preset is None)

    def _show_methods(self, choices: Choices) -> None:
        """Nothing where there is one way only."""
        current, methods = choices.spec.method, choices.methods()
        if self.level == "simple":
            methods = tuple(m for m in methods if m not in _FOR_EXPERTS or m is current)
        several = len(methods) > 1
        self.methods.setVisible(several)
        self._line.setVisible(several)
        self.methods.show_choices(methods, current)

    def is_valid(self) -> bool:
        """Every setting that applies is valid."""
        return all(form.form.is_valid() for form in self.forms.values())

    def _build_forms(self) -> dict[str, SpecForm]:
        forms = {}
        for group, heading in _GROUPS:
            form = SpecForm([n for n in fields_of(group) if n not in ("method", "architecture")], _(heading))
            form.edited.connect(self.edited)
            form.validity_changed.connect(self.validity_changed)
            forms[group] = form
            self.add(form)
            if group == "model":
                self.add(self.parameters)
        return forms


def _preset_words(preset: Preset, choices: Choices) -> str:
    spec = choices.spec
    passes = round(choices.preset_spec(preset, spec.method).epochs)
    if preset is Preset.QUICK:
        text = ngettext(
            "A first impression: {n} pass over the data.",
            "A first impression: {n} passes over the data.",
            passes,
        )
    elif preset is Preset.BALANCED:
        text = ngettext(
            "A good result for most data: {n} pass.", "A good result for most data: {n} passes.", passes
        )
    elif spec.method in ADDS_ON:
        text = _("Up to {n} passes with a larger add-on; stops when it no longer helps.")
    else:
        text = _("Up to {n} passes; stops when it no longer helps.")
    return text.format(n=passes)


def _size_words(choices: Choices) -> str:
    size = model_size(choices.spec, choices.outputs())
    count = count_words(size.parameters)
    if choices.spec.architecture is Architecture.FACTORS:
        return _("The new model has {n} parameters for each user and each item.").format(n=size.each)
    if size.each:
        return _("The new model has {count} parameters, and {n} more for each item.").format(
            count=count, n=size.each
        )
    if choices.spec.architecture in _IN_COLOUR:
        return _("The new model has about {count} parameters.").format(count=count)
    return _("The new model has {count} parameters ({exact}).").format(
        count=count, exact=f"{size.parameters:,}"
    )


class LimitsCard(Card):
    """When the run ends of itself, and how often it saves. ``edited``: {field: value}."""

    def __init__(self) -> None:
        super().__init__(_("Limits"), _("When the run ends by itself. The best model is always kept."))
        self.level = "simple"
        self.form = SpecForm(fields_of("limits"))
        self.add(self.form)

    def show_choices(self, choices: Choices) -> None:
        """Show these limits."""
        self.form.show_spec(choices.spec, choices.shape, self.level)
