"""What the page has to offer, read from the services, and the choices that go with it. No widgets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from studio.domain.runs import RunPlan
from studio.gui.pages.train.choices import Choices, Shelf

if TYPE_CHECKING:
    from studio.bootstrap import Services


def read_shelf(services: Services, matrix_id: str | None, product_id: str | None) -> Shelf:
    """Data, models and the product in hand; slow, for a thread. Raises NotFoundError."""
    product = None
    if matrix_id is not None and product_id is not None:
        product = services.matrices.get(matrix_id).product(product_id)
    return Shelf(
        tuple(services.datasets.list()), tuple(services.models.available()),
        tuple(services.models.catalogue()), product.dataset_id if product else None,
        product.task if product else None, bool(services.runs.active()),
    )  # fmt: skip


def settled(
    choices: Choices, shelf: Shelf, dataset_id: str | None, plan: RunPlan | None, *, product_changed: bool
) -> Choices:
    """What was chosen, if it is still there; else the product's data and the first base model.

    dataset_id, plan: asked for from elsewhere, of an earlier run for example.
    """
    if plan is not None:
        choices = replace(choices, spec=plan.spec, placement=plan.placement)
        dataset_id = plan.dataset_id
    by_id = {dataset.id: dataset for dataset in shelf.datasets}
    kept = None if product_changed or choices.dataset is None else choices.dataset.id
    wanted = (dataset_id, kept, shelf.product_dataset_id)
    dataset = next((by_id[name] for name in wanted if name in by_id), None)
    if dataset is None and len(by_id) == 1 and not product_changed:
        dataset = shelf.datasets[0]
    by_path = {model.path: model for model in shelf.models}
    path = plan.base_dir if plan is not None else choices.base.path if choices.base else None
    chosen = choices.with_dataset(dataset) if plan is None else replace(choices, dataset=dataset)
    chosen = replace(chosen, base=by_path.get(path or ""), task=shelf.task)
    return chosen.fitted(shelf.models)
