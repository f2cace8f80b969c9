"""Matrices in the database: products and links are rows; what is in the bin stays there and is not shown."""

from __future__ import annotations

import builtins

from sqlalchemy import Connection, Row, Select, func, select

from studio.domain.products import (
    LinkKind,
    LinkState,
    Matrix,
    Product,
    Purpose,
    Role,
    Stage,
    SynergyLink,
    Task,
)
from studio.store.database import Database
from studio.store.schema import links, matrices, products


class SqlMatrices:
    """Implements services.ports.MatrixRepository."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self) -> list[Matrix]:
        chosen = select(matrices).where(~matrices.c.deleted).order_by(matrices.c.created_at, matrices.c.id)
        return self._load(chosen)

    def get(self, matrix_id: str) -> Matrix | None:
        return self._first(select(matrices).where(matrices.c.id == matrix_id, ~matrices.c.deleted))

    def sample(self, language: str) -> Matrix | None:
        return self._first(
            select(matrices).where(matrices.c.sample_language == language, ~matrices.c.deleted)
        )

    def matrix_of(self, product_id: str) -> Matrix | None:
        owner = select(products.c.matrix_id).where(products.c.id == product_id, ~products.c.deleted)
        return self._first(
            select(matrices).where(matrices.c.id == owner.scalar_subquery(), ~matrices.c.deleted)
        )

    def add(self, matrix: Matrix, sample_language: str = "") -> None:
        with self._database.write() as connection:
            connection.execute(
                matrices.insert().values(
                    id=matrix.id, created_at=matrix.created_at, is_sample=matrix.is_sample, deleted=False,
                    sample_language=sample_language, **_own_fields(matrix),
                )
            )  # fmt: skip
            for product in matrix.products:
                _save_product(connection, matrix.id, product)
            for link in matrix.links:
                _save_link(connection, matrix.id, link)

    def update(self, matrix: Matrix) -> None:
        with self._database.write() as connection:
            connection.execute(
                matrices.update().where(matrices.c.id == matrix.id).values(**_own_fields(matrix))
            )

    def set_deleted(self, matrix_id: str, deleted: bool) -> None:
        with self._database.write() as connection:
            connection.execute(matrices.update().where(matrices.c.id == matrix_id).values(deleted=deleted))

    def save_product(self, matrix_id: str, product: Product) -> None:
        with self._database.write() as connection:
            _save_product(connection, matrix_id, product)

    def set_product_deleted(self, product_id: str, deleted: bool) -> None:
        with self._database.write() as connection:
            connection.execute(products.update().where(products.c.id == product_id).values(deleted=deleted))

    def deleted_products(self, matrix_id: str) -> builtins.list[Product]:
        with self._database.read() as connection:
            return _products(connection, matrix_id, deleted=True)

    def save_link(self, matrix_id: str, link: SynergyLink) -> None:
        with self._database.write() as connection:
            _save_link(connection, matrix_id, link)

    def remove_link(self, link_id: str) -> None:
        with self._database.write() as connection:
            connection.execute(links.delete().where(links.c.id == link_id))

    def _first(self, chosen: Select[tuple[object, ...]]) -> Matrix | None:
        return next(iter(self._load(chosen.limit(1))), None)

    def _load(self, chosen: Select[tuple[object, ...]]) -> builtins.list[Matrix]:
        with self._database.read() as connection:
            return [_matrix(connection, row) for row in connection.execute(chosen)]


def _matrix(connection: Connection, row: Row[tuple[object, ...]]) -> Matrix:
    shown = tuple(_products(connection, row.id, deleted=False))
    ids = {product.id for product in shown}
    found = connection.execute(select(links).where(links.c.matrix_id == row.id).order_by(links.c.position))
    return Matrix(
        name=row.name, currency=row.currency, horizon_months=row.horizon_months, products=shown,
        links=tuple(_link(link) for link in found if link.source_id in ids and link.target_id in ids),
        id=row.id, is_sample=row.is_sample, created_at=row.created_at,
    )  # fmt: skip


def _products(connection: Connection, matrix_id: str, *, deleted: bool) -> list[Product]:
    chosen = select(products).where(products.c.matrix_id == matrix_id, products.c.deleted == deleted)
    return [_product(row) for row in connection.execute(chosen.order_by(products.c.position))]


def _product(row: Row[tuple[object, ...]]) -> Product:
    return Product(
        name=row.name, role=Role(row.role), purposes=tuple(Purpose(p) for p in row.purposes), stage=Stage(row.stage),
        task=Task(row.task), description=row.description, id=row.id, dataset_id=row.dataset_id,
        created_at=row.created_at,
    )  # fmt: skip


def _link(row: Row[tuple[object, ...]]) -> SynergyLink:
    return SynergyLink(
        source_id=row.source_id, target_id=row.target_id, kind=LinkKind(row.kind), payload=tuple(row.payload),
        note=row.note, state=LinkState(row.state), rows_flowed=row.rows_flowed, id=row.id,
    )  # fmt: skip


def _own_fields(matrix: Matrix) -> dict[str, object]:
    return {"name": matrix.name, "currency": matrix.currency, "horizon_months": matrix.horizon_months}


def _save_product(connection: Connection, matrix_id: str, product: Product) -> None:
    fields = {
        "name": product.name, "role": product.role.value, "purposes": [p.value for p in product.purposes],
        "stage": product.stage.value, "task": product.task.value, "description": product.description,
        "dataset_id": product.dataset_id,
    }  # fmt: skip
    changed = connection.execute(products.update().where(products.c.id == product.id).values(**fields))
    if changed.rowcount == 0:
        last = select(func.coalesce(func.max(products.c.position), 0)).where(
            products.c.matrix_id == matrix_id
        )
        connection.execute(
            products.insert().values(
                id=product.id, matrix_id=matrix_id, position=connection.execute(last).scalar_one() + 1,
                created_at=product.created_at, deleted=False, **fields,
            )
        )  # fmt: skip


def _save_link(connection: Connection, matrix_id: str, link: SynergyLink) -> None:
    fields = {
        "source_id": link.source_id, "target_id": link.target_id, "kind": link.kind.value,
        "payload": list(link.payload), "note": link.note, "state": link.state.value, "rows_flowed": link.rows_flowed,
    }  # fmt: skip
    changed = connection.execute(links.update().where(links.c.id == link.id).values(**fields))
    if changed.rowcount == 0:
        last = select(func.coalesce(func.max(links.c.position), 0)).where(links.c.matrix_id == matrix_id)
        connection.execute(
            links.insert().values(
                id=link.id, matrix_id=matrix_id, position=connection.execute(last).scalar_one() + 1, **fields
            )
        )
