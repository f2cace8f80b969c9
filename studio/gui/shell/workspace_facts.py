"""What the frame shows, answered from the services."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from studio.domain.runs import Run, RunState
from studio.errors import NotFoundError
from studio.gui.shell.facts import Item, StageFact, StageKey
from studio.i18n import _
from studio.services.ports import OutboundCall

if TYPE_CHECKING:
    from studio.bootstrap import Services

_GOING = (RunState.QUEUED, RunState.RUNNING, RunState.PAUSED)
_BROKEN = (RunState.FAILED, RunState.INTERRUPTED)


class WorkspaceFacts:
    """Implements ShellFacts."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def matrices(self) -> Sequence[Item]:
        """All matrices, oldest first."""
        return [Item(matrix.id, matrix.name) for matrix in self._services.matrices.list()]

    def products(self, matrix_id: str) -> Sequence[Item]:
        """Products of a matrix, the core first; none when the matrix is gone."""
        try:
            matrix = self._services.matrices.get(matrix_id)
        except NotFoundError:
            return []
        core = matrix.core
        ordered = sorted(matrix.products, key=lambda product: product is not core)
        return [Item(product.id, product.name) for product in ordered]

    def stages(self, product_id: str | None) -> Mapping[StageKey, StageFact]:
        """How far a product is from its data to a model that can be tried."""
        matrix = self._services.matrices.matrix_of(product_id) if product_id else None
        if matrix is None or product_id is None:
            return stage_facts(has_data=False, run=None, has_model=False)
        runs = self._services.runs.list(product_id, 20, 0)
        trained = any(run.state is RunState.DONE for run in runs)
        latest = runs[0] if runs else None
        return stage_facts(
            has_data=matrix.product(product_id).dataset_id is not None, run=latest, has_model=trained
        )

    def connections(self) -> Sequence[OutboundCall]:
        """Hosts contacted, newest first."""
        return self._services.outbound.list()

    def online_allowed(self) -> bool:
        """Whether the user allowed downloads."""
        return self._services.settings.current.hub_consent


def stage_facts(*, has_data: bool, run: Run | None, has_model: bool) -> Mapping[StageKey, StageFact]:
    """The spine of one product. run: its latest run; has_model: some run of it ended well."""
    if has_data:
        data = StageFact("done", _("Data is chosen."))
    else:
        data = StageFact("ready", _("Next step: choose or import data."))
    ready_to_try = StageFact("ready", _("A trained model is ready to be tried."))
    not_yet = StageFact("todo", _("Comes after training."))
    return {
        "data": data,
        "train": _train_fact(has_data=has_data, run=run, has_model=has_model),
        "try": ready_to_try if has_model else not_yet,
    }


def _train_fact(*, has_data: bool, run: Run | None, has_model: bool) -> StageFact:
    if run is not None and run.state in _GOING:
        return StageFact("running", _("A run is going on."))
    if run is not None and run.state in _BROKEN:
        return StageFact("attention", _("The last run did not finish."))
    if has_model:
        return StageFact("done", _("A model is trained."))
    if has_data:
        return StageFact("ready", _("Next step: train a model."))
    return StageFact("todo", _("Needs data first."))
