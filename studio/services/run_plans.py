"""Turns a founder's choices into the plan that a trainer needs, and tries whether it fits this computer."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from studio.domain.architectures import (
    METHOD_TITLES,
    Architecture,
    Method,
    architecture_title,
    architectures_for,
    methods_for,
    needs_base,
    new_model_title,
)
from studio.domain.basemodels import BaseModelInfo, base_kind
from studio.domain.datasets import DatasetVersion, Split, title
from studio.domain.runs import FitEstimate, RunPlan
from studio.domain.shapes import Shape
from studio.domain.specs import TrainSpec
from studio.errors import NotFoundError, StudioError
from studio.i18n import _, current_language
from studio.paths import WorkspacePaths, resource_path
from studio.protocol.events import Estimated, Event
from studio.services.datasets import is_sample
from studio.services.files import write_atomically
from studio.services.ports import DatasetRepository, RowPages, RunJob
from studio.words import listed

PROBES = 4
_PROBE_SCAN_ROWS = 400
_TEXT_PROBE_CHARACTERS = 40  # of a text to be continued
_READ_PROBE_CHARACTERS = 400  # of a text to be judged
_CHAT_SHAPES = (Shape.PROMPT_RESPONSE, Shape.MESSAGES)
# What a probe of a shape asks; where nothing stands, none is asked.
_PROBE_COLUMNS = {
    Shape.PROMPT_RESPONSE: "prompt", Shape.PREFERENCE: "prompt", Shape.THUMBS: "prompt", Shape.TEXT: "text",
    Shape.TEXT_LABEL: "text", Shape.TEXT_LABELS: "text", Shape.TEXT_NUMBER: "text", Shape.RATINGS: "user",
}  # fmt: skip
CHECK_TIMEOUT_S = 600


class RunPlanner:
    """Makes and checks plans; keeps nothing."""

    def __init__(
        self, datasets: DatasetRepository, pages: RowPages, paths: WorkspacePaths, run_job: RunJob,
        power_kw: Callable[[], float],
    ) -> None:  # fmt: skip
        self._datasets = datasets
        self._pages = pages
        self._paths = paths
        self._run_job = run_job
        self._power_kw = power_kw

    def plan(self, dataset_id: str, base: BaseModelInfo | None, spec: TrainSpec, name: str | None) -> RunPlan:
        """The plan of a run. Raises StudioError when data or base model are missing or unfit."""
        dataset = self._usable_dataset(dataset_id)
        check_choice(dataset.shape, spec)
        base = _usable_base(base, spec.architecture) if needs_base(spec.architecture, spec.method) else None
        base_name = base.name if base else new_model_title(spec.architecture)
        return RunPlan(
            name=(name or "").strip() or f"{dataset.name} · {base_name}",
            base_dir=base.path if base else None, base_name=base_name,
            dataset_id=dataset.id, dataset_dir=str(self._paths.dataset(dataset.id)),
            dataset_sha256=dataset.content_sha256, dataset_name=dataset.name, shape=dataset.shape,
            spec=spec, probes=self._probes(dataset), language=current_language(),
            class_weights=dataset.class_weights,
        )  # fmt: skip

    def check(
        self,
        plan: RunPlan,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> FitEstimate:
        """Measure a second of the real work in a child process. Raises StudioError; JobCancelled on cancel."""
        folder = self._paths.runs / f".check-{plan.run_id}"
        found: list[FitEstimate] = []

        def hear(event: Event) -> None:
            if isinstance(event, Estimated):
                found.append(FitEstimate.model_validate(event.estimate))
            if on_event is not None:
                on_event(event)

        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_atomically(folder / "spec.json", plan.model_dump_json(indent=2))
            self._run_job(["estimate", str(folder)], None, hear, cancel, CHECK_TIMEOUT_S)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
        if not found:
            raise StudioError("run.no_estimate", _("The check ended without a result."), _("Try again."))
        return self._with_energy(found[-1])

    def _with_energy(self, estimate: FitEstimate) -> FitEstimate:
        """kWh = hours × kW; the power is the founder's assumption, so the range is only that of the time."""
        per_second = self._power_kw() / 3600
        return estimate.model_copy(
            update={
                "energy_kwh_low": estimate.seconds_low * per_second,
                "energy_kwh_high": estimate.seconds_high * per_second,
            }
        )

    def _usable_dataset(self, dataset_id: str) -> DatasetVersion:
        dataset = self._datasets.get(dataset_id)
        if dataset is None:
            raise NotFoundError("dataset.unknown", _("This data is not in the workspace any more."))
        if dataset.deleted:
            raise StudioError(
                "dataset.deleted", _("This data is in the bin."), _("Restore it or choose other data.")
            )
        if not (self._paths.dataset(dataset.id) / "rows.parquet").is_file():
            raise StudioError(
                "dataset.files_gone", _("The files of “{name}” are missing.").format(name=dataset.name),
                _("Import the data again."),
            )  # fmt: skip
        if not dataset.splits.get(Split.TRAIN):
            raise StudioError(
                "dataset.no_training_rows", _("“{name}” has no rows to train on.").format(name=dataset.name),
                _("Import more rows, or split the data in another way."),
            )  # fmt: skip
        return dataset

    def _probes(self, dataset: DatasetVersion) -> list[str]:
        """Fixed prompts whose answers show the model's progress: written ones for the sample, else held-out ones."""
        if is_sample(dataset) and dataset.shape in _CHAT_SHAPES:
            written = sample_probes("zh_CN" if dataset.languages.get("zh", 0) > 0.5 else "en")
            if written:
                return written[:PROBES]
        rows = self._pages.page(self._paths.dataset(dataset.id), 0, _PROBE_SCAN_ROWS)
        held_out = [row for row in rows if row.get("split") == Split.VALIDATION] or rows
        prompts = (_prompt(row, dataset.shape) for row in held_out)
        return list(dict.fromkeys(prompt for prompt in prompts if prompt))[:PROBES]


def sample_probes(language: str) -> list[str]:
    """Probe prompts written for the sample data, in ``en`` or ``zh_CN``."""
    path = resource_path("samples", "probes.json")
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        chosen = stored.get(language) or stored.get(language[:2]) or []
        found = chosen.get("customer_service", []) if isinstance(chosen, dict) else chosen
        return [text for text in found if isinstance(text, str)]
    except (OSError, ValueError, AttributeError):
        return []


def check_choice(shape: Shape, spec: TrainSpec) -> None:
    """Raise StudioError when this kind of model, trained in this way, cannot learn from data of this shape.

    Codes: ``run.unfit_architecture``, ``run.unfit_method``, ``method.needs_gpu``.
    """
    fitting = architectures_for(shape)
    if spec.architecture not in fitting:
        raise StudioError(
            "run.unfit_architecture",
            _("“{kind}” cannot learn from data of the kind “{shape}”.").format(
                kind=architecture_title(spec.architecture), shape=title(shape)
            ),
            _("Choose one of these: {kinds}.").format(kinds=_listed(map(architecture_title, fitting))),
        )
    methods = methods_for(spec.architecture, shape)
    if spec.method not in methods:
        raise StudioError(
            "run.unfit_method",
            _("“{kind}” cannot be trained in the way “{method}” on data of the kind “{shape}”.").format(
                kind=architecture_title(spec.architecture),
                method=_(METHOD_TITLES[spec.method]),
                shape=title(shape),
            ),
            _("Choose one of these: {kinds}.").format(
                kinds=_listed(_(METHOD_TITLES[method]) for method in methods)
            ),
        )
    if spec.method is Method.QLORA and spec.device in ("cpu", "mps"):
        raise StudioError(
            "method.needs_gpu",
            _("The compressed add-on (QLoRA) works on an NVIDIA GPU only, and this run has none."),
            _("Choose the small add-on (LoRA): it gives the same kind of model."),
        )


def _listed(names: Iterable[str]) -> str:
    return listed(_("“{name}”").format(name=name) for name in names)


def _usable_base(base: BaseModelInfo | None, architecture: Architecture) -> BaseModelInfo:
    """The base, when it is there and of the kind that is to be trained."""
    if base is None:
        raise StudioError(
            "run.no_base",
            _("No base model was chosen."),
            _("Choose one, or train a new small model from scratch."),
        )
    config = Path(base.path) / "config.json"
    if not config.is_file():
        raise StudioError(
            "model.files_gone", _("The files of “{name}” are missing.").format(name=base.name),
            _("Choose another base model, or get this one again."),
        )  # fmt: skip
    kind = base_kind(_config(config))
    if kind not in (None, architecture):
        raise StudioError(
            "model.unfit_kind",
            _("“{name}” is of the kind “{kind}”, and “{wanted}” was chosen.").format(
                name=base.name,
                kind=architecture_title(kind or architecture),
                wanted=architecture_title(architecture),
            ),
            _("Choose another base model, or another kind of model."),
        )
    return base


def _config(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return content if isinstance(content, dict) else {}


def _prompt(row: dict[str, str], shape: Shape) -> str:
    if shape is not Shape.MESSAGES:
        asked = row.get(_PROBE_COLUMNS.get(shape, ""), "")
        if shape is Shape.TEXT:
            return asked[:_TEXT_PROBE_CHARACTERS].strip()
        return (
            asked[:_READ_PROBE_CHARACTERS].strip() if _PROBE_COLUMNS.get(shape) == "text" else asked.strip()
        )
    try:
        messages = json.loads(row.get("messages", "[]"))
        return next((str(m["content"]) for m in messages if m.get("role") == "user"), "").strip()
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
