"""Matrices: products, links between them, and what each product's data and last run say."""

from __future__ import annotations

import builtins
from collections.abc import Sequence
from dataclasses import dataclass, replace

from studio.domain.datasets import DatasetVersion
from studio.domain.products import LinkKind, Matrix, Product, Role, SynergyLink, Task
from studio.domain.runs import Run
from studio.domain.values import Value
from studio.domain.verdicts import Verdict
from studio.errors import NotFoundError, StudioError
from studio.i18n import _
from studio.services import costs
from studio.services.changes import ChangeBus, Changes
from studio.services.ports import DatasetRepository, MatrixRepository, RunRepository
from studio.services.sample_matrix import sample_matrix
from studio.services.settings import SettingsService


@dataclass(frozen=True)
class ProductRow:
    """A product with what is known of it; None where there is nothing yet."""

    product: Product
    dataset: DatasetVersion | None
    latest_run: Run | None
    verdict: Verdict | None
    training_cost: Value | None
    cost_per_1k_answers: Value | None


class MatrixService:
    """Create and change matrices; every rule of the domain is checked before anything is stored."""

    def __init__(
        self,
        repository: MatrixRepository,
        datasets: DatasetRepository,
        runs: RunRepository,
        settings: SettingsService,
        changes: ChangeBus,
    ) -> None:
        self._repository = repository
        self._datasets = datasets
        self._runs = runs
        self._settings = settings
        self._changes = changes

    def list(self) -> builtins.list[Matrix]:
        """Matrices that are not in the bin, oldest first."""
        return self._repository.list()

    def get(self, matrix_id: str) -> Matrix:
        """One matrix. Raises NotFoundError ``matrix.unknown``."""
        matrix = self._repository.get(matrix_id)
        if matrix is None:
            raise NotFoundError("matrix.unknown", _("This matrix is not in the workspace any more."))
        return matrix

    def create(
        self,
        name: str,
        core_name: str,
        *,
        description: str = "",
        task: Task = Task.CHAT,
        currency: str = "CNY",
        horizon_months: int = 12,
    ) -> Matrix:
        """A new matrix with its core product."""
        core = Product(name=core_name.strip(), role=Role.CORE, task=task, description=description)
        matrix = _named(Matrix(name=name, currency=currency, horizon_months=horizon_months)).with_product(
            core
        )
        return self._added(matrix)

    def open_sample(self, language: str) -> Matrix:
        """The customer service sample in ``en`` or ``zh_CN``; made once, later calls give the same matrix."""
        code = "zh_CN" if language.startswith("zh") else "en"
        return self._repository.sample(code) or self._added(sample_matrix(code), code)

    def rename(self, matrix_id: str, name: str) -> Changes:
        """Give the matrix another name."""
        self._repository.update(_named(replace(self.get(matrix_id), name=name)))
        return self._changed()

    def delete(self, matrix_id: str) -> Changes:
        """Put the matrix into the bin."""
        self._repository.set_deleted(self.get(matrix_id).id, True)
        return self._changed()

    def restore(self, matrix_id: str) -> Changes:
        """Take the matrix out of the bin."""
        self._repository.set_deleted(matrix_id, False)
        return self._changed()

    def add_product(self, matrix_id: str, product: Product) -> Product:
        """Add a product. Raises StudioError when it breaks a rule of the matrix."""
        self.get(matrix_id).with_product(product)
        self._repository.save_product(matrix_id, product)
        self._changed()
        return product

    def update_product(self, matrix_id: str, product: Product) -> Product:
        """Change a product that is in the matrix. Raises StudioError when it breaks a rule."""
        self.get(matrix_id).product(product.id)
        return self.add_product(matrix_id, product)

    def remove_product(self, matrix_id: str, product_id: str) -> Changes:
        """Put a product into the bin; its links are hidden until it is restored."""
        self.get(matrix_id).product(product_id)
        self._repository.set_product_deleted(product_id, True)
        return self._changed()

    def restore_product(self, matrix_id: str, product_id: str) -> Product:
        """Take a product out of the bin. Raises StudioError when the matrix meanwhile has one like it."""
        for product in self._repository.deleted_products(matrix_id):
            if product.id == product_id:
                self.get(matrix_id).with_product(product)
                self._repository.set_product_deleted(product_id, False)
                self._changed()
                return product
        raise NotFoundError("product.unknown", _("This product is not in the bin."))

    def deleted_products(self, matrix_id: str) -> Sequence[Product]:
        """Products of the matrix that are in the bin."""
        return self._repository.deleted_products(matrix_id)

    def add_link(self, matrix_id: str, link: SynergyLink) -> SynergyLink:
        """Add or change a link. Raises StudioError when it breaks a rule."""
        self.get(matrix_id).with_link(link)
        self._repository.save_link(matrix_id, link)
        self._changed()
        return link

    def link(
        self,
        matrix_id: str,
        source_id: str,
        target_id: str,
        kind: LinkKind = LinkKind.DATA_FLOW,
        payload: Sequence[str] = (),
        note: str = "",
    ) -> SynergyLink:
        """Link two products; a shorthand of add_link."""
        return self.add_link(matrix_id, SynergyLink(source_id, target_id, kind, tuple(payload), note))

    def remove_link(self, matrix_id: str, link_id: str) -> Changes:
        """Remove a link for good."""
        if all(link.id != link_id for link in self.get(matrix_id).links):
            raise NotFoundError("link.unknown", _("This link is not in the matrix any more."))
        self._repository.remove_link(link_id)
        return self._changed()

    def set_dataset(self, product_id: str, dataset_id: str | None) -> Product:
        """Choose the data of a product's next run; None for none."""
        if dataset_id is not None and self._datasets.get(dataset_id) is None:
            raise NotFoundError("dataset.unknown", _("This data is not in the workspace any more."))
        matrix = self._matrix_with(product_id)
        return self.update_product(matrix.id, replace(matrix.product(product_id), dataset_id=dataset_id))

    def set_task(self, product_id: str, task: Task) -> Product:
        """Choose what the product does. Raises NotFoundError when it is in no matrix any more."""
        matrix = self._matrix_with(product_id)
        return self.update_product(matrix.id, replace(matrix.product(product_id), task=task))

    def _matrix_with(self, product_id: str) -> Matrix:
        matrix = self._repository.matrix_of(product_id)
        if matrix is None:
            raise NotFoundError("product.unknown", _("This product is not in the matrix any more."))
        return matrix

    def matrix_of(self, product_id: str) -> Matrix | None:
        """The matrix that a product belongs to."""
        return self._repository.matrix_of(product_id)

    def overview(self, matrix_id: str) -> builtins.list[ProductRow]:
        """Every product with its data, latest run, verdict and costs."""
        matrix = self.get(matrix_id)
        return [self._row(product, matrix.currency) for product in matrix.products]

    def _row(self, product: Product, currency: str) -> ProductRow:
        dataset = self._datasets.get(product.dataset_id) if product.dataset_id else None
        run = self._runs.latest(product.id)
        settings = self._settings.current
        return ProductRow(
            product=product, dataset=dataset, latest_run=run, verdict=self._runs.verdict(run.id) if run else None,
            training_cost=costs.training_cost(run, settings, currency) if run else None,
            cost_per_1k_answers=costs.cost_per_1k_answers(run, settings, currency) if run else None,
        )  # fmt: skip

    def _added(self, matrix: Matrix, sample_language: str = "") -> Matrix:
        self._repository.add(matrix, sample_language)
        self._changed()
        return matrix

    def _changed(self) -> Changes:
        return self._changes.publish(Changes.MATRIX)


def _named(matrix: Matrix) -> Matrix:
    name = matrix.name.strip()
    if not name:
        raise StudioError("matrix.no_name", _("The matrix has no name."), _("Type a name."))
    return replace(matrix, name=name)
