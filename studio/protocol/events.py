"""Events: past facts that a worker tells, one JSON object a line, with a version and a running number."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AliasChoices, BaseModel, ConfigDict, Field

from studio.domain.measures import Measure

VERSION = 1


class Event(BaseModel):
    """Base of all events; ``seq`` counts from 1 within a run directory or a process. t: seconds since the epoch."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    v: int = VERSION
    seq: int = 0
    t: float = 0.0


class Started(Event):
    """The worker is at work. ``pid_started_at`` (psutil create_time) and ``token`` tell this process from another."""

    type: Literal["started"] = "started"
    job: str
    pid: int
    pid_started_at: float
    token: str = ""
    attempt: int = 1
    device: str = ""
    dtype: str = ""
    threads: int = 0


class Phase(Event):
    """What the worker is doing now, as a stable name: loading_model, reading_rows, tokenising, measuring,
    base_evaluation, training, evaluating, answering_probes, saving, comparing, scanning, writing, hashing, …"""

    type: Literal["phase"] = "phase"
    name: str


class Progress(Event):
    """How far a phase is; ``total`` is None when unknown. rate in units per second."""

    type: Literal["progress"] = "progress"
    phase: str
    done: int
    total: int | None = None
    unit: str = "rows"
    rate: float | None = None
    eta_s: float | None = None


class Planned(Event):
    """What the training run has before it: sizes, after the data was read."""

    type: Literal["planned"] = "planned"
    total_steps: int
    rows: int
    rows_cut: int
    real_tokens: int
    trained_tokens: int
    parameters: int
    trainable: int


class PreviewToken(BaseModel):
    """One token of the first batch as the model sees it."""

    text: str
    trained: bool


class BatchPreview(Event):
    """The first real batch: a list of tokens for each of its first rows."""

    type: Literal["batch_preview"] = "batch_preview"
    rows: list[list[PreviewToken]]


class Estimated(Event):
    """The fit check's result; ``estimate`` is domain.runs.FitEstimate as JSON."""

    type: Literal["estimated"] = "estimated"
    estimate: dict[str, Any]


class Step(Event):
    """One optimizer update. loss: mean over what is predicted (nats per token, …); tokens_per_s: units of real work."""

    type: Literal["step"] = "step"
    step: int
    total_steps: int
    epoch: float
    loss: float | None
    lr: float
    grad_norm: float | None
    tokens_per_s: float
    memory_bytes: int
    elapsed_s: float
    eta_s: float | None = None


class Evaluated(Event):
    """The model in training, tried on the validation split."""

    type: Literal["evaluated"] = "evaluated"
    step: int
    epoch: float
    loss: float | None
    perplexity: float | None
    rows: int
    is_best: bool
    metrics: dict[str, float] = {}


class ProbeAnswered(Event):
    """An answer to a fixed probe prompt; step 0 is the base model."""

    type: Literal["probe_answered"] = "probe_answered"
    step: int
    index: int
    prompt: str
    answer: str
    tokens: int
    seconds: float


class Compared(Event):
    """Base against tuned on the same held-out rows: the measure summed over each row, and the things predicted in it.

    metrics: named figures of the tuned model on these rows. Older attempts wrote nats and tokens.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)

    type: Literal["compared"] = "compared"
    split: str
    measure: Measure = Measure.SURPRISE
    base_scores: list[float] | None = Field(validation_alias=AliasChoices("base_scores", "base_nats"))
    tuned_scores: list[float] = Field(validation_alias=AliasChoices("tuned_scores", "tuned_nats"))
    targets: list[int] = Field(validation_alias=AliasChoices("targets", "tokens"))
    metrics: dict[str, float] = {}


class CheckpointSaved(Event):
    type: Literal["checkpoint_saved"] = "checkpoint_saved"
    step: int
    path: str
    size_bytes: int
    stall_s: float = 0.0


class Paused(Event):
    """The run holds still. code, message, hint: why, when it does so by itself; empty when it was asked to."""

    type: Literal["paused"] = "paused"
    step: int
    code: str = ""
    message: str = ""
    hint: str = ""


class Resumed(Event):
    """Training goes on, after a pause or in a new process; ``exact`` is False for an approximate resume."""

    type: Literal["resumed"] = "resumed"
    step: int
    exact: bool = True
    reason: str = ""


class Log(Event):
    type: Literal["log"] = "log"
    level: Literal["debug", "info", "warning", "error"]
    message: str


class ModelLoaded(Event):
    """A chat or predict worker has a model in ``slot``. architecture: of a predictor; labels: that it tells apart."""

    type: Literal["model_loaded"] = "model_loaded"
    slot: str
    name: str
    seconds: float
    memory_bytes: int
    architecture: str = ""
    labels: list[str] = []


class Token(Event):
    """A piece of an answer. ``probability`` of this token; alternatives as (text, probability)."""

    type: Literal["token"] = "token"
    request_id: str
    text: str
    probability: float | None = None
    alternatives: list[tuple[str, float]] = []


class Answered(Event):
    """An answer is complete. stop_reason: end | length | stopped."""

    type: Literal["answered"] = "answered"
    request_id: str
    slot: str
    text: str
    tokens: int
    first_token_s: float
    tokens_per_s: float
    seed: int
    stop_reason: Literal["end", "length", "stopped"]


class PredictedItem(BaseModel):
    """The answer to one input. labels: (label, probability), the likeliest first; chosen: those decided for; number:
    where one is asked for; items: (item, score), the best first; picture: an image file that was drawn;
    unknown_user: no training row has the user who was named, so that the answer is what is usual.
    """

    labels: list[tuple[str, float]] = []
    chosen: list[str] = []
    number: float | None = None
    items: list[tuple[str, float]] = []
    picture: str = ""
    unknown_user: bool = False


class Predicted(Event):
    """Answers to the inputs of a request, in their order; fewer than asked when it was stopped."""

    type: Literal["predicted"] = "predicted"
    request_id: str
    slot: str
    predictions: list[PredictedItem]
    seconds: float
    stopped: bool = False


class RequestFailed(Event):
    """One request of a long-lived worker failed; the worker goes on."""

    type: Literal["request_failed"] = "request_failed"
    request_id: str
    code: str
    message: str
    hint: str = ""


class Finished(Event):
    """Terminal: the job is done. ``result`` is the job's own result object."""

    type: Literal["finished"] = "finished"
    result: dict[str, Any] = {}


class Cancelled(Event):
    """Terminal: the job was cancelled and what it made was dropped."""

    type: Literal["cancelled"] = "cancelled"


class Failed(Event):
    """Terminal: what happened and what to do next; the traceback is for Details."""

    type: Literal["failed"] = "failed"
    code: str
    message: str
    hint: str = ""
    details: str = ""


AnyEvent = Annotated[
    Started | Phase | Progress | Planned | BatchPreview | Estimated | Step | Evaluated | ProbeAnswered | Compared
    | CheckpointSaved | Paused | Resumed | Log | ModelLoaded | Token | Answered | Predicted | RequestFailed | Finished
    | Cancelled | Failed,
    Field(discriminator="type"),
]  # fmt: skip
TERMINAL = (Finished, Cancelled, Failed)
