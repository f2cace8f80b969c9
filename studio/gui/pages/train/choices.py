"""What was chosen for a run, and what is still missing. No widgets."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from studio.domain.architectures import Architecture, Method, needs_base
from studio.domain.basemodels import BaseModelInfo, CatalogueEntry
from studio.domain.datasets import DatasetVersion
from studio.domain.runs import FitEstimate
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
    training: bool = False  # a run is under way


@dataclass(frozen=True)
class Choices:
    """One state of the page."""

    spec: TrainSpec = field(default_factory=lambda: preset_spec(Preset.BALANCED))
    dataset: DatasetVersion | None = None
    base: BaseModelInfo | None = None
    valid: bool = True  # every input holds something valid

    @property
    def from_scratch(self) -> bool:
        return not needs_base(self.spec.architecture, self.spec.method)

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

    def with_preset(
        self, preset: Preset, method: Method | None = None, architecture: Architecture | None = None
    ) -> Choices:
        """The preset's settings for the kind of model and method; limits and machine are kept.

        None: the kind stays, the method is the advised one.
        """
        shape = self.dataset.shape if self.dataset else None
        wanted = preset_spec(preset, method, architecture or self.spec.architecture, shape)
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
    if estimate is not None and not estimate.ready:
        return _("Not ready: see the reasons above")
    return _("Put in the queue") if training else _("Start training")


def _extra(name: str) -> dict[str, object]:
    extra = TrainSpec.model_fields[name].json_schema_extra
    return dict(extra) if isinstance(extra, dict) else {}
