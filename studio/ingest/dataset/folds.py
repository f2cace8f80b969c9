"""Which part of a K-fold a row belongs to, decided by its content: the same on every machine, in every run.

Rows that stay together (equal content, or equal values of a column) form a group. Within each label the groups are
dealt out in the order of their hash, going on where the last label ended: parts differ by one group at most, and so
does every label within them. Copies that a step made to balance or vary the rows take no part, for their originals
might stand on the other side.
"""

from __future__ import annotations

from typing import Final

import polars as pl
import polars_hash  # noqa: F401 (registers the nchash namespace)

_LABELS: Final = ("label", "labels")
_COPIES: Final = ("resampled", "augmented")


def parts(scan: pl.LazyFrame, k: int, by: str | None = None) -> pl.DataFrame:
    """Columns row and part (0 to k - 1) of these rows, in their order.

    scan: columns of rows.parquet. by: a content column whose equal values stay together; rows without a value go by
    their content.
    """
    names = scan.collect_schema().names()
    if "origin" in names:
        scan = scan.filter(pl.col("origin").is_null() | ~pl.col("origin").is_in(_COPIES))
    label = next((name for name in _LABELS if name in names), None)
    rows = scan.select(
        "row", _group(by).alias("group"), (pl.col(label) if label else pl.lit("")).alias("label")
    ).collect()
    dealt = (
        rows.group_by("group")
        .agg(pl.col("label").min())
        .with_columns(_mixed(pl.col("group")).alias("order"))
        .sort("label", "order", "group", nulls_last=True)
        .with_row_index("place")
        .select("group", (pl.col("place") % k).alias("part"))
    )
    return (
        rows.select("row", "group")
        .join(dealt, on="group", how="left", maintain_order="left")
        .select("row", "part")
    )


def _group(by: str | None) -> pl.Expr:
    own = pl.col("key").cast(pl.String)
    if by is None:
        return own
    value = pl.col(by).cast(pl.String).fill_null("").str.strip_chars()
    return pl.when(value == "").then(own).otherwise(pl.concat_str(pl.lit("="), value))


def _mixed(group: pl.Expr) -> pl.Expr:
    """A hash apart from the one that made the splits: validation rows have the smallest keys."""
    hashed: pl.Expr = pl.concat_str(pl.lit("fold:"), group).nchash.xxhash64()  # type: ignore[attr-defined]
    return hashed
