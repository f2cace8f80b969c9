"""A search for good settings: what is tried, for how long, and what each trial found."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from studio.domain.architectures import Architecture, Method
from studio.domain.ids import new_id
from studio.domain.runs import RunPlan
from studio.domain.search_space import Dimension, Setting, Settings, field_title, setting_words
from studio.domain.specs import MOST_PASSES, TrainSpec
from studio.domain.values import now
from studio.errors import StudioError
from studio.i18n import N_, _
from studio.words import listed


class SearchState(StrEnum):
    RUNNING = "running"
    DONE = "done"
    STOPPED = "stopped"  # by the user; can go on
    FAILED = "failed"


SEARCH_TITLES = {
    SearchState.RUNNING: N_("Searching"),
    SearchState.DONE: N_("Finished"),
    SearchState.STOPPED: N_("Stopped"),
    SearchState.FAILED: N_("Failed"),
}


class TrialState(StrEnum):
    RUNNING = "running"  # or waiting in the queue
    DONE = "done"
    PRUNED = "pruned"  # ended early: it stood worse than most at the same check
    FAILED = "failed"


TRIAL_TITLES = {
    TrialState.RUNNING: N_("Running"),
    TrialState.DONE: N_("Finished"),
    TrialState.PRUNED: N_("Ended early"),
    TrialState.FAILED: N_("Failed"),
}


class Budget(BaseModel):
    """When to end: after so many trials, or so many minutes of training; passes: over the data, in each trial."""

    model_config = ConfigDict(frozen=True)

    trials: int | None = Field(
        12, ge=1, le=1000, title=N_("Number of trials"),
        description=N_("Runs at most. Empty: as many as the minutes allow."),
        json_schema_extra={"empty": N_("No limit")},
    )  # fmt: skip
    minutes: float | None = Field(
        None, gt=0, le=60 * 24 * 30, title=N_("Minutes"),
        description=N_("Of training in all, at most. Empty: no limit."),
        json_schema_extra={"empty": N_("No limit")},
    )  # fmt: skip
    passes: float | None = Field(
        None, gt=0, le=MOST_PASSES, title=N_("Passes in each trial"),
        description=N_("Over the data; fewer are faster. Empty: as the run has."),
        json_schema_extra={"empty": N_("As the run has")},
    )  # fmt: skip


def usual_budget(spec: TrainSpec) -> Budget:
    """To begin with: trials as long as the run, for after fewer passes other settings are the best.

    One pass where a base that already writes is tuned: it shows as much there, and each pass takes long.
    """
    tunes = spec.architecture is Architecture.LANGUAGE_MODEL and spec.method is not Method.SCRATCH
    return Budget(passes=1.0 if tunes else spec.epochs)


def expected_seconds(budget: Budget, spec: TrainSpec, run_s: float) -> float:
    """Of the whole search at most, when a run with ``spec`` takes ``run_s`` seconds; infinite without an end."""
    trial_s = run_s * (budget.passes or spec.epochs) / spec.epochs
    trials = math.inf if budget.trials is None else budget.trials
    return min(trials * trial_s, math.inf if budget.minutes is None else budget.minutes * 60)


class Trial(BaseModel):
    """One try. value: its lowest validation loss; checks: validation losses in order."""

    model_config = ConfigDict(frozen=True)

    number: int
    run_id: str
    settings: Settings
    state: TrialState = TrialState.RUNNING
    pruned: bool = False  # was told to end early
    value: float | None = None
    checks: tuple[float, ...] = ()
    seconds: float = 0.0
    note: str = ""


class Search(BaseModel):
    """A search as remembered by the studio. plan: of the trials, with the settings that are not searched."""

    model_config = ConfigDict(frozen=True)

    id: str = Field(default_factory=new_id)
    name: str
    plan: RunPlan
    space: dict[str, Dimension]
    budget: Budget = Budget()
    seed: int = 0
    product_id: str | None = None
    state: SearchState = SearchState.RUNNING
    reason: str = ""
    created_at: datetime = Field(default_factory=now)
    ended_at: datetime | None = None
    trials: tuple[Trial, ...] = ()

    @property
    def under_way(self) -> Trial | None:
        """The trial that runs or waits; there is one at most."""
        return next((trial for trial in self.trials if trial.state is TrialState.RUNNING), None)

    @property
    def best(self) -> Trial | None:
        """The finished trial with the lowest validation loss."""
        return min(
            (trial for trial in self.trials if trial.state is TrialState.DONE and trial.value is not None),
            key=lambda trial: (trial.value, trial.number), default=None,
        )  # fmt: skip

    @property
    def minutes_used(self) -> float:
        return sum(trial.seconds for trial in self.trials) / 60

    @property
    def spent(self) -> bool:
        """Whether the budget is used up."""
        budget = self.budget
        tried = budget.trials is not None and len(self.trials) >= budget.trials
        return tried or (budget.minutes is not None and self.minutes_used >= budget.minutes)


def trial_spec(search: Search, settings: Mapping[str, Setting]) -> TrainSpec:
    """The settings of one trial. Raises pydantic.ValidationError for values that do not go together."""
    fields: dict[str, Any] = search.plan.spec.model_dump() | {"keep_checkpoints": 1}
    if search.budget.passes is not None:
        fields["epochs"] = search.budget.passes
    if search.budget.minutes is not None:
        left = max(search.budget.minutes - search.minutes_used, 1 / 60)
        fields["max_minutes"] = min(left, fields["max_minutes"] or math.inf)
    return TrainSpec.model_validate({**fields, **settings})


def goes_together(search: Search, settings: Mapping[str, Setting]) -> bool:
    """Whether these values can be one spec: the number of heads, say, must divide the width."""
    try:
        trial_spec(search, settings)
    except ValidationError:
        return False
    return True


def best_spec(search: Search) -> TrainSpec:
    """The settings to train with: those of the search, with the best trial's values.

    Raises StudioError ``search.no_result`` before a trial has finished.
    """
    if search.best is None:
        raise StudioError("search.no_result", _("No trial has finished yet."), _("Wait for the first one."))
    return spec_with(search, search.best)


def spec_with(search: Search, trial: Trial) -> TrainSpec:
    """The settings of the search with this trial's values, to train with."""
    return TrainSpec.model_validate({**search.plan.spec.model_dump(), **trial.settings})


def search_words(search: Search) -> str:
    """How far the search is and what it found, in one sentence or two."""
    tried = len([trial for trial in search.trials if trial.state is not TrialState.RUNNING])
    if search.best is None or search.best.value is None:
        return _("{n} trials have ended; none has a result yet.").format(n=tried)
    found = listed(
        _("{title} {value}").format(title=field_title(name), value=setting_words(name, value))
        for name, value in search.best.settings.items()
    )
    return _(
        "{n} trials have ended. The best, number {number}, has a validation loss of {loss} with: {settings}."
    ).format(n=tried, number=search.best.number, loss=f"{search.best.value:.4g}", settings=found)
