"""Searches and their trials, in the database. What never changes of a search is one document."""

from __future__ import annotations

import builtins
from typing import Any

from sqlalchemy import Row, Select, select

from studio.domain.searches import Search, SearchState, Trial
from studio.store.database import Database
from studio.store.schema import searches, trials

_FIXED = {"plan", "space", "budget", "seed", "product_id"}
_NEWEST = (searches.c.created_at.desc(), searches.c.id)


class SqlSearches:
    """Implements services.ports.SearchRepository."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, search: Search) -> None:
        document = search.model_dump(mode="json", include=_FIXED)
        with self._database.write() as connection:
            connection.execute(
                searches.insert().values(
                    id=search.id, document=document, dataset_id=search.plan.dataset_id,
                    created_at=search.created_at, deleted=False, **_changing(search),
                )
            )  # fmt: skip

    def get(self, search_id: str) -> Search | None:
        return next(iter(self._load(select(searches).where(searches.c.id == search_id))), None)

    def list(self) -> list[Search]:
        return self._load(select(searches).where(~searches.c.deleted).order_by(*_NEWEST))

    def running(self) -> builtins.list[Search]:
        chosen = select(searches).where(searches.c.state == SearchState.RUNNING.value)
        return self._load(chosen.order_by(searches.c.created_at, searches.c.id))

    def save(self, search: Search) -> None:
        with self._database.write() as connection:
            connection.execute(
                searches.update().where(searches.c.id == search.id).values(**_changing(search))
            )

    def put_trial(self, search_id: str, trial: Trial) -> None:
        values = trial.model_dump(mode="json")
        with self._database.write() as connection:
            connection.execute(
                trials.insert().prefix_with("OR REPLACE").values(search_id=search_id, **values)
            )

    def set_deleted(self, search_id: str, deleted: bool) -> None:
        with self._database.write() as connection:
            connection.execute(searches.update().where(searches.c.id == search_id).values(deleted=deleted))

    def _load(self, chosen: Select[Any]) -> builtins.list[Search]:
        found: dict[str, builtins.list[Trial]] = {}
        with self._database.read() as connection:
            rows = connection.execute(chosen).all()
            wanted = select(trials).where(trials.c.search_id.in_([row.id for row in rows]))
            for trial in connection.execute(wanted.order_by(trials.c.number)) if rows else ():
                found.setdefault(trial.search_id, []).append(_trial(trial))
        return [_search(row, found.get(row.id, [])) for row in rows]


def _changing(search: Search) -> dict[str, Any]:
    return {
        "name": search.name, "state": search.state.value, "reason": search.reason, "ended_at": search.ended_at,
    }  # fmt: skip


def _trial(row: Row[Any]) -> Trial:
    return Trial.model_validate({name: getattr(row, name) for name in Trial.model_fields})


def _search(row: Row[Any], tried: builtins.list[Trial]) -> Search:
    return Search.model_validate(
        {
            **row.document, "id": row.id, "name": row.name, "state": row.state, "reason": row.reason,
            "created_at": row.created_at, "ended_at": row.ended_at, "trials": tried,
        }
    )  # fmt: skip
