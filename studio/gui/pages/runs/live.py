"""What is known of one run, point by point: read from the database once, then kept up by events.

No widgets: the views draw what stands here whenever it is their turn.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from studio.domain.architectures import Architecture
from studio.domain.runs import EvalMetrics, ProbeAnswer, Run, RunState, StepMetrics
from studio.domain.shapes import TEXT_SHAPES
from studio.gui.widgets.plots_series import Series
from studio.protocol.events import (
    Cancelled,
    Evaluated,
    Event,
    Failed,
    Finished,
    Log,
    Paused,
    Phase,
    Planned,
    ProbeAnswered,
    Resumed,
    Started,
    Step,
)


@dataclass
class Stored:
    """What the database holds of a run."""

    run: Run
    steps: Sequence[StepMetrics] = ()
    evals: Sequence[EvalMetrics] = ()
    probes: Sequence[ProbeAnswer] = ()


@dataclass
class Curves:
    """Series over steps. loss in nats per trained token, or as the kind of model has it."""

    loss: Series = field(default_factory=Series)
    validation: Series = field(default_factory=Series)
    learning_rate: Series = field(default_factory=Series)
    grad_norm: Series = field(default_factory=Series)
    tokens_per_s: Series = field(default_factory=Series)
    memory_gib: Series = field(default_factory=Series)
    metrics: dict[str, Series] = field(default_factory=dict)  # named figures on the validation rows


class LiveRun:
    """The figures of one run as they are now.

    probes: step -> index -> answer; step 0 is the base model. probes_version rises when an answer is added.
    """

    def __init__(self, stored: Stored) -> None:
        run = stored.run
        self.run_id = run.id
        self.reads_text = run.plan.shape in TEXT_SHAPES  # work and loss are counted in tokens
        self.converses = run.plan.spec.architecture is Architecture.LANGUAGE_MODEL
        self.draws = run.plan.spec.architecture is Architecture.VAE
        self.state = run.state
        self.step, self.total_steps = run.step, run.total_steps
        self.loss, self.eta_s = run.last_loss, run.eta_s
        self.epoch = self.elapsed_s = self.tokens_per_s = 0.0
        self.phase = ""
        self.device = run.estimate.device if run.estimate else ""
        self.warnings: list[str] = []
        self.failure: Failed | None = None
        self.best: EvalMetrics | Evaluated | None = None
        self.curves = Curves()
        self.probes: dict[int, dict[int, ProbeAnswer]] = {}
        self.probes_version = 0
        self._fill(stored)

    def apply(self, events: Iterable[Event]) -> None:
        """Take in new events, in their order."""
        for event in events:
            if isinstance(event, Step):
                self._take_step(event)
            elif isinstance(event, Evaluated):
                self._take_evaluation(event)
            elif isinstance(event, ProbeAnswered):
                self._take_probe(ProbeAnswer(event.step, event.index, event.prompt, event.answer))
            else:
                self._take_state(event)

    def ended(self) -> bool:
        """Nothing more will come of itself."""
        return self.state not in (RunState.RUNNING, RunState.PAUSED, RunState.QUEUED)

    def _fill(self, stored: Stored) -> None:
        steps = stored.steps
        xs = [s.step for s in steps]
        self.curves.loss.replace(xs, [s.loss for s in steps])
        self.curves.learning_rate.replace(xs, [s.learning_rate for s in steps])
        self.curves.grad_norm.replace(xs, [s.grad_norm for s in steps])
        self.curves.tokens_per_s.replace(xs, [s.tokens_per_s for s in steps])
        self.curves.memory_gib.replace(xs, [s.memory_bytes / 2**30 for s in steps])
        for evaluation in stored.evals:
            self._take_evaluation(evaluation)
        for probe in stored.probes:
            self._take_probe(probe)
        if steps:
            last = steps[-1]
            self.step, self.epoch, self.loss = max(self.step, last.step), last.epoch, last.loss
            self.elapsed_s, self.tokens_per_s = last.elapsed_s, last.tokens_per_s

    def _take_step(self, event: Step) -> None:
        curves = self.curves
        curves.loss.append(event.step, event.loss)
        curves.learning_rate.append(event.step, event.lr)
        curves.grad_norm.append(event.step, event.grad_norm)
        curves.tokens_per_s.append(event.step, event.tokens_per_s)
        curves.memory_gib.append(event.step, event.memory_bytes / 2**30)
        self.step, self.total_steps, self.epoch = event.step, event.total_steps, event.epoch
        self.loss, self.eta_s = event.loss, event.eta_s
        self.elapsed_s, self.tokens_per_s = event.elapsed_s, event.tokens_per_s

    def _take_evaluation(self, event: Evaluated | EvalMetrics) -> None:
        self.curves.validation.append(event.step, event.loss)
        for name, value in event.metrics.items():
            self.curves.metrics.setdefault(name, Series()).append(event.step, value)
        if event.is_best:
            self.best = event

    def _take_probe(self, answer: ProbeAnswer) -> None:
        self.probes.setdefault(answer.step, {})[answer.index] = answer
        self.probes_version += 1

    def _take_state(self, event: Event) -> None:
        if isinstance(event, Started):
            self.state, self.device = RunState.RUNNING, event.device or self.device
        elif isinstance(event, Planned):
            self.total_steps = event.total_steps
        elif isinstance(event, Phase):
            self.phase = event.name
        elif isinstance(event, (Paused, Resumed)):
            self.state = RunState.PAUSED if isinstance(event, Paused) else RunState.RUNNING
        elif isinstance(event, Log) and event.level in ("warning", "error"):
            self.warnings.append(event.message)
        elif isinstance(event, Finished):
            self.state = RunState.DONE
        elif isinstance(event, Cancelled):
            self.state = RunState.CANCELLED
        elif isinstance(event, Failed):
            self.state, self.failure = RunState.FAILED, event
