"""Turns a founder's choices into the plan that a trainer needs, and tries whether it fits this computer."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from studio.domain.architectures import Method
from studio.domain.basemodels import BaseModelInfo
from studio.domain.datasets import DatasetVersion, Split
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

PROBES = 4
_PROBE_SCAN_ROWS = 400
_TEXT_PROBE_CHARACTERS = 40
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
        base = None if spec.method is Method.SCRATCH else _usable_base(base)
        base_name = base.name if base else _("New small model")
        return RunPlan(
            name=(name or "").strip() or f"{dataset.name} · {base_name}",
            base_dir=base.path if base else None, base_name=base_name,
            dataset_id=dataset.id, dataset_dir=str(self._paths.dataset(dataset.id)),
            dataset_sha256=dataset.content_sha256, dataset_name=dataset.name, shape=dataset.shape,
            spec=spec, probes=self._probes(dataset), language=current_language(),
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
        if is_sample(dataset):
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


def _usable_base(base: BaseModelInfo | None) -> BaseModelInfo:
    if base is None:
        raise StudioError(
            "run.no_base",
            _("No base model was chosen."),
            _("Choose one, or train a new small model from scratch."),
        )
    if not (Path(base.path) / "config.json").is_file():
        raise StudioError(
            "model.files_gone", _("The files of “{name}” are missing.").format(name=base.name),
            _("Choose another base model, or get this one again."),
        )  # fmt: skip
    return base


def _prompt(row: dict[str, str], shape: Shape) -> str:
    if shape is Shape.TEXT:
        return row.get("text", "")[:_TEXT_PROBE_CHARACTERS].strip()
    if shape is Shape.PROMPT_RESPONSE:
        return row.get("prompt", "").strip()
    try:
        messages = json.loads(row.get("messages", "[]"))
        return next((str(m["content"]) for m in messages if m.get("role") == "user"), "").strip()
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
