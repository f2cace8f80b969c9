"""K-fold: the same settings k times in the queue, each time checked on another part of the rows.

Only training and validation rows take part; the test rows are for the model that is kept in the end.
"""

from __future__ import annotations

import builtins

from studio.domain.architectures import Architecture
from studio.domain.datasets import DatasetVersion, Split
from studio.domain.folds import FoldsResult, folds_result
from studio.domain.ids import new_id
from studio.domain.recipes import SplitStep
from studio.domain.runs import Run, RunPlan
from studio.errors import NotFoundError, StudioError
from studio.i18n import _
from studio.services.ports import DatasetRepository
from studio.services.runs import RunService

LEAST, MOST = 2, 20


class FoldService:
    """Starts K-folds and sums them up; they are remembered as their runs."""

    def __init__(self, datasets: DatasetRepository, runs: RunService) -> None:
        self._datasets = datasets
        self._runs = runs

    def start(self, plan: RunPlan, k: int) -> str:
        """Queue k runs like ``plan``; returns the id of the K-fold. Raises StudioError ``folds.*``."""
        dataset = self._check(plan, k)
        folds_id, by = new_id(), self._split_by(dataset)
        made = [
            plan.model_copy(
                update={
                    "run_id": new_id(), "fold": (number, k), "fold_by": by, "compare": False, "probes": [],
                    "name": _("{name} · fold {number} of {k}").format(name=plan.name, number=number, k=k),
                }
            )
            for number in range(1, k + 1)
        ]  # fmt: skip
        self._runs.enqueue_all([Run(plan=each, folds_id=folds_id) for each in made])
        return folds_id

    def result(self, folds_id: str) -> FoldsResult:
        """How a K-fold stands. Raises NotFoundError ``folds.unknown``."""
        runs = self._runs.folds(folds_id)
        if not runs:
            raise NotFoundError("folds.unknown", _("This K-fold is not in the workspace any more."))
        return self._result(folds_id, runs)

    def list(self) -> list[FoldsResult]:
        """All K-folds, the newest first."""
        groups: dict[str, builtins.list[Run]] = {}
        for run in self._runs.folds():
            groups.setdefault(str(run.folds_id), []).append(run)
        return [self._result(folds_id, runs) for folds_id, runs in groups.items()]

    def warning(self, plan: RunPlan) -> str | None:
        """What makes the folds look better than they are; None when nothing is known."""
        dataset = self._datasets.get(plan.dataset_id)
        step = self._split_step(dataset) if dataset else None
        if step is not None and step.group_by == "near-duplicates":
            return _(
                "The data was split so that near-duplicates stay together; the folds keep only exact copies together, "
                "so they may look a little better than new data will."
            )
        return None

    def _result(self, folds_id: str, runs: builtins.list[Run]) -> FoldsResult:
        return folds_result(folds_id, runs, {run.id: self._runs.evals(run.id) for run in runs})

    def _check(self, plan: RunPlan, k: int) -> DatasetVersion:
        if not LEAST <= k <= MOST:
            raise StudioError(
                "folds.number", _("The number of folds must be from {low} to {high}.").format(low=LEAST, high=MOST),
                _("5 is usual."),
            )  # fmt: skip
        if plan.spec.architecture is Architecture.SEQUENCE:
            raise StudioError(
                "folds.by_time", _("What somebody chooses next is foretold from what came before."),
                _("Folds would let it be foretold from what came after; use the validation rows instead."),
            )  # fmt: skip
        dataset = self._datasets.get(plan.dataset_id)
        if dataset is None:
            raise NotFoundError("dataset.unknown", _("This data is not in the workspace any more."))
        rows = sum(dataset.splits.get(split, 0) for split in (Split.TRAIN, Split.VALIDATION))
        if rows < 2 * k:
            raise StudioError(
                "folds.few_rows", _("{rows} rows are too few for {k} folds.").format(rows=rows, k=k),
                _("Choose fewer folds, or import more rows."),
            )  # fmt: skip
        return dataset

    def _split_by(self, dataset: DatasetVersion) -> str | None:
        """The column whose equal values were kept on one side by the data's own split."""
        step = self._split_step(dataset)
        return None if step is None or step.group_by == "near-duplicates" else step.group_by

    def _split_step(self, dataset: DatasetVersion) -> SplitStep | None:
        """The last step that split the rows, in this version or one that it was made from."""
        versions = {each.id: each for each in self._datasets.family(dataset.id, include_undone=True)}
        current: DatasetVersion | None = dataset
        while current is not None:
            for outcome in reversed(current.made_by):
                if isinstance(outcome.step, SplitStep):
                    return outcome.step
            current = versions.get(current.parent_id or "")
        return None
