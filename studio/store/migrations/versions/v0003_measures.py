"""Evaluations and comparisons say by which measure, and what else was measured; earlier ones were all surprise."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    with op.batch_alter_table("evals") as table:
        table.add_column(sa.Column("metrics", sa.JSON(), nullable=True))
    op.execute("UPDATE evals SET metrics = '{}'")
    with op.batch_alter_table("evals") as table:
        table.alter_column("metrics", existing_type=sa.JSON(), nullable=False)
    for column, old, new in (
        ("summary", "base_eval_loss", "base_value"), ("summary", "tuned_eval_loss", "tuned_value"),
        ("verdict", "base_loss", "base_value"), ("verdict", "tuned_loss", "tuned_value"),
    ):  # fmt: skip
        op.execute(f"""UPDATE runs SET {column} = replace({column}, '"{old}":', '"{new}":')""")
    with op.batch_alter_table("comparisons") as table:
        table.alter_column("base_nats", new_column_name="base_scores", existing_type=sa.JSON())
        table.alter_column("tuned_nats", new_column_name="tuned_scores", existing_type=sa.JSON())
        table.alter_column("tokens", new_column_name="targets", existing_type=sa.JSON())
        table.add_column(sa.Column("measure", sa.String(), nullable=True))
        table.add_column(sa.Column("metrics", sa.JSON(), nullable=True))
    op.execute("UPDATE comparisons SET measure = 'surprise', metrics = '{}'")
    with op.batch_alter_table("comparisons") as table:
        table.alter_column("measure", existing_type=sa.String(), nullable=False)
        table.alter_column("metrics", existing_type=sa.JSON(), nullable=False)
