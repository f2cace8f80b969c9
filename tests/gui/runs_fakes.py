"""Services in memory for the Train and Runs pages, with runs that look like real ones."""

from __future__ import annotations

import builtins
import math
import random
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from studio.domain.basemodels import BaseModelInfo, BaseSource, CatalogueEntry
from studio.domain.datasets import DatasetVersion, ImportSpec, Split
from studio.domain.runs import (
    EvalMetrics,
    FitEstimate,
    Placement,
    ProbeAnswer,
    Run,
    RunPlan,
    RunState,
    RunSummary,
    StepMetrics,
)
from studio.domain.shapes import Shape
from studio.domain.specs import TrainSpec
from studio.domain.values import Basis, Value
from studio.domain.verdicts import Verdict, judge
from studio.errors import NotFoundError
from studio.protocol.events import BatchPreview, Event, Phase, PreviewToken, Step

MORNING = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


def make_dataset(name: str = "Customer questions", rows: int = 1200, language: str = "en") -> DatasetVersion:
    return DatasetVersion(
        name=name, shape=Shape.PROMPT_RESPONSE, source_path=f"/data/{name}.csv", source_bytes=1,
        source_sha256="s",
        rows=rows, rejected=3,
        splits={Split.TRAIN: rows * 8 // 10, Split.VALIDATION: rows // 10, Split.TEST: rows // 10},
        languages={language: 1.0}, content_sha256="c", spec=ImportSpec(source=f"/data/{name}.csv"), seconds=1.0,
    )  # fmt: skip


def make_base(name: str = "SmolLM2 135M Instruct", languages: tuple[str, ...] = ("en",)) -> BaseModelInfo:
    return BaseModelInfo(
        id=name.lower().replace(" ", "-"), name=name, path=f"/models/{name}", source=BaseSource.BUNDLED,
        architecture="LlamaForCausalLM", parameters=134_515_008, size_bytes=269_060_552, languages=languages,
        licence="Apache-2.0", chat=True, max_length=8192,
    )  # fmt: skip


def make_entry(name: str, languages: tuple[str, ...]) -> CatalogueEntry:
    return CatalogueEntry(
        id=name.lower().replace(" ", "-"), name=name, parameters=494_000_000, languages=languages, licence="Apache-2.0",
        download_bytes=988_000_000, memory_bytes=6 * 2**30, chat=True, hub_ids={"huggingface": f"org/{name}"},
        summary="Small and quick.",
    )  # fmt: skip


def make_estimate(**changed: Any) -> FitEstimate:
    made = FitEstimate(
        ready=True, steps=720, trained_tokens=310_000, real_tokens=420_000, rows=960, rows_cut=4,
        parameters=134_515_008,
        trainable=2_442_240, seconds_low=1500, seconds=1800, seconds_high=2300, memory_bytes=1_900_000_000,
        memory_available_bytes=19 * 2**30, disk_bytes=120 * 2**20, disk_free_bytes=80 * 2**30, energy_kwh_low=0.05,
        energy_kwh_high=0.08, tokens_per_s=233, device="cpu", dtype="float32",
    )  # fmt: skip
    return made.model_copy(update=changed)


def make_run(name: str = "Customer assistant", state: RunState = RunState.RUNNING, **changed: Any) -> Run:
    plan = RunPlan(
        name=name, base_dir="/models/base", base_name="SmolLM2 135M Instruct", dataset_id="d", dataset_dir="/d",
        dataset_sha256="c", dataset_name="Customer questions", shape=Shape.PROMPT_RESPONSE, spec=TrainSpec(),
    )  # fmt: skip
    run = Run(
        plan=plan, state=state, total_steps=720, step=240, last_loss=1.71, created_at=MORNING, started_at=MORNING,
        estimate=make_estimate(),
    )  # fmt: skip
    if state is RunState.DONE:
        run = replace(run, step=720, summary=make_summary(), ended_at=MORNING + timedelta(seconds=1764))
    return replace(run, **changed)


def make_summary() -> RunSummary:
    return RunSummary(
        steps=720, seconds=1764, real_tokens=420_000, tokens_per_s=238, peak_memory_bytes=1_830_000_000, best_step=480,
        best_eval_loss=1.52, base_value=2.31, tuned_value=1.52, model_path="model", model_sha256="m",
        model_bytes=9_800_000, parameters=134_515_008, trainable=2_442_240,
    )  # fmt: skip


def loss_at(step: int, noise: random.Random) -> float:
    return 1.3 + 1.6 * math.exp(-step / 180) + noise.gauss(0, 0.12)


def make_steps(count: int, seed: int = 1) -> list[StepMetrics]:
    noise = random.Random(seed)
    return [
        StepMetrics(
            step,
            step / 240,
            loss_at(step, noise),
            5e-4 * (1 - step / max(count, 720)),
            0.8 + noise.random(),
            230 + noise.gauss(0, 9),
            int(1.7e9 + 1e8 * noise.random()),
            step * 2.4,
        )
        for step in range(1, count + 1)
    ]


def make_evals(last: int) -> list[EvalMetrics]:
    return [
        EvalMetrics(s, s / 240, 1.5 + 0.9 * math.exp(-s / 200), 4.5, 120, True)
        for s in range(120, last + 1, 120)
    ]


def make_probes(last: int) -> list[ProbeAnswer]:
    prompts = ("How can I return a product?", "When do you open on Sundays?")
    base = ("I am not sure what you mean. Please contact the store.", "Sunday is a day of the week.")
    tuned = (
        "You can return it within 30 days. Print the label from your order page and drop the parcel anywhere.",
        "On Sundays we are open from 10:00 to 16:00.",
    )  # fmt: skip
    found = [ProbeAnswer(0, i, p, a) for i, (p, a) in enumerate(zip(prompts, base, strict=True))]
    for step in range(120, last + 1, 120):
        found += [ProbeAnswer(step, i, p, a) for i, (p, a) in enumerate(zip(prompts, tuned, strict=True))]
    return found


def make_verdict(shift: float = -0.8) -> Verdict:
    noise = random.Random(3)
    tokens = [40] * 60
    base = [40 * (2.3 + noise.gauss(0, 0.3)) for _ in tokens]
    tuned = [value + 40 * (shift + noise.gauss(0, 0.15)) for value in base]
    return judge(base, tuned, tokens, make_evals(720), "test")


def step_event(step: int, total: int = 720) -> Step:
    noise = random.Random(step)
    return Step(
        seq=step, step=step, total_steps=total, epoch=step / 240, loss=loss_at(step, noise), lr=3e-4, grad_norm=1.0,
        tokens_per_s=231, memory_bytes=1_750_000_000, elapsed_s=step * 2.4, eta_s=(total - step) * 2.4,
    )  # fmt: skip


@dataclass
class FakeRuns:
    """services.runs in memory. ``news`` is what the next poll gives; ``calls`` what was asked."""

    runs: list[Run] = field(default_factory=list)
    all_steps: dict[str, list[StepMetrics]] = field(default_factory=dict)
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    news: list[tuple[str, list[Event]]] = field(default_factory=list)
    calls: list[Any] = field(default_factory=list)
    binned: list[Run] = field(default_factory=list)
    estimate: FitEstimate = field(default_factory=make_estimate)
    check_gate: threading.Event | None = None  # check waits for it, as a slow measurement would
    problem: Exception | None = None
    product_learns: bool = True  # from the data of whatever is queued
    details: str = "Traceback: the whole story"

    def poll(self) -> list[tuple[str, list[Event]]]:
        if self.problem is not None:
            raise self.problem
        news, self.news = self.news, []
        return news

    def active(self) -> list[Run]:
        return [run for run in self.runs if run.state in (RunState.RUNNING, RunState.PAUSED)]

    def queue(self) -> list[Run]:
        return [run for run in self.runs if run.state is RunState.QUEUED]

    def waiting_words(self, run: Run) -> str:
        return "waits until 22:00" if run.schedule is not None else ""

    def list(self, product_id: str | None = None, limit: int = 100, offset: int = 0) -> list[Run]:
        return self.runs[offset : offset + limit]

    def count(self, product_id: str | None = None) -> int:
        return len(self.runs)

    def get(self, run_id: str) -> Run:
        for run in self.runs:
            if run.id == run_id:
                return run
        raise NotFoundError("run.unknown", "This run is not in the workspace any more.")

    def put(self, run: Run) -> None:
        self.runs = [run if each.id == run.id else each for each in self.runs]

    def steps(self, run_id: str) -> builtins.list[StepMetrics]:
        run = self.get(run_id)
        return self.all_steps.get(run_id) or make_steps(run.step)

    def evals(self, run_id: str) -> builtins.list[EvalMetrics]:
        return make_evals(self.get(run_id).step)

    def probes(self, run_id: str) -> builtins.list[ProbeAnswer]:
        return make_probes(self.get(run_id).step) if self.get(run_id).step else []

    def verdict(self, run_id: str) -> Verdict | None:
        return self.verdicts.get(run_id)

    def run_cost(self, run: Run) -> Value:
        return Value(0.19, "CNY", Basis.ASSUMED, "settings", MORNING)

    def silent_s(self, run_id: str) -> float:
        return 0.0

    def error_details(self, run_id: str) -> str:
        return self.details

    def plan(
        self, product_id: str | None, dataset_id: str, base: BaseModelInfo | None, spec: TrainSpec,
        name: str | None = None, placement: Placement | None = None,
    ) -> RunPlan:  # fmt: skip
        made = make_run(name or "Customer questions").plan
        where = {"base_dir": base.path if base else None, "placement": placement or Placement()}
        return made.model_copy(update={"spec": spec, "dataset_id": dataset_id, **where})

    def check(self, plan: RunPlan, on_event: Callable[[Event], None], cancel: threading.Event) -> FitEstimate:
        from studio.services.children import JobCancelled

        self.calls.append(("check", plan.spec))
        on_event(Phase(name="measuring"))
        on_event(make_preview())
        while self.check_gate is not None and not self.check_gate.wait(0.01):
            if cancel.is_set():
                raise JobCancelled
        return self.estimate

    def enqueue(self, plan: RunPlan, product_id: str | None, estimate: FitEstimate | None = None) -> Run:
        run = Run(plan=plan, product_id=product_id if self.product_learns else None, estimate=estimate)
        self.runs.insert(0, run)
        self.calls.append(("enqueue", plan, estimate))
        return run

    def start_next(self) -> Run | None:
        self.calls.append("start_next")
        return None

    def pause(self, run_id: str) -> None:
        self.calls.append(("pause", run_id))

    def resume(self, run_id: str) -> None:
        self.calls.append(("resume", run_id))

    def stop(self, run_id: str) -> None:
        self.calls.append(("stop", run_id))

    def cancel(self, run_id: str) -> None:
        self.calls.append(("cancel", run_id))

    def resume_interrupted(self, run_id: str) -> None:
        self.calls.append(("resume_interrupted", run_id))

    def rename(self, run_id: str, name: str) -> Run:
        run = self.get(run_id)
        self.put(replace(run, plan=run.plan.model_copy(update={"name": name})))
        return self.get(run_id)

    def delete(self, run_id: str) -> None:
        self.binned.append(self.get(run_id))
        self.runs = [run for run in self.runs if run.id != run_id]

    def restore(self, run_id: str) -> None:
        self.runs += [run for run in self.binned if run.id == run_id]
        self.binned = [run for run in self.binned if run.id != run_id]

    def export_metrics_csv(self, run_id: str, path: Path) -> Path:
        path.write_text("step,loss\n1,2.5\n", encoding="utf-8")
        return path


def make_preview() -> BatchPreview:
    asked = [
        PreviewToken(text=t, trained=False)
        for t in ("<|im_start|>user\n", "How can I return", " a product?", "\n")
    ]
    told = [
        PreviewToken(text=t, trained=True)
        for t in ("You can return", " it within", " 30 days.", "<|im_end|>")
    ]
    return BatchPreview(rows=[asked + told, asked + told])


@dataclass
class FakeModels:
    """services.models in memory."""

    models: list[BaseModelInfo] = field(default_factory=lambda: [make_base()])
    entries: list[CatalogueEntry] = field(
        default_factory=lambda: [
            make_entry("SmolLM2 135M Instruct", ("en",)),
            make_entry("Qwen2.5 0.5B Instruct", ("zh", "en")),
        ]
    )
    gate: threading.Event | None = None

    def catalogue(self) -> list[CatalogueEntry]:
        return self.entries

    def available(self) -> list[BaseModelInfo]:
        return list(self.models)

    def register_folder(self, path: Path) -> BaseModelInfo:
        self.models.append(make_base(path.name))
        return self.models[-1]

    def register_gguf(self, path: Path, on_event: Any, cancel: threading.Event) -> BaseModelInfo:
        return self.fetch(self.entries[0].model_copy(update={"name": path.stem}), on_event, cancel)

    def fetch(self, entry: CatalogueEntry, on_event: Any, cancel: threading.Event) -> BaseModelInfo:
        from studio.services.children import JobCancelled

        on_event(Phase(name="downloading"))
        while self.gate is not None and not self.gate.wait(0.01):
            if cancel.is_set():
                raise JobCancelled
        self.models.append(make_base(entry.name, entry.languages))
        return self.models[-1]

    def language_warning(self, base: BaseModelInfo, dataset: DatasetVersion) -> str | None:
        if dataset.languages.get("zh", 0) < 0.3 or "zh" in base.languages:
            return None
        return f"Your data is Chinese, and {base.name} hardly knows Chinese: its answers will be poor."


def make_services(runs: FakeRuns | None = None, **more: Any) -> dict[str, Any]:
    """Services by name for ``make_context``."""
    found = [make_dataset()]
    return {
        "runs": runs or FakeRuns(), "models": FakeModels(),
        "datasets": SimpleNamespace(list=lambda: list(found), found=found),
        "matrices": SimpleNamespace(list=lambda: []),
    } | more  # fmt: skip
