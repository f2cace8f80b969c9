"""What the user can do to a matrix: each runs off the GUI thread and offers a way back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from studio.domain.products import Matrix, Product, SynergyLink
from studio.gui.context import GuiContext
from studio.i18n import _, current_language


class MatrixCommands:
    """Writes through the matrix service; the change bus brings the pages up to date afterwards."""

    def __init__(self, ctx: GuiContext) -> None:
        self._ctx = ctx
        self._matrices = ctx.services.matrices

    def create(self, name: str, core_name: str) -> None:
        """A new matrix with its core product, opened at once."""
        self._run(lambda: self._matrices.create(name, core_name), self._open)

    def open_sample(self) -> None:
        """The example matrix in the user's language, opened at once."""
        language = current_language()
        self._run(lambda: self._matrices.open_sample(language), self._open)

    def rename(self, matrix_id: str, name: str) -> None:
        """Another name for a matrix."""
        self._run(lambda: self._matrices.rename(matrix_id, name))

    def delete(self, matrix: Matrix) -> None:
        """Put a matrix into the bin."""

        def done(_result: object) -> None:
            self._ctx.navigator.set_matrix(None)
            text = _("“{name}” is in the bin.").format(name=matrix.name)
            self._offer_undo(text, lambda: self._matrices.restore(matrix.id), lambda _r: self._open(matrix))

        self._run(lambda: self._matrices.delete(matrix.id), done)

    def add_product(self, matrix_id: str, product: Product) -> None:
        """A new product, chosen at once."""
        self._run(
            lambda: self._matrices.add_product(matrix_id, product),
            lambda _result: self._ctx.navigator.set_product(product.id),
        )

    def update_product(self, matrix_id: str, product: Product) -> None:
        """Store a changed product."""
        self._run(lambda: self._matrices.update_product(matrix_id, product))

    def remove_product(self, matrix_id: str, product: Product) -> None:
        """Take a product out of its matrix."""

        def done(_result: object) -> None:
            self._ctx.navigator.set_product(None)
            text = _("“{name}” was removed from the matrix.").format(name=product.name)
            self._offer_undo(text, lambda: self._matrices.restore_product(matrix_id, product.id))

        self._run(lambda: self._matrices.remove_product(matrix_id, product.id), done)

    def save_link(self, matrix_id: str, link: SynergyLink) -> None:
        """Add or change a link."""
        self._run(lambda: self._matrices.add_link(matrix_id, link))

    def remove_link(self, matrix_id: str, link: SynergyLink) -> None:
        """Take a link away."""

        def done(_result: object) -> None:
            self._offer_undo(_("The link was removed."), lambda: self._matrices.add_link(matrix_id, link))

        self._run(lambda: self._matrices.remove_link(matrix_id, link.id), done)

    def _open(self, matrix: Matrix) -> None:
        self._ctx.navigator.set_matrix(matrix.id)
        if matrix.core is not None:
            self._ctx.navigator.set_product(matrix.core.id)

    def _run(self, write: Callable[[], Any], done: Callable[[Any], None] | None = None) -> None:
        self._ctx.tasks.run(write, done or _nothing, self._ctx.notices.error_from)

    def _offer_undo(
        self, text: str, undo: Callable[[], Any], then: Callable[[Any], None] | None = None
    ) -> None:
        self._ctx.notices.info(text, action_label=_("Undo"), action=lambda: self._run(undo, then))


def _nothing(_result: object) -> None:
    """The change bus does the rest."""
