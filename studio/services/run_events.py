"""What a run's events mean for what is remembered of it: the same events in the same order give the same rows, always.

Pure: no clock of its own, no store, no process. Events that are already applied (by ``seq``) change nothing. When an
attempt goes on from an earlier checkpoint, what the older attempt told of later steps is discarded.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import PurePath
from typing import TypeVar

from pydantic import TypeAdapter, ValidationError

from studio.domain.runs import (
    CheckpointInfo,
    EvalMetrics,
    ProbeAnswer,
    Run,
    RunState,
    RunSummary,
    StepMetrics,
    check_transition,
)
from studio.domain.values import now
from studio.i18n import _
from studio.protocol import events as ev
from studio.services.ports import RunUpdate

M = TypeVar("M", StepMetrics, EvalMetrics)
_summaries: TypeAdapter[RunSummary] = TypeAdapter(RunSummary)
_OVER = frozenset({RunState.DONE, RunState.CANCELLED})
# A replay may have missed the start of what it sees the end of; it then passes through the states in between.
_VIA: dict[RunState, tuple[RunState, ...]] = {
    RunState.QUEUED: (RunState.RUNNING,),
    RunState.INTERRUPTED: (RunState.RUNNING,),
    RunState.FAILED: (RunState.QUEUED, RunState.RUNNING),
}


def project(run: Run, events: Iterable[ev.Event]) -> RunUpdate:
    """The run after these events, with the rows that they add; raises nothing for events that make no sense."""
    projection = _Projection(run)
    for event in events:
        projection.take(event)
    return projection.update()


def moved(run: Run, state: RunState) -> Run:
    """The run in another state, through the states that must lie between. Raises StudioError ``run.transition``."""
    if run.state is state:
        return run
    route = [between for between in _VIA.get(run.state, ()) if between is not state]
    if run.state is RunState.QUEUED and state in (RunState.CANCELLED, RunState.FAILED):
        route = []
    if state is RunState.QUEUED or (run.state is RunState.INTERRUPTED and state is RunState.CANCELLED):
        route = []
    for step in (*route, state):
        check_transition(run.state, step)
        run = replace(run, state=step)
    return run


def kept_evals(before: Iterable[EvalMetrics], update: RunUpdate) -> list[EvalMetrics]:
    """All evaluations of the run once ``update`` is applied, by step."""
    return _kept(before, update.evals, update.rewind_to)


def kept_losses(before: Iterable[StepMetrics], update: RunUpdate) -> list[float]:
    """The training losses of the run once ``update`` is applied, by step; without what was no number."""
    return [s.loss for s in _kept(before, update.steps, update.rewind_to) if s.loss is not None]


def _kept(before: Iterable[M], added: Iterable[M], rewind_to: int | None) -> list[M]:
    limit = math.inf if rewind_to is None else rewind_to
    merged = {each.step: each for each in before if each.step <= limit} | {each.step: each for each in added}
    return [merged[step] for step in sorted(merged)]


class _Projection:
    def __init__(self, run: Run) -> None:
        self.run = run
        self.rewind_to: int | None = None
        self.steps: dict[int, StepMetrics] = {}
        self.evals: dict[int, EvalMetrics] = {}
        self.probes: dict[tuple[int, int], ProbeAnswer] = {}
        self.checkpoints: dict[int, CheckpointInfo] = {}
        self.comparison: ev.Compared | None = None

    def update(self) -> RunUpdate:
        return RunUpdate(
            run=self.run, rewind_to=self.rewind_to, steps=tuple(self.steps.values()),
            evals=tuple(self.evals.values()), probes=tuple(self.probes.values()),
            checkpoints=tuple(self.checkpoints.values()), comparison=self.comparison,
        )  # fmt: skip

    def take(self, event: ev.Event) -> None:
        if event.seq <= self.run.applied_seq:
            return
        over = self.run.state in _OVER or (
            self.run.state is RunState.FAILED and not isinstance(event, ev.Started)
        )
        if not over:
            self._apply(event)
        self.run = replace(self.run, applied_seq=event.seq)

    def _apply(self, event: ev.Event) -> None:
        match event:
            case ev.Started():
                self._started(event)
            case ev.Planned():
                self.run = replace(self.run, total_steps=event.total_steps)
            case ev.Step():
                self._step(event)
            case ev.Evaluated():
                self._evaluated(event)
            case ev.ProbeAnswered():
                answer = ProbeAnswer(event.step, event.index, event.prompt, event.answer)
                self.probes[event.step, event.index] = answer
            case ev.Compared():
                self.comparison = event
            case ev.CheckpointSaved():
                path = f"checkpoints/{PurePath(event.path).name}"
                self.checkpoints[event.step] = CheckpointInfo(event.step, path, event.size_bytes, _at(event))
            case ev.Paused():
                self.run = replace(
                    moved(self.run, RunState.PAUSED), error_code=event.code,
                    error_message=f"{event.message} {event.hint}".strip(),
                )  # fmt: skip
            case ev.Resumed():
                self.run = replace(moved(self.run, RunState.RUNNING), error_code="", error_message="")
                self._rewind(event.step)
            case ev.Finished() | ev.Cancelled() | ev.Failed():
                self._ended(event)

    def _started(self, event: ev.Started) -> None:
        attempt = self.run.attempt + (event.token != self.run.token)  # each attempt has a token of its own
        self.run = replace(
            moved(self.run, RunState.RUNNING), attempt=max(event.attempt, attempt), pid=event.pid,
            pid_started_at=event.pid_started_at, token=event.token, error_code="", error_message="", ended_at=None,
            started_at=self.run.started_at or _at(event),
        )  # fmt: skip

    def _step(self, event: ev.Step) -> None:
        if event.step <= self.run.step:
            self._rewind(event.step - 1)
        self.steps[event.step] = StepMetrics(
            event.step, event.epoch, event.loss, event.lr, event.grad_norm, event.tokens_per_s, event.memory_bytes,
            event.elapsed_s,
        )  # fmt: skip
        self.run = replace(
            self.run, step=event.step, total_steps=event.total_steps, last_loss=event.loss, eta_s=event.eta_s
        )

    def _evaluated(self, event: ev.Evaluated) -> None:
        if event.loss is None:  # not a number: nothing that a curve could show
            return
        perplexity = math.inf if event.perplexity is None else event.perplexity
        self.evals[event.step] = EvalMetrics(
            event.step, event.epoch, event.loss, perplexity, event.rows, event.is_best, event.metrics
        )

    def _rewind(self, step: int) -> None:
        if step >= self.run.step:
            return
        self.rewind_to = step if self.rewind_to is None else min(step, self.rewind_to)
        self.steps = {key: row for key, row in self.steps.items() if key <= step}
        self.evals = {key: row for key, row in self.evals.items() if key <= step}
        self.probes = {key: row for key, row in self.probes.items() if key[0] <= step}
        self.checkpoints = {key: row for key, row in self.checkpoints.items() if key <= step}
        self.run = replace(self.run, step=step)

    def _ended(self, event: ev.Finished | ev.Cancelled | ev.Failed) -> None:
        at = _at(event)
        if isinstance(event, ev.Cancelled):
            self.run = replace(moved(self.run, RunState.CANCELLED), ended_at=at, eta_s=None)
        elif isinstance(event, ev.Failed):
            self._failed(event.code, f"{event.message} {event.hint}".strip(), at)
        else:
            self._finished(event, at)

    def _finished(self, event: ev.Finished, at: datetime) -> None:
        try:
            summary = _summaries.validate_python(event.result)
        except ValidationError:
            self._failed("run.bad_result", _("The training ended with a result that cannot be read."), at)
            return
        self.run = replace(moved(self.run, RunState.DONE), summary=summary, ended_at=at, eta_s=None)

    def _failed(self, code: str, message: str, at: datetime) -> None:
        self.run = replace(
            moved(self.run, RunState.FAILED), error_code=code, error_message=message, ended_at=at, eta_s=None
        )


def _at(event: ev.Event) -> datetime:
    return datetime.fromtimestamp(event.t, UTC) if event.t > 0 else now()
