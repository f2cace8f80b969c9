"""What was chosen for a run, and what is still missing. No widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from pydantic import JsonValue

from studio.domain.architectures import (
    Architecture,
    Method,
    architectures_for,
    methods_for,
    needs_base,
    new_model_title,
)
from studio.domain.basemodels import BaseModelInfo, CatalogueEntry, no_encoder_knows
from studio.domain.datasets import DatasetVersion, Split
from studio.domain.products import Task
from studio.domain.runs import FitEstimate, Placement
from studio.domain.shapes import Shape
from studio.domain.specs import Preset, TrainSpec, preset_spec
from studio.i18n import _

# A preset decides the learning; limits and machine stay as the user set them.
_NOT_OF_PRESET = frozenset({"limits", "machine"})


@dataclass(frozen=True)
class Shelf:
    """What there is to choose from."""

    datasets: tuple[DatasetVersion, ...] = ()
    models: tuple[BaseModelInfo, ...] = ()
    catalogue: tuple[CatalogueEntry, ...] = ()
    product_dataset_id: str | None = None
    task: Task | None = None  # of the product in hand
    training: bool = False  # a run is under way


@dataclass(frozen=True)
class Choices:
    """One state of the page."""

    spec: TrainSpec = field(default_factory=lambda: preset_spec(Preset.BALANCED))
    dataset: DatasetVersion | None = None
    base: BaseModelInfo | None = None
    task: Task | None = None  # of the product that the model is for
    valid: bool = True  # every input holds something valid
    placement: Placement = field(default_factory=Placement)  # where the run is computed
    encoder_last: bool = False  # the text encoders that are here hardly know the language of the data

    @property
    def from_scratch(self) -> bool:
        return not needs_base(self.spec.architecture, self.spec.method)

    @property
    def shape(self) -> Shape | None:
        """What a row of the data is."""
        return self.dataset.shape if self.dataset else None

    def kinds(self) -> tuple[Architecture, ...]:
        """Kinds of model that fit data and product, the advised one first."""
        if self.shape is None:
            return (self.spec.architecture,)
        return architectures_for(self.shape, self.task, encoder_last=self.encoder_last)

    def methods(self) -> tuple[Method, ...]:
        """Ways to train the chosen kind on the data, the advised one first."""
        return methods_for(self.spec.architecture, self.shape)

    def name(self) -> str:
        """What the run is called when nobody names it; empty without data."""
        if self.dataset is None:
            return ""
        begun = (
            self.base.name if self.base and not self.from_scratch else new_model_title(self.spec.architecture)
        )
        return f"{self.dataset.name} · {begun}"

    def outputs(self) -> int:
        """Labels that the new model has to tell apart, 1 for a number."""
        if self.dataset is None or self.shape is Shape.TEXT_NUMBER:
            return 1
        return max(2, sum(1 for label in self.dataset.labels if label))

    def with_dataset(self, dataset: DatasetVersion | None) -> Choices:
        """Other data; a preset is taken as it is for that data, the user's own settings stay."""
        preset, made = self.preset(), replace(self, dataset=dataset)
        if (
            preset is None
            or made.spec.architecture not in made.kinds()
            or made.spec.method not in made.methods()
        ):
            return made
        return made.with_preset(preset, made.spec.method)

    def fitted(self, models: Sequence[BaseModelInfo]) -> Choices:
        """The same, with the advised kind, method and base in place of what does not fit the data."""
        languages = self.dataset.languages if self.dataset else {}
        made = replace(self, encoder_last=no_encoder_knows(models, languages))
        if made.spec.architecture not in made.kinds():
            made = made.with_preset(made.preset() or Preset.BALANCED, None, made.kinds()[0])
        elif made.spec.method not in made.methods():
            made = made.with_preset(made.preset() or Preset.BALANCED)
        if made.base is None or not made.base.serves(made.spec.architecture):
            able = sorted(
                (m for m in models if m.serves(made.spec.architecture)), key=lambda m: not m.knows(languages)
            )
            made = replace(made, base=able[0] if able else None)
        return made

    def changed(self, changes: Sequence[tuple[str, JsonValue]]) -> Choices:
        """With these fields of the settings instead."""
        spec = TrainSpec.model_validate(self.spec.model_dump() | dict(changes))
        return replace(self, spec=spec, valid=True)

    def missing(self) -> str | None:
        """ "data", "base" or "settings": the first thing that is missing; None when the run can be planned."""
        if self.dataset is None:
            return "data"
        if self.base is None and not self.from_scratch:
            return "base"
        return None if self.valid else "settings"

    def key(self) -> str:
        """Tells choices apart that need measuring anew."""
        base = "" if self.from_scratch or self.base is None else self.base.path
        return f"{self.dataset.id if self.dataset else ''}|{base}|{self.spec.model_dump_json()}"

    def preset_spec(
        self, preset: Preset, method: Method | None = None, architecture: Architecture | None = None
    ) -> TrainSpec:  # fmt: skip
        """The preset for the chosen data; None: the kind stays, the method is the advised one."""
        rows = self.dataset.splits.get(Split.TRAIN) if self.dataset else None
        return preset_spec(preset, method, architecture or self.spec.architecture, self.shape, rows)

    def with_preset(
        self, preset: Preset, method: Method | None = None, architecture: Architecture | None = None
    ) -> Choices:
        """The preset's settings for the kind of model and method; limits and machine are kept.

        None: the kind stays, the method is the advised one.
        """
        wanted = self.preset_spec(preset, method, architecture or self.spec.architecture)
        kept = {name: getattr(self.spec, name) for name in fields_of(*_NOT_OF_PRESET)}
        given = wanted.model_fields_set
        return replace(self, spec=wanted.model_copy(update={k: v for k, v in kept.items() if k not in given}))

    def preset(self) -> Preset | None:
        """The preset that these settings are, None when they are the user's own."""
        for preset in Preset:
            wanted = self.with_preset(preset, self.spec.method).spec
            names = [name for name in TrainSpec.model_fields if group_of(name) not in _NOT_OF_PRESET]
            if all(getattr(wanted, name) == getattr(self.spec, name) for name in names):
                return preset
        return None


def group_of(name: str) -> str:
    """The group that a field of TrainSpec is declared in."""
    return str(_extra(name).get("group", ""))


def fields_of(*groups: str) -> list[str]:
    """Fields of TrainSpec in these groups, in their order."""
    return [name for name in TrainSpec.model_fields if group_of(name) in groups]


def start_words(choices: Choices, estimate: FitEstimate | None, *, training: bool) -> str:
    """What the Start button says: what will happen, or what is missing."""
    words = {
        "data": _("Choose data first"),
        "base": _("Choose a base model first"),
        "settings": _("Correct the settings first"),
    }
    missing = choices.missing()
    if missing is not None:
        return words[missing]
    if estimate is not None and not estimate.ready and choices.placement.kind != "ray":
        return _("Not ready: see the reasons above")
    return _("Put in the queue") if training else _("Start training")


def _extra(name: str) -> dict[str, object]:
    extra = TrainSpec.model_fields[name].json_schema_extra
    return dict(extra) if isinstance(extra, dict) else {}
