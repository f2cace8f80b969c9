"""Searches for good settings: one short run after the other in the queue, until the budget is used up.

A state machine over what is stored: each look moves a search by one step, and any step may be the last before a crash.
A trial is stored before its run is queued, with the run's id, so that it is queued again when that did not happen.
"""

from __future__ import annotations

import builtins
import logging
import threading
import time
from collections.abc import Callable, Mapping

from studio.domain.datasets import Split
from studio.domain.folds import best_values
from studio.domain.ids import new_id
from studio.domain.runs import Run, RunPlan, RunState
from studio.domain.search_space import Dimension, searchable
from studio.domain.searches import Budget, Search, SearchState, Trial, TrialState, best_spec, trial_spec
from studio.domain.specs import TrainSpec
from studio.domain.values import now
from studio.errors import NotFoundError, StudioError
from studio.i18n import _
from studio.paths import WorkspacePaths
from studio.services import proposals
from studio.services.changes import ChangeBus, Changes
from studio.services.ports import DatasetRepository, SearchRepository
from studio.services.run_watch import drop_results
from studio.services.runs import RunService
from studio.words import listed

log = logging.getLogger(__name__)

LOOK_EVERY_S = 1.0
MOST_ATTEMPTS = 3  # of one trial whose process disappears
MOST_FAILURES = 3  # trials in a row
OUT_OF_MEMORY = "run.out_of_memory"


class SearchService:
    """The searches of a workspace. ``attend`` is called after each poll of the runs."""

    def __init__(
        self, repository: SearchRepository, datasets: DatasetRepository, runs: RunService, paths: WorkspacePaths,
        changes: ChangeBus, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        self._repository = repository
        self._datasets = datasets
        self._runs = runs
        self._paths = paths
        self._changes = changes
        self._clock = clock
        self._lock = threading.RLock()
        self._looked_at = float("-inf")
        self._some_running = True

    def start(
        self, plan: RunPlan, space: Mapping[str, Dimension], budget: Budget, *, name: str = "",
        product_id: str | None = None, seed: int | None = None,
    ) -> Search:  # fmt: skip
        """Begin a search over runs like ``plan``. Raises StudioError ``search.*``; ResourceError ``run.no_disk``."""
        self._check(plan, space, budget)
        search = Search(
            name=name.strip() or _("Search: {name}").format(name=plan.name), plan=plan, space=dict(space),
            budget=budget, product_id=product_id, seed=plan.spec.seed if seed is None else seed,
        )  # fmt: skip
        with self._lock:
            self._repository.add(search)
            self._some_running = True
            self._step(search)
        self._changes.publish(Changes.RUNS)
        return self.get(search.id)

    def get(self, search_id: str) -> Search:
        """One search. Raises NotFoundError ``search.unknown``."""
        search = self._repository.get(search_id)
        if search is None:
            raise NotFoundError("search.unknown", _("This search is not in the workspace any more."))
        return search

    def list(self) -> list[Search]:
        """Searches that are not in the bin, newest first."""
        return self._repository.list()

    def running(self) -> builtins.list[Search]:
        """Searches that go on."""
        return self._repository.running()

    def best_spec(self, search_id: str) -> TrainSpec:
        """The settings of the best trial, to train with. Raises StudioError ``search.no_result``."""
        return best_spec(self.get(search_id))

    def stop(self, search_id: str) -> Search:
        """End the search; the trial under way is dropped, what was found stays. It can go on later."""
        with self._lock:
            search = self.get(search_id)
            if search.state is SearchState.RUNNING:
                trial = search.under_way
                if trial is not None:
                    self._drop_run(trial)
                    self._close(search, trial, TrialState.FAILED, _("Stopped"))
                self._end(self.get(search_id), SearchState.STOPPED, "")
        return self.get(search_id)

    def resume(self, search_id: str) -> Search:
        """Let a stopped or failed search go on. Raises StudioError ``search.spent`` when its budget is used up."""
        with self._lock:
            search = self.get(search_id)
            if search.spent:
                raise StudioError(
                    "search.spent", _("The budget of this search is used up."), _("Start another search.")
                )
            search = search.model_copy(update={"state": SearchState.RUNNING, "reason": "", "ended_at": None})
            self._repository.save(search)
            self._some_running = True
        self._changes.publish(Changes.RUNS)
        return search

    def delete(self, search_id: str) -> Changes:
        """Put an ended search into the bin. Raises StudioError ``search.under_way``."""
        if self.get(search_id).state is SearchState.RUNNING:
            raise StudioError("search.under_way", _("This search is under way."), _("Stop it first."))
        self._repository.set_deleted(search_id, True)
        return self._changes.publish(Changes.RUNS)

    def restore(self, search_id: str) -> Changes:
        """Take a search out of the bin."""
        self._repository.set_deleted(search_id, False)
        return self._changes.publish(Changes.RUNS)

    def attend(self, heard: bool) -> None:
        """Move every running search by one step, when there is news or a second has passed."""
        if not self._some_running or (not heard and self._clock() - self._looked_at < LOOK_EVERY_S):
            return
        with self._lock:
            self._looked_at = self._clock()
            running = self._repository.running()
            self._some_running = bool(running)
            for search in running:
                self._step(search)

    def _check(self, plan: RunPlan, space: Mapping[str, Dimension], budget: Budget) -> None:
        able = searchable(plan.spec, plan.shape)
        if wrong := [name for name in space if name not in able]:
            raise StudioError(
                "search.unfit_field",
                _("“{name}” means nothing for this kind of model and data.").format(name=wrong[0]),
                _("Those that can be searched: {names}").format(names=listed(able)),
            )  # fmt: skip
        if not space:
            raise StudioError(
                "search.empty",
                _("Nothing was chosen to search."),
                _("Choose at least one setting and its range."),
            )
        if budget.trials is None and budget.minutes is None:
            raise StudioError(
                "search.endless",
                _("The search has no end."),
                _("Say how many trials or minutes it may take."),
            )
        dataset = self._datasets.get(plan.dataset_id)
        if dataset is None or not dataset.splits.get(Split.VALIDATION):
            raise StudioError(
                "search.no_validation",
                _("“{name}” has no validation rows to judge by.").format(name=plan.dataset_name),
                _("Split the data anew, with a share for validation."),
            )  # fmt: skip

    def _step(self, search: Search) -> None:
        try:
            trial = search.under_way
            if trial is None:
                self._next(search)
            else:
                self._look_at(search, trial)
        except StudioError as problem:
            if problem.code.startswith("store."):  # the next look tries again
                log.exception("The search %s waits for the store", search.id)
                return
            self._end(search, SearchState.FAILED, str(problem))

    def _next(self, search: Search) -> None:
        last = search.trials[-MOST_FAILURES:]
        if search.spent:
            self._end(search, SearchState.DONE, "")
        elif len(last) == MOST_FAILURES and all(trial.state is TrialState.FAILED for trial in last):
            self._end(search, SearchState.FAILED, last[-1].note)
        elif (settings := proposals.propose(search)) is None:
            self._end(search, SearchState.DONE, _("Every combination was tried."))
        else:
            trial = Trial(number=len(search.trials) + 1, run_id=new_id(), settings=settings)
            self._repository.put_trial(search.id, trial)
            self._queue(search, trial)

    def _queue(self, search: Search, trial: Trial) -> None:
        """Put the trial's run into the queue: it never sees the test rows and answers no probes."""
        plan = search.plan.model_copy(
            update={
                "run_id": trial.run_id, "spec": trial_spec(search, trial.settings), "compare": False, "probes": [],
                "name": _("{search} · trial {number}").format(search=search.name, number=trial.number),
            }
        )  # fmt: skip
        self._runs.enqueue_all([Run(plan=plan, search_id=search.id)])

    def _look_at(self, search: Search, trial: Trial) -> None:
        try:
            run = self._runs.get(trial.run_id)
        except NotFoundError:  # the program ended between the two writes
            self._queue(search, trial)
            return
        trial = self._with_checks(trial)
        if run.state is RunState.DONE:
            self._finish(search, trial, run)
        elif run.state in (RunState.FAILED, RunState.CANCELLED):
            self._close(search, trial, TrialState.FAILED, run.error_message or _("Cancelled"), _seconds(run))
        elif run.state is RunState.INTERRUPTED and run.attempt < MOST_ATTEMPTS:
            self._runs.resume_interrupted(run.id)
        elif run.state is RunState.INTERRUPTED or _waits_for_somebody(run):
            self._drop_run(trial)
            self._close(search, trial, TrialState.FAILED, run.error_message, _seconds(run))
        elif run.state is RunState.RUNNING:
            self._judge(search, trial)

    def _with_checks(self, trial: Trial) -> Trial:
        checks = tuple(check.loss for check in self._runs.evals(trial.run_id) if check.step > 0)
        return trial.model_copy(update={"checks": checks})

    def _judge(self, search: Search, trial: Trial) -> None:
        """Store new checks of a trial under way; end it when it stands worse than most."""
        before = next(each for each in search.trials if each.number == trial.number)
        if trial.checks == before.checks or before.pruned:
            return
        if proposals.should_end(search, trial):
            trial = trial.model_copy(update={"pruned": True})
        self._put(search, trial)
        if trial.pruned:
            self._runs.stop(trial.run_id)

    def _finish(self, search: Search, trial: Trial, run: Run) -> None:
        value = best_values(self._runs.evals(run.id)).get("loss")
        if value is None:
            note = _("It was never checked on the validation rows.")
            self._close(search, trial, TrialState.FAILED, note, _seconds(run))
            return
        state = TrialState.PRUNED if trial.pruned else TrialState.DONE
        self._close(search, trial.model_copy(update={"value": value}), state, "", _seconds(run))

    def _close(
        self, search: Search, trial: Trial, state: TrialState, note: str, seconds: float = 0.0
    ) -> None:
        self._put(search, trial.model_copy(update={"state": state, "note": note, "seconds": seconds}))
        self._sweep(self.get(search.id))

    def _sweep(self, search: Search) -> None:
        """Only the best trial keeps its checkpoints and model."""
        best = search.best
        for trial in search.trials:
            if trial.state is not TrialState.RUNNING and (best is None or trial.number != best.number):
                drop_results(self._paths.run(trial.run_id))

    def _put(self, search: Search, trial: Trial) -> None:
        self._repository.put_trial(search.id, trial)
        self._changes.publish(Changes.RUNS)

    def _end(self, search: Search, state: SearchState, reason: str) -> None:
        self._repository.save(search.model_copy(update={"state": state, "reason": reason, "ended_at": now()}))
        self._changes.publish(Changes.RUNS)

    def _drop_run(self, trial: Trial) -> None:
        try:
            self._runs.cancel(trial.run_id)
        except StudioError as problem:  # it has ended, or was never queued
            log.info("The run of trial %d is not cancelled: %s", trial.number, problem)


def _waits_for_somebody(run: Run) -> bool:
    """Whether the run holds still until its settings are changed; a search has nobody to do that."""
    return run.state is RunState.PAUSED and run.error_code == OUT_OF_MEMORY


def _seconds(run: Run) -> float:
    """Of the whole run, with loading and checks."""
    if run.summary is not None:
        return run.summary.total_s or run.summary.seconds
    if run.started_at is None or run.ended_at is None:
        return 0.0
    return (run.ended_at - run.started_at).total_seconds()
