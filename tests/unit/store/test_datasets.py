"""Families of dataset versions: which one counts, what moves with it, and how old databases get them."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from studio.domain.datasets import DatasetVersion
from studio.domain.products import Matrix, Product, Role
from studio.domain.recipes import FindingKind, FixAction, FixStep, Recipe
from studio.domain.shapes import ColumnRole
from studio.errors import StudioError
from studio.store import schema
from studio.store.backup import list_backups
from studio.store.database import Database
from studio.store.datasets import SqlDatasets
from studio.store.matrices import SqlMatrices
from studio.store.migrating import Versions, alembic_config, open_database, schema_version
from studio.store.records import SqlRecipes
from studio.store.sqlite import sqlite_module
from tests.helpers import builders


def child(parent: DatasetVersion, number: int | None = None) -> DatasetVersion:
    return builders.dataset(
        family_id=parent.family_id, parent_id=parent.id, number=number or parent.number + 1, name=parent.name
    )


@pytest.fixture
def stored(database: Database) -> SqlDatasets:
    return SqlDatasets(database)


def line_of(stored: SqlDatasets, length: int) -> list[DatasetVersion]:
    versions = [builders.dataset()]
    stored.add(versions[0])
    for _ in range(length - 1):
        versions.append(child(versions[-1]))
        stored.add(versions[-1])
    return versions


def test_the_newest_version_stands_for_its_family(stored: SqlDatasets) -> None:
    first, second, third = line_of(stored, 3)
    other = builders.dataset()
    stored.add(other)
    assert {version.id for version in stored.list()} == {third.id, other.id}
    assert stored.family(first.id) == [third, second, first]
    assert stored.family("unknown") == []


def test_a_licence_is_stated_for_the_whole_family(stored: SqlDatasets) -> None:
    first, second = line_of(stored, 2)
    other = builders.dataset()
    stored.add(other)
    stored.set_licence(second.id, "CC BY 4.0")
    assert [each.spec.licence for each in stored.family(first.id)] == ["CC BY 4.0", "CC BY 4.0"]
    assert stored.get(other.id) == other


def test_an_undone_version_is_in_the_bin_and_its_parent_counts(stored: SqlDatasets) -> None:
    first, second = line_of(stored, 2)
    stored.set_undone(second.id, True)
    assert stored.list() == [first]
    assert stored.family(second.id) == [first]
    found = stored.get(second.id)
    assert found is not None
    assert found.deleted
    assert [version.id for version in stored.family(first.id, include_undone=True)] == [second.id, first.id]
    stored.set_undone(second.id, False)
    assert stored.list() == [second]


def test_the_bin_takes_the_family(stored: SqlDatasets) -> None:
    first, second = line_of(stored, 2)
    stored.set_undone(second.id, True)
    stored.set_deleted(first.id, True)
    assert stored.list() == []
    assert [version.id for version in stored.list(include_deleted=True)] == [first.id]
    assert all(version.deleted for version in stored.family(second.id, include_undone=True))
    stored.set_deleted(second.id, False)
    assert stored.list() == [first]  # what was undone stays undone


def test_products_walk_along(database: Database, stored: SqlDatasets) -> None:
    (first,) = line_of(stored, 1)
    shown = Product("Core", Role.CORE, dataset_id=first.id)
    hidden, other = Product("A", Role.AUXILIARY, dataset_id=first.id), Product("B", Role.AUXILIARY)
    matrix = Matrix("M", products=(shown, hidden, other))
    SqlMatrices(database).add(matrix)
    SqlMatrices(database).set_product_deleted(hidden.id, True)

    def used() -> list[str | None]:
        found = SqlMatrices(database).get(matrix.id)
        assert found is not None
        binned = SqlMatrices(database).deleted_products(matrix.id)
        return [product.dataset_id for product in (*found.products, *binned)]

    second = child(first)
    stored.add(second)
    assert used() == [second.id, None, second.id]
    stored.set_undone(second.id, True)
    assert used() == [first.id, None, first.id]
    stored.set_undone(second.id, False)
    assert used() == [second.id, None, second.id]


def test_two_versions_of_a_family_never_have_one_number(stored: SqlDatasets) -> None:
    (first,) = line_of(stored, 1)
    stored.add(child(first))
    with pytest.raises(StudioError) as caught:
        stored.add(child(first))
    assert caught.value.code == "store.failed"
    assert len(stored.family(first.id)) == 2


def test_a_thousand_families_are_listed_by_their_index(database: Database, stored: SqlDatasets) -> None:
    made = [builders.dataset() for _ in range(1000)]
    rows = [
        {
            "id": version.id, "name": version.name, "content_sha256": "0", "created_at": version.created_at,
            "document": version.model_dump(mode="json"), "deleted": False, "family_id": first.id,
            "number": version.number, "parent_id": version.parent_id, "undone": False,
        }
        for first in made
        for version in (first, child(first), child(first, 3))
    ]  # fmt: skip
    with database.write() as connection:
        connection.execute(schema.datasets.insert(), rows)
    began = time.monotonic()
    found = stored.list()
    assert len(found) == 1000
    assert {version.number for version in found} == {3}
    assert time.monotonic() - began < 5  # without the index this compares each with each: minutes
    statement = "EXPLAIN QUERY PLAN SELECT max(number) FROM datasets WHERE family_id = 'x' AND NOT undone"
    with database.read() as connection:
        plan = " ".join(str(row[-1]) for row in connection.exec_driver_sql(statement))
    assert "ix_datasets_family" in plan


def test_recipes_come_back_and_a_name_in_the_bin_is_free(database: Database) -> None:
    stored = SqlRecipes(database)
    step = FixStep(finding=FindingKind.PRIVATE_DATA, action=FixAction.MASK)
    recipe = Recipe(name="清理", steps=[step], roles={"q": ColumnRole.PROMPT})
    stored.add(recipe)
    stored.add(Recipe(name="A", steps=[step]))
    assert [found.name for found in stored.list()] == ["A", "清理"]
    assert stored.list()[1] == recipe
    with pytest.raises(StudioError):
        stored.add(Recipe(name="清理", steps=[]))
    stored.rename(recipe.id, "清洗")
    assert [found.name for found in stored.list()] == ["A", "清洗"]
    stored.rename(recipe.id, "清理")
    stored.set_deleted(recipe.id, True)
    stored.add(Recipe(name="清理", steps=[]))
    assert [found.steps for found in stored.list()] == [[step], []]


# A workspace of the first version, as it lies on people's disks.


def old_workspace(path: Path) -> dict[str, str]:
    """A database of schema 0001 with a used dataset, its product and a run; returns the ids."""
    from alembic import command

    database, config = Database(path), alembic_config(Versions())
    with database.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    document = builders.dataset(id="old").model_dump(mode="json")
    for name in ("family_id", "number", "parent_id", "sources", "made_by", "labels", "class_weights", "note"):
        del document[name]
    at = "2026-01-01T00:00:00.000000+00:00"
    statements = (
        (
            "INSERT INTO datasets VALUES ('old', 'Questions', 'x', :doc, :at, 0)",
            {"doc": json.dumps(document)},
        ),
        ("INSERT INTO datasets VALUES ('bin', 'Binned', 'x', :doc, :at, 1)", {"doc": json.dumps(document)}),
        ("INSERT INTO matrices VALUES ('m', 'M', 'CNY', 12, 0, '', :at, 0)", {}),
        ("INSERT INTO products VALUES ('p','m',1,'P','core','[]','idea','chat','','old',:at,0)", {}),
    )
    with database.write() as connection:
        for statement, values in statements:
            connection.execute(text(statement), {"at": at, **values} if ":at" in statement else values)
    database.close()
    return {"dataset": "old", "matrix": "m"}


def test_an_old_workspace_gets_families(tmp_path: Path) -> None:
    path, backups = tmp_path / "studio.db", tmp_path / "backups"
    ids = old_workspace(path)
    assert schema_version(path, sqlite_module()) == "0001"
    database = open_database(path, backups)
    stored = SqlDatasets(database)
    (found,) = stored.list()
    assert (found.id, found.family_id, found.number, found.parent_id) == ("old", "old", 1, None)
    assert len(stored.list(include_deleted=True)) == 2
    stored.add(child(found))
    matrix = SqlMatrices(database).get(ids["matrix"])
    assert matrix is not None
    assert matrix.products[0].dataset_id == stored.list()[0].id != "old"
    database.close()
    (copy,) = list_backups(backups)
    assert f"before_{schema.HEAD}" in copy.name
    assert schema_version(copy, sqlite_module()) == "0001"


def test_migrations_do_not_read_todays_tables() -> None:
    """A migration must go on doing what it did when the schema is edited later."""
    code = (
        "import sys; sys.modules['studio.store.schema'] = None\n"
        "import studio.store.migrations.versions.v0001_initial, studio.store.migrations.versions.v0002_dataset_versions"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
