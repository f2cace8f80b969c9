"""Runs and what they measured, in the database. A batch of events is one transaction; so is taking the lease."""

from __future__ import annotations

import builtins
from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from pydantic import TypeAdapter
from sqlalchemy import Connection, Row, Select, Table, func, select

from studio.domain.runs import (
    ACTIVE,
    CheckpointInfo,
    EvalMetrics,
    FitEstimate,
    ProbeAnswer,
    Run,
    RunPlan,
    RunState,
    RunSummary,
    StepMetrics,
)
from studio.domain.schedules import RunSchedule
from studio.domain.verdicts import Verdict
from studio.protocol.events import Compared
from studio.services.ports import RunUpdate
from studio.store.database import Database
from studio.store.schema import checkpoints, comparisons, decisions, evals, probes, runs, steps

_summaries: TypeAdapter[RunSummary] = TypeAdapter(RunSummary)
_ACTIVE = [state.value for state in sorted(ACTIVE)]


class SqlRuns:
    """Implements services.ports.RunRepository."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, *several: Run) -> None:
        with self._database.write() as connection:
            last = connection.scalar(select(func.coalesce(func.max(runs.c.queue_position), 0))) or 0
            for place, run in enumerate(several, last + 1):
                connection.execute(
                    runs.insert().values(
                        id=run.id, name=run.name, plan=run.plan.model_dump(mode="json"),
                        dataset_id=run.plan.dataset_id, product_id=run.product_id, created_at=run.created_at,
                        queue_position=place, deleted=False, search_id=run.search_id, folds_id=run.folds_id,
                        schedule=_schedule(run.schedule), **_changing(run),
                    )
                )  # fmt: skip

    def get(self, run_id: str) -> Run | None:
        return self._first(select(runs).where(runs.c.id == run_id))

    def list(
        self, product_id: str | None = None, limit: int = 100, offset: int = 0, *, trials: bool = False
    ) -> list[Run]:
        chosen = _shown(select(runs), product_id, trials=trials)
        return self._load(chosen.order_by(*_NEWEST).limit(limit).offset(offset))

    def count(self, product_id: str | None = None, *, trials: bool = False) -> int:
        chosen = _shown(select(func.count()).select_from(runs), product_id, trials=trials)
        with self._database.read() as connection:
            return connection.scalar(chosen) or 0

    def folds(self, folds_id: str | None = None) -> builtins.list[Run]:
        part = runs.c.folds_id.is_not(None) if folds_id is None else runs.c.folds_id == folds_id
        return self._load(select(runs).where(part & ~runs.c.deleted).order_by(*_NEWEST))

    def active(self) -> builtins.list[Run]:
        return self._load(select(runs).where(runs.c.state.in_(_ACTIVE)).order_by(*_NEWEST))

    def queue(self) -> builtins.list[Run]:
        return self._load(_queue())

    def latest(self, product_id: str) -> Run | None:
        return self._first(_shown(select(runs), product_id).order_by(*_NEWEST))

    def scheduled(self) -> builtins.list[Run]:
        begun = runs.c.state.in_([*_ACTIVE, RunState.INTERRUPTED.value])
        return self._load(select(runs).where(begun & runs.c.schedule.is_not(None)))

    def reorder(self, run_id: str, place: int) -> None:
        with self._database.write() as connection:
            waiting = [row.id for row in connection.execute(_queue())]
            if run_id not in waiting:
                return
            waiting.remove(run_id)
            waiting.insert(max(0, place), run_id)
            for position, each in enumerate(waiting, 1):
                connection.execute(runs.update().where(runs.c.id == each).values(queue_position=position))

    def set_schedule(self, run_id: str, schedule: RunSchedule | None) -> None:
        with self._database.write() as connection:
            chosen = runs.update().where(runs.c.id == run_id)
            connection.execute(chosen.values(schedule=_schedule(schedule)))

    def requeue(self, run: Run) -> None:
        with self._database.write() as connection:
            first = connection.scalar(select(func.coalesce(func.min(runs.c.queue_position), 0))) or 0
            chosen = runs.update().where(runs.c.id == run.id)
            connection.execute(chosen.values(queue_position=first - 1, **_changing(run)))

    def claim_next(self, at: datetime, may_start: Callable[[Run], bool] = lambda _run: True) -> Run | None:
        with self._database.write() as connection:  # no other transaction can write in between
            if connection.execute(select(runs.c.id).where(runs.c.state.in_(_ACTIVE)).limit(1)).first():
                return None
            waiting = (_run(row) for row in connection.execute(_queue()).all())
            run = next((each for each in waiting if may_start(each)), None)
            if run is None:
                return None
            run = replace(run, state=RunState.RUNNING, ended_at=None, error_code="", error_message="")
            run = replace(run, started_at=run.started_at or at, pid=None, pid_started_at=None, token="")
            _save(connection, run)
            return run

    def save(self, run: Run) -> None:
        with self._database.write() as connection:
            _save(connection, run)

    def rename(self, run_id: str, name: str) -> None:
        with self._database.write() as connection:
            connection.execute(runs.update().where(runs.c.id == run_id).values(name=name))

    def set_deleted(self, run_id: str, deleted: bool) -> None:
        with self._database.write() as connection:
            connection.execute(runs.update().where(runs.c.id == run_id).values(deleted=deleted))

    def apply(self, update: RunUpdate) -> None:
        run_id = update.run.id
        with self._database.write() as connection:
            if update.rewind_to is not None:
                for table in (steps, evals, probes, checkpoints):
                    too_late = (table.c.run_id == run_id) & (table.c.step > update.rewind_to)
                    connection.execute(table.delete().where(too_late))
            for table, rows in (
                (steps, update.steps), (evals, update.evals), (probes, update.probes),
                (checkpoints, update.checkpoints),
            ):  # fmt: skip
                _put(connection, table, run_id, rows)
            if update.comparison is not None:
                _put_comparison(connection, run_id, update.comparison)
            _save(connection, update.run)
            if update.verdict is not None:
                verdict = update.verdict.model_dump(mode="json")
                connection.execute(runs.update().where(runs.c.id == run_id).values(verdict=verdict))
            for decision in update.decisions:
                connection.execute(decisions.insert().values(**vars(decision)))

    def steps(self, run_id: str) -> builtins.list[StepMetrics]:
        return [StepMetrics(*tuple(row)) for row in self._rows(steps, run_id, StepMetrics)]

    def evals(self, run_id: str) -> builtins.list[EvalMetrics]:
        return [EvalMetrics(*tuple(row)) for row in self._rows(evals, run_id, EvalMetrics)]

    def probes(self, run_id: str) -> builtins.list[ProbeAnswer]:
        return [ProbeAnswer(*tuple(row)) for row in self._rows(probes, run_id, ProbeAnswer)]

    def checkpoints(self, run_id: str) -> builtins.list[CheckpointInfo]:
        return [CheckpointInfo(*tuple(row)) for row in self._rows(checkpoints, run_id, CheckpointInfo)]

    def verdict(self, run_id: str) -> Verdict | None:
        with self._database.read() as connection:
            document = connection.scalar(select(runs.c.verdict).where(runs.c.id == run_id))
        return Verdict.model_validate(document) if document else None

    def _rows(self, table: Table, run_id: str, kind: type) -> Sequence[Row[Any]]:
        columns = [table.c[name] for name in kind.__dataclass_fields__]  # type: ignore[attr-defined]
        order = [table.c.step, *([table.c.index] if "index" in table.c else [])]
        with self._database.read() as connection:
            return connection.execute(select(*columns).where(table.c.run_id == run_id).order_by(*order)).all()

    def _first(self, chosen: Select[Any]) -> Run | None:
        return next(iter(self._load(chosen.limit(1))), None)

    def _load(self, chosen: Select[Any]) -> builtins.list[Run]:
        with self._database.read() as connection:
            return [_run(row) for row in connection.execute(chosen)]


_NEWEST = (runs.c.created_at.desc(), runs.c.id)


def _queue() -> Select[Any]:
    return select(runs).where(runs.c.state == RunState.QUEUED.value).order_by(runs.c.queue_position)


def _shown(chosen: Select[Any], product_id: str | None, *, trials: bool = False) -> Select[Any]:
    chosen = chosen.where(~runs.c.deleted)
    if not trials:
        chosen = chosen.where(runs.c.search_id.is_(None))
    return chosen if product_id is None else chosen.where(runs.c.product_id == product_id)


def _save(connection: Connection, run: Run) -> None:
    connection.execute(runs.update().where(runs.c.id == run.id).values(**_changing(run)))


def _put(connection: Connection, table: Table, run_id: str, rows: Sequence[Any]) -> None:
    if rows:
        values = [{"run_id": run_id, **vars(row)} for row in rows]
        connection.execute(table.insert().prefix_with("OR REPLACE"), values)


def _put_comparison(connection: Connection, run_id: str, compared: Compared) -> None:
    connection.execute(
        comparisons.insert().prefix_with("OR REPLACE").values(
            run_id=run_id, split=compared.split, base_scores=compared.base_scores,
            tuned_scores=compared.tuned_scores, targets=compared.targets, measure=compared.measure.value,
            metrics=compared.metrics,
        )
    )  # fmt: skip


def _changing(run: Run) -> dict[str, Any]:
    """The columns that change while a run lives; its name and whether it is in the bin have their own calls."""
    return {
        "state": run.state.value, "attempt": run.attempt, "pid": run.pid, "pid_started_at": run.pid_started_at,
        "token": run.token, "applied_seq": run.applied_seq, "step": run.step, "total_steps": run.total_steps,
        "last_loss": run.last_loss, "eta_s": run.eta_s, "error_code": run.error_code,
        "error_message": run.error_message, "started_at": run.started_at, "ended_at": run.ended_at,
        "estimate": run.estimate.model_dump(mode="json") if run.estimate else None,
        "summary": asdict(run.summary) if run.summary else None,
    }  # fmt: skip


def _run(row: Row[Any]) -> Run:
    return Run(
        plan=RunPlan.model_validate({**row.plan, "name": row.name}), state=RunState(row.state),
        product_id=row.product_id, attempt=row.attempt, pid=row.pid, pid_started_at=row.pid_started_at, token=row.token,
        applied_seq=row.applied_seq, step=row.step, total_steps=row.total_steps, last_loss=row.last_loss,
        eta_s=row.eta_s, error_code=row.error_code, error_message=row.error_message,
        estimate=FitEstimate.model_validate(row.estimate) if row.estimate else None,
        summary=_summaries.validate_python(row.summary) if row.summary else None,
        created_at=row.created_at, started_at=row.started_at, ended_at=row.ended_at, deleted=row.deleted,
        schedule=RunSchedule.model_validate(row.schedule) if row.schedule else None,
        search_id=row.search_id, folds_id=row.folds_id,
    )  # fmt: skip


def _schedule(schedule: RunSchedule | None) -> dict[str, Any] | None:
    return schedule.model_dump(mode="json") if schedule else None
