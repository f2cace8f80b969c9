"""Dataset versions in the database: families in a line of numbers, of which the highest that is not undone counts."""

from __future__ import annotations

import builtins
from typing import Any

from sqlalchemy import Connection, Row, Select, func, select

from studio.domain.datasets import DatasetVersion
from studio.store.database import Database
from studio.store.schema import datasets, products


class SqlDatasets:
    """Implements services.ports.DatasetRepository."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, dataset: DatasetVersion) -> None:
        with self._database.write() as connection:
            connection.execute(
                datasets.insert().values(
                    id=dataset.id, name=dataset.name, content_sha256=dataset.content_sha256,
                    document=dataset.model_dump(mode="json"), created_at=dataset.created_at, deleted=dataset.deleted,
                    family_id=dataset.family_id, number=dataset.number, parent_id=dataset.parent_id, undone=False,
                )
            )  # fmt: skip
            if dataset.parent_id is not None:
                _move_products(connection, dataset.parent_id, dataset.id)

    def get(self, dataset_id: str) -> DatasetVersion | None:
        found = self._load(select(datasets).where(datasets.c.id == dataset_id))
        return found[0] if found else None

    def list(self, include_deleted: bool = False) -> list[DatasetVersion]:
        other = datasets.alias()
        newest = (
            select(func.max(other.c.number))
            .where(other.c.family_id == datasets.c.family_id, ~other.c.undone)
            .scalar_subquery()
        )
        chosen = select(datasets).where(datasets.c.number == newest)
        if not include_deleted:
            chosen = chosen.where(~datasets.c.deleted)
        return self._load(chosen.order_by(datasets.c.created_at.desc(), datasets.c.id))

    def family(self, dataset_id: str, include_undone: bool = False) -> builtins.list[DatasetVersion]:
        chosen = select(datasets).where(datasets.c.family_id == _family_of(dataset_id))
        if not include_undone:
            chosen = chosen.where(~datasets.c.undone)
        return self._load(chosen.order_by(datasets.c.number.desc()))

    def set_deleted(self, dataset_id: str, deleted: bool) -> None:
        family = datasets.update().where(datasets.c.family_id == _family_of(dataset_id))
        with self._database.write() as connection:
            connection.execute(family.values(deleted=deleted))

    def set_undone(self, dataset_id: str, undone: bool) -> None:
        with self._database.write() as connection:
            this = datasets.c.id == dataset_id
            parent = connection.execute(select(datasets.c.parent_id).where(this)).scalar()
            connection.execute(datasets.update().where(this).values(undone=undone))
            if parent is not None:
                ends = (dataset_id, parent) if undone else (parent, dataset_id)
                _move_products(connection, *ends)

    def set_licence(self, dataset_id: str, licence: str) -> None:
        family = datasets.c.family_id == _family_of(dataset_id)
        with self._database.write() as connection:
            for row in connection.execute(select(datasets.c.id, datasets.c.document).where(family)).all():
                document = {**row.document, "spec": {**row.document["spec"], "licence": licence}}
                connection.execute(datasets.update().where(datasets.c.id == row.id).values(document=document))

    def _load(self, chosen: Select[Any]) -> builtins.list[DatasetVersion]:
        with self._database.read() as connection:
            return [_version(row) for row in connection.execute(chosen)]


def _version(row: Row[Any]) -> DatasetVersion:
    return DatasetVersion.model_validate({**row.document, "deleted": row.deleted or row.undone})


def _family_of(dataset_id: str) -> Any:
    one = datasets.alias()
    return select(one.c.family_id).where(one.c.id == dataset_id).scalar_subquery()


def _move_products(connection: Connection, source_id: str, target_id: str) -> None:
    """Products that use one version use the other from now on, those in the bin as well."""
    using = products.update().where(products.c.dataset_id == source_id)
    connection.execute(using.values(dataset_id=target_id))
