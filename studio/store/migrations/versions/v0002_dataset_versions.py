"""Datasets get versions: a family, a number, a parent, and a mark when undone. Recipes get a table.

Every dataset there is becomes the first version of a family of its own.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    _versions()
    _recipes()


def _versions() -> None:
    with op.batch_alter_table("datasets") as table:
        table.add_column(sa.Column("family_id", sa.String(), nullable=True))
        table.add_column(sa.Column("number", sa.Integer(), nullable=True))
        table.add_column(sa.Column("parent_id", sa.String(), nullable=True))
        table.add_column(sa.Column("undone", sa.Boolean(), nullable=True))
    op.execute("UPDATE datasets SET family_id = id, number = 1, undone = 0")
    with op.batch_alter_table("datasets") as table:
        table.alter_column("family_id", existing_type=sa.String(), nullable=False)
        table.alter_column("number", existing_type=sa.Integer(), nullable=False)
        table.alter_column("undone", existing_type=sa.Boolean(), nullable=False)
    op.create_index(op.f("ix_datasets_parent_id"), "datasets", ["parent_id"], unique=False)
    op.create_index("ix_datasets_family", "datasets", ["family_id", "number"], unique=True)


def _recipes() -> None:
    op.create_table(
        "recipes",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recipes")),
    )
    op.create_index("uq_recipes_name", "recipes", ["name"], unique=True, sqlite_where=sa.text("NOT deleted"))
