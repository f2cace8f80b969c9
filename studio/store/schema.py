"""The tables. Long things (rows, checkpoints, models) are files beside the database; here are their facts.

``REVISIONS`` are the schema versions in order, one migration each; the last one is what these tables are.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    PrimaryKeyConstraint,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
)

REVISIONS = ("0001", "0002", "0003", "0004")
HEAD = REVISIONS[-1]

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(column_0_label)s",
    }
)


class UtcTime(TypeDecorator[datetime]):
    """A moment as ISO 8601 text in UTC; sorts as time does."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> str | None:
        return None if value is None else value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


matrices = Table(
    "matrices", metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("currency", String, nullable=False),
    Column("horizon_months", Integer, nullable=False),
    Column("is_sample", Boolean, nullable=False),
    Column("sample_language", String, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("deleted", Boolean, nullable=False),
)  # fmt: skip

products = Table(
    "products", metadata,
    Column("id", String, primary_key=True),
    Column("matrix_id", ForeignKey("matrices.id"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("name", String, nullable=False),
    Column("role", String, nullable=False),
    Column("purposes", JSON, nullable=False),
    Column("stage", String, nullable=False),
    Column("task", String, nullable=False),
    Column("description", Text, nullable=False),
    Column("dataset_id", ForeignKey("datasets.id")),
    Column("created_at", UtcTime, nullable=False),
    Column("deleted", Boolean, nullable=False),
)  # fmt: skip

links = Table(
    "links", metadata,
    Column("id", String, primary_key=True),
    Column("matrix_id", ForeignKey("matrices.id"), nullable=False, index=True),
    Column("position", Integer, nullable=False),
    Column("source_id", ForeignKey("products.id"), nullable=False),
    Column("target_id", ForeignKey("products.id"), nullable=False),
    Column("kind", String, nullable=False),
    Column("payload", JSON, nullable=False),
    Column("note", Text, nullable=False),
    Column("state", String, nullable=False),
    Column("rows_flowed", Integer, nullable=False),
    UniqueConstraint("source_id", "target_id", "kind"),
)  # fmt: skip

datasets = Table(
    "datasets", metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("content_sha256", String, nullable=False),
    Column("document", JSON, nullable=False),  # domain.datasets.DatasetVersion
    Column("created_at", UtcTime, nullable=False),
    Column("deleted", Boolean, nullable=False),  # the same for all versions of a family
    Column("family_id", String, nullable=False),  # id of the first version
    Column("number", Integer, nullable=False),
    Column("parent_id", String, index=True),
    Column("undone", Boolean, nullable=False),
)  # fmt: skip

recipes = Table(
    "recipes", metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("document", JSON, nullable=False),  # domain.recipes.Recipe
    Column("created_at", UtcTime, nullable=False),
    Column("deleted", Boolean, nullable=False),
)  # fmt: skip

base_models = Table(
    "base_models", metadata,
    Column("id", String, primary_key=True),
    Column("document", JSON, nullable=False),  # domain.basemodels.BaseModelInfo
)  # fmt: skip

runs = Table(
    "runs", metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("product_id", ForeignKey("products.id"), index=True),
    Column("dataset_id", ForeignKey("datasets.id"), nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("queue_position", Integer, nullable=False),
    Column("plan", JSON, nullable=False),  # domain.runs.RunPlan
    Column("estimate", JSON),  # domain.runs.FitEstimate
    Column("summary", JSON),  # domain.runs.RunSummary
    Column("verdict", JSON),  # domain.verdicts.Verdict
    Column("attempt", Integer, nullable=False),
    Column("pid", Integer),
    Column("pid_started_at", Float),
    Column("token", String, nullable=False),
    Column("applied_seq", Integer, nullable=False),
    Column("step", Integer, nullable=False),
    Column("total_steps", Integer, nullable=False),
    Column("last_loss", Float),
    Column("eta_s", Float),
    Column("error_code", String, nullable=False),
    Column("error_message", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    Column("started_at", UtcTime),
    Column("ended_at", UtcTime),
    Column("deleted", Boolean, nullable=False),
    Column("schedule", JSON(none_as_null=True)),  # domain.schedules.RunSchedule
    Column("search_id", String, index=True),
    Column("folds_id", String, index=True),
)  # fmt: skip

searches = Table(
    "searches", metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("dataset_id", ForeignKey("datasets.id"), nullable=False),
    Column("state", String, nullable=False, index=True),
    Column("reason", Text, nullable=False),
    Column("document", JSON, nullable=False),  # what does not change: plan, space, budget, seed
    Column("created_at", UtcTime, nullable=False),
    Column("ended_at", UtcTime),
    Column("deleted", Boolean, nullable=False),
)  # fmt: skip

trials = Table(
    "trials", metadata,
    Column("search_id", ForeignKey("searches.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("run_id", String, nullable=False),  # its run comes a moment later
    Column("settings", JSON, nullable=False),
    Column("state", String, nullable=False),
    Column("pruned", Boolean, nullable=False),
    Column("value", Float),
    Column("checks", JSON, nullable=False),
    Column("seconds", Float, nullable=False),
    Column("note", Text, nullable=False),
    PrimaryKeyConstraint("search_id", "number"),
)  # fmt: skip

steps = Table(
    "steps", metadata,
    Column("run_id", ForeignKey("runs.id"), nullable=False),
    Column("step", Integer, nullable=False),
    Column("epoch", Float, nullable=False),
    Column("loss", Float),
    Column("learning_rate", Float, nullable=False),
    Column("grad_norm", Float),
    Column("tokens_per_s", Float, nullable=False),
    Column("memory_bytes", Integer, nullable=False),
    Column("elapsed_s", Float, nullable=False),
    PrimaryKeyConstraint("run_id", "step"),
    sqlite_with_rowid=False,
)  # fmt: skip

evals = Table(
    "evals", metadata,
    Column("run_id", ForeignKey("runs.id"), nullable=False),
    Column("step", Integer, nullable=False),
    Column("epoch", Float, nullable=False),
    Column("loss", Float, nullable=False),
    Column("perplexity", Float, nullable=False),
    Column("rows", Integer, nullable=False),
    Column("is_best", Boolean, nullable=False),
    Column("metrics", JSON, nullable=False),
    PrimaryKeyConstraint("run_id", "step"),
    sqlite_with_rowid=False,
)  # fmt: skip

probes = Table(
    "probes", metadata,
    Column("run_id", ForeignKey("runs.id"), nullable=False),
    Column("step", Integer, nullable=False),
    Column("index", Integer, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("answer", Text, nullable=False),
    PrimaryKeyConstraint("run_id", "step", "index"),
)  # fmt: skip

checkpoints = Table(
    "checkpoints", metadata,
    Column("run_id", ForeignKey("runs.id"), nullable=False),
    Column("step", Integer, nullable=False),
    Column("path", String, nullable=False),
    Column("size_bytes", Integer, nullable=False),
    Column("created_at", UtcTime, nullable=False),
    PrimaryKeyConstraint("run_id", "step"),
)  # fmt: skip

comparisons = Table(
    "comparisons", metadata,
    Column("run_id", ForeignKey("runs.id"), primary_key=True),
    Column("split", String, nullable=False),
    Column("base_scores", JSON),
    Column("tuned_scores", JSON, nullable=False),
    Column("targets", JSON, nullable=False),
    Column("measure", String, nullable=False),
    Column("metrics", JSON, nullable=False),
)  # fmt: skip

feedback = Table(
    "feedback", metadata,
    Column("id", String, primary_key=True),
    Column("run_id", ForeignKey("runs.id"), index=True),
    Column("product_id", ForeignKey("products.id")),
    Column("model_name", String, nullable=False),
    Column("prompt", Text, nullable=False),
    Column("answer", Text, nullable=False),
    Column("signal", String, nullable=False),
    Column("correction", Text, nullable=False),
    Column("created_at", UtcTime, nullable=False),
)  # fmt: skip

outbound = Table(
    "outbound", metadata,
    Column("id", Integer, primary_key=True),
    Column("host", String, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("at", UtcTime, nullable=False),
)  # fmt: skip

decisions = Table(
    "decisions", metadata,
    Column("id", Integer, primary_key=True),
    Column("subject", String, nullable=False, index=True),
    Column("what", String, nullable=False),
    Column("why", Text, nullable=False),
    Column("by", String, nullable=False),
    Column("at", UtcTime, nullable=False),
)  # fmt: skip

version_table = Table(
    "alembic_version", MetaData(), Column("version_num", String(32), nullable=False, primary_key=True)
)
Index("ix_runs_created_at", runs.c.created_at)
Index("ix_datasets_family", datasets.c.family_id, datasets.c.number, unique=True)
Index(
    "uq_recipes_name", recipes.c.name, unique=True, sqlite_where=~recipes.c.deleted
)  # a name in the bin is free
