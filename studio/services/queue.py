"""The line of waiting runs: its order, and the hours in which a run may be under way.

A run whose hours are over is paused, which saves it, and then leaves its place: it waits in the queue again, so that
other runs may use the day, and goes on from its checkpoint when its hours come round.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time
from typing import Literal

from studio.domain.runs import Run, RunState
from studio.domain.schedules import RunSchedule, make_schedule, may_run, waiting_words
from studio.errors import StudioError
from studio.i18n import _
from studio.services import processes
from studio.services.ports import RunRepository
from studio.services.run_events import moved
from studio.services.run_watch import RunWatch

Place = int | Literal["first", "last", "up", "down"]
LOOK_EVERY_S = 2.0


def wall_clock() -> datetime:
    """Local time as it stands on the wall, without a zone."""
    return datetime.now()


class RunQueue:
    """RunService holds its lock around every call. pause, resume: of a run under way, by id."""

    def __init__(
        self, repository: RunRepository, watch: RunWatch, pause: Callable[[str], object],
        resume: Callable[[str], object], local: Callable[[], datetime] = wall_clock,
    ) -> None:  # fmt: skip
        self._repository = repository
        self._watch = watch
        self._pause = pause
        self._resume = resume
        self._local = local
        self._looked_at: datetime | None = None

    def reorder(self, run: Run, place: Place) -> None:
        """Move a waiting run: 1 is the first place. Raises StudioError ``queue.not_waiting``."""
        self._require_waiting(run)
        ids = [each.id for each in self._repository.queue()]
        now_at = ids.index(run.id)
        targets = {"first": 0, "last": len(ids) - 1, "up": now_at - 1, "down": now_at + 1}
        target = place - 1 if isinstance(place, int) else targets[place]
        self._repository.reorder(run.id, min(max(target, 0), len(ids) - 1))

    def schedule(self, run: Run, start: time, end: time | None) -> RunSchedule:
        """Let a waiting run start at a time of day, and rest from ``end`` on. Raises StudioError."""
        self._require_waiting(run)
        made = make_schedule(start, end, self._local())
        self._repository.set_schedule(run.id, made)
        return made

    def unschedule(self, run: Run) -> None:
        """Forget the run's hours."""
        self._repository.set_schedule(run.id, None)

    def may_start(self, run: Run) -> bool:
        """Whether only its turn keeps a waiting run from starting."""
        return may_run(run.schedule, self._local())

    def waiting_words(self, run: Run) -> str:
        """``waits until 22:00``; empty when the run may start."""
        return waiting_words(run.schedule, self._local()) if run.state is RunState.QUEUED else ""

    def look(self) -> bool:
        """Keep the hours of the runs under way; True when the queue is worth a look. Cheap: often does nothing."""
        local, before = self._local(), self._looked_at
        if before is not None and 0 <= (local - before).total_seconds() < LOOK_EVERY_S:
            return False
        self._looked_at = local
        freed = [self._keep_hours(run, local) for run in self._repository.scheduled()]
        return any(freed) or self._some_due(before, local)

    def _some_due(self, before: datetime | None, local: datetime) -> bool:
        """Whether a waiting run may start now that could not at the last look."""
        waiting = [
            run
            for run in self._repository.queue()
            if run.schedule is not None and may_run(run.schedule, local)
        ]
        return any(before is None or not may_run(run.schedule, before) for run in waiting)

    def _keep_hours(self, run: Run, local: datetime) -> bool:
        """True when the run gave up its place."""
        schedule = run.schedule
        assert schedule is not None
        if may_run(schedule, local):
            if run.state is RunState.PAUSED and schedule.leaving:
                self._resume(run.id)
            if schedule.leaving and run.state is not RunState.INTERRUPTED:
                self._mark(run, schedule, leaving=False)
            return (
                schedule.leaving and run.state is RunState.INTERRUPTED and self._back_into_line(run, schedule)
            )
        if run.state is RunState.RUNNING and not schedule.leaving:
            self._mark(run, schedule, leaving=True)
            self._pause(run.id)
        elif run.state is RunState.PAUSED and schedule.leaving and run.plan.placement.kind != "ray":
            self._end(run)  # it is saved; a job on a cluster rests where it is
        elif run.state is RunState.INTERRUPTED and schedule.leaving:
            return self._back_into_line(run, schedule)
        return False

    def _end(self, run: Run) -> None:
        worker = self._watch.worker(run.id)
        if worker is not None:
            processes.kill_tree(worker)

    def _back_into_line(self, run: Run, schedule: RunSchedule) -> bool:
        run = replace(moved(run, RunState.QUEUED), error_code="", error_message="", ended_at=None)
        self._mark(run, schedule, leaving=False)
        self._repository.requeue(run)
        return True

    def _mark(self, run: Run, schedule: RunSchedule, *, leaving: bool) -> None:
        self._repository.set_schedule(run.id, schedule.model_copy(update={"leaving": leaving}))

    def _require_waiting(self, run: Run) -> None:
        if run.state is not RunState.QUEUED:
            raise StudioError(
                "queue.not_waiting", _("“{name}” does not wait in the queue.").format(name=run.name),
                _("Only waiting runs can be moved or given hours."),
            )  # fmt: skip
