"""What the services need from the outside: stored things, rows of a dataset, children. ``store`` implements them.

Every write of a repository is one transaction. Reads return frozen domain objects. Unknown ids give None.
"""

from __future__ import annotations

import builtins
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from studio.domain.basemodels import BaseModelInfo
from studio.domain.datasets import DatasetVersion, Split
from studio.domain.feedback import FeedbackItem
from studio.domain.findings import DoctorReport
from studio.domain.products import Matrix, Product, SynergyLink
from studio.domain.recipes import Recipe
from studio.domain.runs import CheckpointInfo, EvalMetrics, ProbeAnswer, Run, StepMetrics
from studio.domain.schedules import RunSchedule
from studio.domain.searches import Search, Trial
from studio.domain.statistics import DatasetStatistics
from studio.domain.verdicts import Verdict
from studio.protocol.events import Compared, Event, Finished


@dataclass(frozen=True)
class OutboundCall:
    """One host that the program contacted, and why."""

    host: str
    purpose: str
    at: datetime


@dataclass(frozen=True)
class Decision:
    """A line of the decision log. subject: ``run:<id>`` and the like; by: studio or user."""

    subject: str
    what: str
    why: str
    by: str
    at: datetime


@dataclass(frozen=True)
class RunUpdate:
    """What a batch of events changes: one transaction of the store.

    rewind_to: rows of steps after this one belong to an older attempt and are removed before the new are written.
    """

    run: Run
    rewind_to: int | None = None
    steps: tuple[StepMetrics, ...] = ()
    evals: tuple[EvalMetrics, ...] = ()
    probes: tuple[ProbeAnswer, ...] = ()
    checkpoints: tuple[CheckpointInfo, ...] = ()
    comparison: Compared | None = None
    verdict: Verdict | None = None
    decisions: tuple[Decision, ...] = field(default=())


@dataclass(frozen=True)
class DatasetFacts:
    """What a dataset card is written from. history: the versions from the import to this one, oldest first.

    statistics, report: None where nobody has measured or examined this version yet.
    """

    dataset: DatasetVersion
    history: tuple[DatasetVersion, ...]
    statistics: DatasetStatistics | None = None
    report: DoctorReport | None = None


class MatrixRepository(Protocol):
    def list(self) -> builtins.list[Matrix]: ...
    def get(self, matrix_id: str) -> Matrix | None: ...
    def sample(self, language: str) -> Matrix | None: ...
    def add(self, matrix: Matrix, sample_language: str = "") -> None: ...
    def update(self, matrix: Matrix) -> None: ...
    def set_deleted(self, matrix_id: str, deleted: bool) -> None: ...
    def save_product(self, matrix_id: str, product: Product) -> None: ...
    def set_product_deleted(self, product_id: str, deleted: bool) -> None: ...
    def deleted_products(self, matrix_id: str) -> builtins.list[Product]: ...
    def save_link(self, matrix_id: str, link: SynergyLink) -> None: ...
    def remove_link(self, link_id: str) -> None: ...
    def matrix_of(self, product_id: str) -> Matrix | None: ...


class DatasetRepository(Protocol):
    """Dataset versions. One that was undone is in the bin (``deleted``) and not in lists until it is redone."""

    def add(self, dataset: DatasetVersion) -> None:
        """Store a version; products that use its parent use it from now on."""

    def get(self, dataset_id: str) -> DatasetVersion | None: ...

    def list(self, include_deleted: bool = False) -> builtins.list[DatasetVersion]:
        """The newest version of each family, newest first."""

    def family(self, dataset_id: str, include_undone: bool = False) -> builtins.list[DatasetVersion]:
        """All versions of the family that this one belongs to, the highest number first."""

    def set_deleted(self, dataset_id: str, deleted: bool) -> None:
        """Put the whole family of this version into the bin, or take it out."""

    def set_undone(self, dataset_id: str, undone: bool) -> None:
        """Mark one version; products move between it and its parent."""

    def set_licence(self, dataset_id: str, licence: str) -> None:
        """State the licence of the whole family of this version."""


class RecipeRepository(Protocol):
    def add(self, recipe: Recipe) -> None: ...

    def list(self) -> builtins.list[Recipe]:
        """By name."""

    def rename(self, recipe_id: str, name: str) -> None: ...
    def set_deleted(self, recipe_id: str, deleted: bool) -> None: ...


class RunRepository(Protocol):
    def add(self, *several: Run) -> None:
        """Store new runs, at the end of the queue in this order."""

    def get(self, run_id: str) -> Run | None: ...
    def list(
        self, product_id: str | None = None, limit: int = 100, offset: int = 0, *, trials: bool = False
    ) -> builtins.list[Run]:
        """The newest runs; trials: those of searches as well."""

    def count(self, product_id: str | None = None, *, trials: bool = False) -> int: ...
    def folds(self, folds_id: str | None = None) -> builtins.list[Run]:
        """The runs of one K-fold, or of all, the newest first."""

    def scheduled(self) -> builtins.list[Run]:
        """Runs with a schedule that are under way or interrupted."""

    def reorder(self, run_id: str, place: int) -> None:
        """Move a queued run to this place, from 0; nothing happens to one that is not queued."""

    def set_schedule(self, run_id: str, schedule: RunSchedule | None) -> None: ...
    def active(self) -> builtins.list[Run]: ...
    def queue(self) -> builtins.list[Run]: ...
    def latest(self, product_id: str) -> Run | None: ...
    def requeue(self, run: Run) -> None: ...
    def claim_next(self, at: datetime, may_start: Callable[[Run], bool] = ...) -> Run | None:
        """Make the first queued run that may start the running one, unless another is active: at most one wins."""

    def save(self, run: Run) -> None:
        """Store the run's own fields, except name and bin, which are changed by their own calls."""

    def rename(self, run_id: str, name: str) -> None: ...
    def set_deleted(self, run_id: str, deleted: bool) -> None: ...
    def apply(self, update: RunUpdate) -> None: ...
    def steps(self, run_id: str) -> builtins.list[StepMetrics]: ...
    def evals(self, run_id: str) -> builtins.list[EvalMetrics]: ...
    def probes(self, run_id: str) -> builtins.list[ProbeAnswer]: ...
    def checkpoints(self, run_id: str) -> builtins.list[CheckpointInfo]: ...
    def verdict(self, run_id: str) -> Verdict | None: ...


class SearchRepository(Protocol):
    def add(self, search: Search) -> None: ...
    def get(self, search_id: str) -> Search | None: ...

    def list(self) -> builtins.list[Search]:
        """Those not in the bin, the newest first."""

    def running(self) -> builtins.list[Search]: ...

    def save(self, search: Search) -> None:
        """Store name, state, reason and end; what is searched never changes, trials have their own call."""

    def put_trial(self, search_id: str, trial: Trial) -> None: ...
    def set_deleted(self, search_id: str, deleted: bool) -> None: ...


class FeedbackRepository(Protocol):
    def add(self, item: FeedbackItem) -> None: ...
    def list(self, run_id: str | None = None, limit: int = 500) -> builtins.list[FeedbackItem]: ...
    def counts(self, run_id: str | None) -> dict[str, int]: ...


class OutboundRepository(Protocol):
    def add(self, call: OutboundCall) -> None: ...
    def list(self, limit: int = 500) -> builtins.list[OutboundCall]: ...


class DecisionRepository(Protocol):
    def add(self, decision: Decision) -> None: ...
    def list(self, subject: str | None = None, limit: int = 500) -> builtins.list[Decision]: ...


class BaseModelRepository(Protocol):
    """Base models outside the models folder that the user registered."""

    def add(self, info: BaseModelInfo) -> None: ...
    def list(self) -> builtins.list[BaseModelInfo]: ...
    def remove(self, model_id: str) -> None: ...


class RowPages(Protocol):
    """Rows of a dataset folder, page by page, cells as text; ingest.dataset.pages does the work."""

    def columns(self, dataset_dir: Path) -> builtins.list[str]: ...

    def page(
        self, dataset_dir: Path, offset: int, limit: int, split: Split | None = None
    ) -> builtins.list[dict[str, str]]: ...

    def rows(self, dataset_dir: Path, numbers: Sequence[int]) -> builtins.list[dict[str, str]]:
        """The rows with these numbers, in the order asked; numbers that are not there are left out."""

    def find(
        self, dataset_dir: Path, text: str, columns: Sequence[str] = (), offset: int = 0, limit: int = 200
    ) -> builtins.list[int]:
        """Numbers of the rows that hold ``text`` in one of these columns (none: all), in the order of pages."""


class ScriptWriter(Protocol):
    """Writes a run as a program (report.run_script.run_script)."""

    def __call__(self, run: Run, threads: int, name: str) -> str: ...


class CardWriter(Protocol):
    """Writes a dataset card (report.dataset_card.dataset_card)."""

    def __call__(self, facts: DatasetFacts) -> str: ...


class Backups(Protocol):
    """Keeps copies of the database."""

    def backup_if_due(self) -> Path | None:
        """A new copy when something changed and the last is old enough; None otherwise."""


class RunJob(Protocol):
    """Runs one worker job to its end (children.run_job)."""

    def __call__(
        self,
        args: Sequence[str],
        payload: Any = None,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
        timeout_s: float | None = None,
    ) -> Finished: ...
