"""How the model learns: three presets and a method; every setting for those who want them."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QWidget

from studio.domain.architectures import METHOD_TITLES, Method
from studio.domain.specs import PRESET_HELP, PRESET_TITLES, Preset, TrainSpec, applies, scratch_parameters
from studio.gui.forms import ModelForm
from studio.gui.models.runs_words import count_words
from studio.gui.pages.train.choice import ChoiceCard
from studio.gui.pages.train.choices import Choices, fields_of
from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, Caption, Card, Divider, SegmentedControl
from studio.i18n import N_, _

_GROUPS = (
    ("model", N_("The new model")),
    ("method", N_("Add-on")),
    ("settings", N_("Learning")),
    ("machine", N_("This computer")),
)
_ALWAYS = frozenset({"model"})  # groups that Simple shows too


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

    def show_spec(self, spec: TrainSpec, level: str) -> None:
        """Show these values; fields that mean nothing for the method are hidden."""
        if self.form.value() != spec and self.form.is_valid():
            self.form.set_value(spec)
        self.form.set_level(level)
        for name in self.fields:
            if not applies(name, spec):
                self.form.set_field_visible(name, False)
        self.setVisible(any(applies(name, spec) for name in self.fields))

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
        self.presets = {p: ChoiceCard(_(PRESET_TITLES[p]), _(PRESET_HELP[p])) for p in Preset}
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
        self.methods = SegmentedControl([(m.value, _(METHOD_TITLES[m])) for m in Method])
        self.methods.setAccessibleName(_("Method"))
        self.methods.changed.connect(self._on_method)
        self._showing = False
        description = TrainSpec.model_fields["method"].description or ""
        self.help = Caption(_(description))
        self.parameters = BodyText(bold=True)
        self.add(holder)
        self.add(self.own)
        self.add(Divider())
        self.add(self.methods)
        self.add(self.help)
        self.forms = self._build_forms()

    def show_choices(self, choices: Choices) -> None:
        """Show these settings."""
        self._showing = True
        spec = choices.spec
        preset = choices.preset()
        self._group.setExclusive(preset is not None)
        for each, button in self.presets.items():
            button.setChecked(each is preset)
        self.own.setVisible(preset is None)
        self.methods.choose(spec.method.value)
        for group, form in self.forms.items():
            form.show_spec(spec, "advanced")
            if self.level == "simple" and group not in _ALWAYS:
                form.hide()
        self.parameters.setVisible(choices.from_scratch)
        count = scratch_parameters(spec.layers, spec.width, spec.vocabulary)
        self.parameters.setText(
            _("The new model has {count} parameters ({exact}).").format(
                count=count_words(count), exact=f"{count:,}"
            )
        )
        self._showing = False

    def is_valid(self) -> bool:
        """Every setting that applies is valid."""
        return all(form.form.is_valid() for form in self.forms.values())

    def _build_forms(self) -> dict[str, SpecForm]:
        forms = {}
        for group, heading in _GROUPS:
            form = SpecForm([name for name in fields_of(group) if name != "method"], _(heading))
            form.edited.connect(self.edited)
            form.validity_changed.connect(self.validity_changed)
            forms[group] = form
            self.add(form)
            if group == "model":
                self.add(self.parameters)
        return forms

    def _on_method(self, key: str) -> None:
        if not self._showing:
            self.method_chosen.emit(Method(key))


class LimitsCard(Card):
    """When the run ends of itself, and how often it saves. ``edited``: {field: value}."""

    def __init__(self) -> None:
        super().__init__(_("Limits"), _("When the run ends by itself. The best model is always kept."))
        self.level = "simple"
        self.form = SpecForm(fields_of("limits"))
        self.add(self.form)

    def show_choices(self, choices: Choices) -> None:
        """Show these limits."""
        self.form.show_spec(choices.spec, self.level)
