"""Services over a real database in a temporary folder, with trainers that need no torch."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from studio.domain.architectures import Method
from studio.domain.datasets import DatasetVersion
from studio.domain.runs import Run, RunPlan, RunState
from studio.domain.specs import TrainSpec
from studio.paths import WorkspacePaths
from studio.protocol.events import Event, Finished
from studio.services.changes import ChangeBus, Changes
from studio.services.children import spawn_detached
from studio.services.folds import FoldService
from studio.services.queue import wall_clock
from studio.services.run_plans import RunPlanner
from studio.services.run_watch import RunWatch
from studio.services.runs import RunService
from studio.services.searches import SearchService
from studio.services.settings import SettingsService
from studio.store.backup import BackupKeeper
from studio.store.database import Database
from studio.store.datasets import SqlDatasets
from studio.store.matrices import SqlMatrices
from studio.store.migrating import open_database
from studio.store.records import SqlDecisions
from studio.store.runs import SqlRuns
from studio.store.searches import SqlSearches
from tests.helpers import builders

TRAINER = Path(__file__).parents[2] / "helpers" / "fake_trainer.py"


class FakePages:
    """Rows of every dataset folder."""

    def __init__(self, rows: list[dict[str, str]] | None = None) -> None:
        self.all = rows or [
            {"row": str(n), "split": "validation" if n % 2 else "train", "prompt": f"q{n}", "response": "a"}
            for n in range(20)
        ]

    def columns(self, dataset_dir: Path) -> list[str]:
        return list(self.all[0])

    def page(self, dataset_dir: Path, offset: int, limit: int) -> list[dict[str, str]]:
        return self.all[offset : offset + limit]

    def rows(self, dataset_dir: Path, numbers: Sequence[int]) -> list[dict[str, str]]:
        by_number = {int(row["row"]): row for row in self.all}
        return [by_number[number] for number in numbers if number in by_number]

    def find(
        self, dataset_dir: Path, text: str, columns: Sequence[str] = (), offset: int = 0, limit: int = 200
    ) -> list[int]:
        found = [int(row["row"]) for row in self.all if any(text in row[name] for name in columns or row)]
        return found[offset : offset + limit]


@dataclass
class FakeJobs:
    """run_job without a child: keeps what was asked, says ``events``, gives ``result`` or raises ``problem``."""

    result: dict[str, Any] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    problem: Exception | None = None
    asked: list[tuple[list[str], Any]] = field(default_factory=list)
    effect: Callable[[Any], dict[str, Any]] | None = None

    def __call__(
        self, args: Any, payload: Any = None, on_event: Any = None, cancel: Any = None, timeout_s: Any = None
    ) -> Finished:
        self.asked.append((list(args), payload))
        for event in self.events:
            if on_event:
                on_event(event)
        if self.problem is not None:
            raise self.problem
        return Finished(result=self.effect(payload) if self.effect else self.result)


@dataclass
class Studio:
    """One open workspace whose trainers do what ``trainer`` says (see helpers/fake_trainer.py)."""

    root: Path
    trainer: str = "finish"
    jobs: FakeJobs = field(default_factory=FakeJobs)
    heard: list[Changes] = field(default_factory=list)
    local: Callable[[], datetime] = wall_clock

    def __post_init__(self) -> None:
        self.paths = WorkspacePaths(self.root)
        self.paths.create()
        self.database: Database = open_database(self.paths.database, self.paths.backups)
        self.changes = ChangeBus()
        self.changes.subscribe(self.heard.append)
        self.settings = SettingsService(self.root / "settings.json", self.changes)
        self.datasets, self.matrices = SqlDatasets(self.database), SqlMatrices(self.database)
        self.repository, self.decisions = SqlRuns(self.database), SqlDecisions(self.database)
        self.watch = RunWatch(self.repository, self.paths.run, self.changes, self._spawn)
        planner = RunPlanner(self.datasets, FakePages(), self.paths, self.jobs, power_kw=lambda: 0.36)
        self.runs = RunService(
            self.repository, self.matrices, planner, self.watch,
            self.paths, self.settings, self.changes, BackupKeeper(self.database, self.paths.backups), self.local,
        )  # fmt: skip
        self.folds = FoldService(self.datasets, self.runs)
        self.searches = SearchService(
            SqlSearches(self.database), self.datasets, self.runs, self.paths, self.changes
        )
        self.runs.attend(self.searches.attend)

    def _spawn(self, args: list[str], run_dir: Path) -> Any:
        return spawn_detached(
            args, run_dir, lambda *words: [sys.executable, str(TRAINER), self.trainer, *words]
        )

    def data(self) -> DatasetVersion:
        made = builders.dataset()
        builders.write_rows(self.paths.dataset(made.id))
        self.datasets.add(made)
        return made

    def plan(self, name: str = "A run") -> RunPlan:
        return self.runs.plan(None, self.data().id, None, TrainSpec(method=Method.SCRATCH), name)

    def queued(self, name: str = "A run") -> Run:
        return self.runs.enqueue(self.plan(name), None)

    def wait(self, run_id: str, *states: RunState, timeout_s: float = 30) -> Run:
        """Poll as a follower does until the run is in one of the states."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            self.runs.poll()
            run = self.runs.get(run_id)
            if run.state in states:
                return run
            time.sleep(0.02)
        raise AssertionError(f"{run_id} is {self.runs.get(run_id).state}, not {states}")

    def close(self) -> None:
        self.runs.close()
        self.database.close()


@pytest.fixture
def jobs() -> FakeJobs:
    return FakeJobs()


@pytest.fixture
def studio(tmp_path: Path) -> Iterator[Studio]:
    made = Studio(tmp_path / "w")
    yield made
    for run in made.runs.active():
        worker = made.watch.worker(run.id)
        if worker is not None:
            worker.kill()
            worker.wait(10)
    made.close()
