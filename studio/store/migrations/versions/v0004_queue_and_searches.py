"""Runs wait for their hours and may belong to a search or a K-fold; searches are remembered trial by trial."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    with op.batch_alter_table("runs") as table:
        table.add_column(sa.Column("schedule", sa.JSON(), nullable=True))
        table.add_column(sa.Column("search_id", sa.String(), nullable=True))
        table.add_column(sa.Column("folds_id", sa.String(), nullable=True))
        table.create_index("ix_runs_search_id", ["search_id"])
        table.create_index("ix_runs_folds_id", ["folds_id"])
    op.create_table(
        "searches",
        sa.Column("id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("dataset_id", sa.String(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("document", sa.JSON(), nullable=False),
        sa.Column("created_at", sa.String(), nullable=False),
        sa.Column("ended_at", sa.String(), nullable=True),
        sa.Column("deleted", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_searches"),
        sa.ForeignKeyConstraint(["dataset_id"], ["datasets.id"], name="fk_searches_dataset_id_datasets"),
    )
    op.create_index("ix_searches_state", "searches", ["state"])
    op.create_table(
        "trials",
        sa.Column("search_id", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("run_id", sa.String(), nullable=False),
        sa.Column("settings", sa.JSON(), nullable=False),
        sa.Column("state", sa.String(), nullable=False),
        sa.Column("pruned", sa.Boolean(), nullable=False),
        sa.Column("value", sa.Float(), nullable=True),
        sa.Column("checks", sa.JSON(), nullable=False),
        sa.Column("seconds", sa.Float(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("search_id", "number", name="pk_trials"),
        sa.ForeignKeyConstraint(["search_id"], ["searches.id"], name="fk_trials_search_id_searches"),
    )
