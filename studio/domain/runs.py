"""A training run: its plan, its states, and what it measured."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from studio.domain.ids import new_id
from studio.domain.schedules import RunSchedule
from studio.domain.shapes import Shape
from studio.domain.specs import TrainSpec
from studio.domain.values import now
from studio.errors import StudioError
from studio.i18n import N_, _


class RunState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAILED = "failed"
    INTERRUPTED = "interrupted"  # its process is gone without a last word; can be resumed
    CANCELLED = "cancelled"


STATE_TITLES = {
    RunState.QUEUED: N_("Waiting"),
    RunState.RUNNING: N_("Running"),
    RunState.PAUSED: N_("Paused"),
    RunState.DONE: N_("Finished"),
    RunState.FAILED: N_("Failed"),
    RunState.INTERRUPTED: N_("Interrupted"),
    RunState.CANCELLED: N_("Cancelled"),
}

_NEXT: dict[RunState, frozenset[RunState]] = {
    RunState.QUEUED: frozenset({RunState.RUNNING, RunState.CANCELLED, RunState.FAILED}),
    RunState.RUNNING: frozenset(
        {RunState.PAUSED, RunState.DONE, RunState.FAILED, RunState.INTERRUPTED, RunState.CANCELLED}
    ),
    RunState.PAUSED: frozenset(
        {RunState.RUNNING, RunState.DONE, RunState.FAILED, RunState.INTERRUPTED, RunState.CANCELLED}
    ),
    RunState.INTERRUPTED: frozenset({RunState.QUEUED, RunState.RUNNING, RunState.CANCELLED}),
    RunState.FAILED: frozenset({RunState.QUEUED}),
    RunState.DONE: frozenset(),
    RunState.CANCELLED: frozenset(),
}
ACTIVE = frozenset({RunState.RUNNING, RunState.PAUSED})
ENDED = frozenset({RunState.DONE, RunState.FAILED, RunState.CANCELLED})


def check_transition(old: RunState, new: RunState) -> None:
    """Raise StudioError ``run.transition`` when a run cannot go from ``old`` to ``new``."""
    if new not in _NEXT[old]:
        raise StudioError(
            "run.transition",
            _("A run that is “{old}” cannot become “{new}”.").format(
                old=_(STATE_TITLES[old]), new=_(STATE_TITLES[new])
            ),
        )


class Placement(BaseModel):
    """Where a run is computed: in one process here, in several that share each batch, or on a Ray cluster.

    address: of the cluster, as Ray writes it: ``ray://head:10001`` or, from one of its own machines, ``head:6379``.
    shared_folders: the cluster sees the same paths, so base model and data are not sent.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Literal["here", "processes", "ray"] = Field(
        "here", title=N_("Place"), description=N_("On this computer, or as a job on a cluster."),
        json_schema_extra={
            "choices_titles": {
                "here": N_("This computer"), "processes": N_("This computer, several processes"),
                "ray": N_("Ray cluster"),
            }
        },
    )  # fmt: skip
    processes: int = Field(
        1, ge=1, le=64, title=N_("Processes"),
        description=N_("Each batch is shared among them: one for each GPU, or for each group of processor cores."),
    )  # fmt: skip
    address: str = Field(
        "", title=N_("Address"), description=N_("Of the Ray cluster, such as ray://head:10001."),
    )  # fmt: skip
    shared_folders: bool = Field(
        False, title=N_("The cluster sees these folders"),
        description=N_("Base model and data are read where they are, and not sent."),
    )  # fmt: skip


class RunPlan(BaseModel):
    """RUN_DIR/spec.json: all that the training process needs, and nothing that it must look up.

    base_dir: Hugging Face folder; None for from-scratch. dataset_dir holds rows.parquet.
    outlive: the run goes on when the process that started it is gone. class_weights: of the dataset version, for
    ``balance_labels``; empty: from the counts of the training rows. fold: (k, of how many) in a K-fold, from 1.
    fold_by: column whose equal values stay in one fold. compare: False for a trial, which never sees the test rows.
    keep_awake: the computer does not go to sleep while the run is under way.
    """

    model_config = ConfigDict(frozen=True)

    version: int = 1
    run_id: str = Field(default_factory=new_id)
    name: str
    base_dir: str | None
    base_name: str
    dataset_id: str
    dataset_dir: str
    dataset_sha256: str
    dataset_name: str
    shape: Shape
    spec: TrainSpec
    probes: list[str] = []
    language: str = "en"
    outlive: bool = True
    class_weights: dict[str, float] = {}
    fold: tuple[int, int] | None = None
    fold_by: str | None = None
    compare: bool = True
    placement: Placement = Placement()
    keep_awake: bool = True


class Proposal(BaseModel):
    """Settings with which a run fits, as (field of TrainSpec, value), and why in one sentence."""

    model_config = ConfigDict(frozen=True)

    changes: list[tuple[str, JsonValue]]
    sentence: str
    memory_bytes: int  # expected with them

    def applied(self, spec: TrainSpec) -> TrainSpec:
        """``spec`` with the changes made."""
        return TrainSpec.model_validate({**spec.model_dump(), **dict(self.changes)})


class FitEstimate(BaseModel):
    """What a run will need, from a measured second of work; times as low/likely/high in seconds."""

    ready: bool
    problems: list[str] = []  # sentences: why not ready, or what to know
    proposal: Proposal | None = None  # when the memory does not suffice and something else would fit
    steps: int
    trained_tokens: int
    real_tokens: int
    rows: int
    rows_cut: int
    parameters: int
    trainable: int
    seconds_low: float
    seconds: float
    seconds_high: float
    memory_bytes: int
    memory_available_bytes: int
    disk_bytes: int
    disk_free_bytes: int
    energy_kwh_low: float = 0.0
    energy_kwh_high: float = 0.0
    tokens_per_s: float
    device: str
    dtype: str


@dataclass(frozen=True)
class StepMetrics:
    """One reported training step. loss in nats per trained token; memory in bytes; elapsed in seconds."""

    step: int
    epoch: float
    loss: float | None
    learning_rate: float
    grad_norm: float | None
    tokens_per_s: float
    memory_bytes: int
    elapsed_s: float


@dataclass(frozen=True)
class EvalMetrics:
    """One evaluation of the model in training, on the validation split; loss per predicted thing; named metrics."""

    step: int
    epoch: float
    loss: float
    perplexity: float
    rows: int
    is_best: bool
    metrics: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class ProbeAnswer:
    """The model's answer to a fixed probe prompt at a step; step 0 is the base model."""

    step: int
    index: int
    prompt: str
    answer: str


@dataclass(frozen=True)
class CheckpointInfo:
    """A checkpoint on disk: ``path`` is relative to RUN_DIR."""

    step: int
    path: str
    size_bytes: int
    created_at: datetime = field(default_factory=now)


@dataclass(frozen=True)
class RunSummary:
    """What the end of a run measured. base_value, tuned_value: the verdict's measure on the held-out rows.

    seconds: of updates alone, which tokens_per_s is measured by.
    """

    steps: int
    seconds: float
    real_tokens: int
    tokens_per_s: float
    peak_memory_bytes: int
    best_step: int
    best_eval_loss: float | None
    base_value: float | None
    tuned_value: float | None
    model_path: str  # relative to RUN_DIR: adapter or whole model, safetensors
    model_sha256: str
    model_bytes: int
    parameters: int
    trainable: int
    stopped_early: bool = False
    stop_reason: str = ""  # finished | stopped | early_stopping | time_limit
    answer_tokens_per_s: float | None = None  # measured while answering the probes
    answer_tokens_mean: float | None = None
    total_s: float = (
        0.0  # with loading, checks and comparison, without pauses; what FitEstimate.seconds predicts
    )


@dataclass(frozen=True)
class Run:
    """One training run as remembered by the studio. search_id, folds_id: of the search or K-fold that it is part of."""

    plan: RunPlan
    state: RunState = RunState.QUEUED
    product_id: str | None = None
    attempt: int = 0
    pid: int | None = None
    pid_started_at: float | None = None
    token: str = ""
    applied_seq: int = 0  # last event of events.jsonl that is in the database
    step: int = 0
    total_steps: int = 0
    last_loss: float | None = None
    eta_s: float | None = None
    error_code: str = ""
    error_message: str = ""
    estimate: FitEstimate | None = None
    summary: RunSummary | None = None
    created_at: datetime = field(default_factory=now)
    started_at: datetime | None = None
    ended_at: datetime | None = None
    deleted: bool = False
    schedule: RunSchedule | None = None
    search_id: str | None = None
    folds_id: str | None = None

    @property
    def id(self) -> str:
        return self.plan.run_id

    @property
    def name(self) -> str:
        return self.plan.name
