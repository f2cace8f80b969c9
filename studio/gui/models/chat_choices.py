"""Which models can be asked: the finished runs of the product in hand first, then the base models."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from studio.domain.architectures import Architecture
from studio.domain.basemodels import BaseModelInfo
from studio.domain.predictions import asks_for
from studio.domain.runs import Run, RunState
from studio.paths import resource_path

if TYPE_CHECKING:
    from studio.bootstrap import Services

MOST_RUNS = 200  # in the list of models; older ones are reached from the Runs page


@dataclass(frozen=True)
class ModelChoice:
    """One model of the chooser: a run's result, or (``run_id`` None) a base model.

    base_key: the choice that holds the model a run began from; empty when it is not on this computer.
    asks: what a model that does not converse is given (domain.predictions.asks_for); empty for a conversation.
    """

    key: str
    title: str
    run_id: str | None = None
    product_id: str | None = None
    base: BaseModelInfo | None = None
    base_key: str = ""
    probes: tuple[str, ...] = ()
    asks: str = ""
    dataset_id: str = ""  # that a run learned from
    sequence: bool = False  # recommends by what was chosen, so a list of choices can be given too


@dataclass(frozen=True)
class Choices:
    """The models by group. ``mine``: runs of the product in hand; ``others``: runs of other products.

    of_product: whether there is a product in hand; without one all runs are ``mine``.
    """

    mine: tuple[ModelChoice, ...] = ()
    bases: tuple[ModelChoice, ...] = ()
    others: tuple[ModelChoice, ...] = ()
    of_product: bool = True

    def all(self) -> tuple[ModelChoice, ...]:
        """Every choice in the order of the list."""
        return (*self.mine, *self.bases, *self.others)

    def get(self, key: str | None) -> ModelChoice | None:
        """The choice with this key, or None."""
        return next((choice for choice in self.all() if choice.key == key), None)

    def counterpart(self, choice: ModelChoice) -> ModelChoice | None:
        """What to put beside ``choice``: a run's base, a base's newest run, one of the same data, else any other."""
        if choice.base_key and (base := self.get(choice.base_key)):
            return base
        rest = [other for other in self.beside(choice).all() if other.key != choice.key]
        runs = [other for other in rest if other.base_key == choice.key]
        alike = [other for other in rest if choice.asks and other.dataset_id == choice.dataset_id]
        return next(iter([*runs, *alike, *rest]), None)

    def beside(self, choice: ModelChoice | None) -> Choices:
        """Those that can be asked the same as ``choice``."""
        if choice is None:
            return self

        def alike(group: tuple[ModelChoice, ...]) -> tuple[ModelChoice, ...]:
            return tuple(other for other in group if other.asks == choice.asks)

        return Choices(alike(self.mine), alike(self.bases), alike(self.others), self.of_product)


def run_key(run_id: str) -> str:
    """The key of a run's choice."""
    return f"run:{run_id}"


def read_choices(services: Services, product_id: str | None) -> Choices:
    """Ask the services (reads the database and the models folder: call it off the GUI thread)."""
    bases = tuple(
        ModelChoice(f"base:{info.id}", info.name, base=info)
        for info in services.models.available()
        if info.serves(Architecture.LANGUAGE_MODEL)
    )
    by_path = {Path(base.base.path).resolve(): base.key for base in bases if base.base}
    every = _finished(services.runs.list(None, limit=MOST_RUNS, offset=0), by_path)
    if not product_id:
        return Choices(every, bases, of_product=False)
    mine = _finished(services.runs.list(product_id, limit=MOST_RUNS, offset=0), by_path)
    known = {choice.key for choice in mine}
    return Choices(mine, bases, tuple(choice for choice in every if choice.key not in known))


def _finished(runs: Sequence[Run], by_path: dict[Path, str]) -> tuple[ModelChoice, ...]:
    return tuple(_of_run(run, by_path) for run in runs if run.state is RunState.DONE and not run.deleted)


def _of_run(run: Run, by_path: dict[Path, str]) -> ModelChoice:
    base_dir, kind = run.plan.base_dir, run.plan.spec.architecture
    base_key = by_path.get(Path(base_dir).resolve(), "") if base_dir else ""
    return ModelChoice(
        run_key(run.id), run.name, run_id=run.id, product_id=run.product_id, base_key=base_key,
        probes=tuple(run.plan.probes), asks="" if kind is Architecture.LANGUAGE_MODEL else asks_for(kind),
        sequence=kind is Architecture.SEQUENCE, dataset_id=run.plan.dataset_id,
    )  # fmt: skip


def target_of(services: Services, choice: ModelChoice) -> Any:
    """The services' ChatTarget of a choice. Raises StudioError when its files are gone."""
    return services.runs.chat_target(choice.run_id, choice.base)


def sample_probes(language: str) -> tuple[str, ...]:
    """The questions of the bundled example, to begin with when a model brings none of its own."""
    probes = json.loads(resource_path("samples", "probes.json").read_text(encoding="utf-8"))
    return tuple(probes.get(language) or probes["en"])
