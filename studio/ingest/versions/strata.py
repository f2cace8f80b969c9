"""How groups of rows are given their splits, each label the same shares of it: the arithmetic of versions/split.py."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import polars as pl
from numpy.typing import NDArray

from studio.domain.datasets import Split, SplitShares
from studio.ingest.dataset.splits import asked_splits, missing_splits

GROUP: Final = "group"
STRATUM: Final = "stratum"
SPLITS: Final = pl.Enum([split.value for split in Split])


def label_cuts(
    strata: NDArray[np.uint64], hashes: NDArray[np.uint64], shares: SplitShares
) -> tuple[pl.DataFrame, set[str]]:
    """(a table stratum, validation, test: a hash below ``validation`` goes there, else one below ``test`` there;
    the splits that get a row). strata, hashes: of each row; the same hash is never in two strata.

    The same split of every row as by ``stratified``, without holding a table of all contents.
    """
    order = np.argsort(strata, kind="stable")
    ends = np.flatnonzero(np.diff(strata[order])) + 1
    rows: list[tuple[int, int, int]] = []
    found = {Split.TRAIN.value}
    for places in np.split(order, ends):
        values, counts = np.unique(hashes[places], return_counts=True)
        middle = np.cumsum(counts) - counts / 2
        stratum, total = int(strata[places[0]]), int(counts.sum())
        rounding = (stratum // 2048) / 2.0**53
        limits = []
        for share in (shares.validation, shares.validation + shares.test):
            inside = int(np.searchsorted(middle, math.floor(total * share + rounding + 1e-9)))
            limits.append(min(inside, len(values) - 1))  # the last one trains
        found |= {Split.VALIDATION.value} if limits[0] else set()
        found |= {Split.TEST.value} if limits[1] > limits[0] else set()
        rows.append((stratum, *(int(values[limit]) for limit in limits)))  # type: ignore[arg-type]
    schema = {STRATUM: pl.UInt64, "validation": pl.UInt64, "test": pl.UInt64}
    return pl.DataFrame(rows, schema=schema, orient="row"), found


def clustered(table: pl.DataFrame, clusters: dict[int, int]) -> pl.DataFrame:
    """Each cluster, and every row with the content of one of its rows, gets the cluster's smallest content hash."""
    if not clusters:
        return table
    members = pl.DataFrame(
        {"row": list(clusters), "cluster": list(clusters.values())},
        schema={"row": pl.Int64, "cluster": pl.Int64},
    )
    found = table.select("row", GROUP).join(members, on="row")
    least = pl.col(GROUP).min().over("cluster").alias("least")
    by_key = found.with_columns(least).group_by(GROUP).agg(pl.col("least").min())
    joined = table.join(by_key, on=GROUP, how="left", maintain_order="left")
    return joined.with_columns(pl.col("least").fill_null(pl.col(GROUP)).alias(GROUP)).drop("least")


def stratified(table: pl.DataFrame, shares: SplitShares) -> pl.DataFrame:
    """Columns group and split; a group of several labels counts with the one that most of its rows have."""
    groups = (
        table.group_by(GROUP, STRATUM)
        .agg(pl.len().alias("here"))
        .sort(GROUP, "here", STRATUM, descending=[False, True, False])
        .group_by(GROUP, maintain_order=True)
        .agg(pl.col(STRATUM).first(), pl.col("here").sum().alias("rows"))
        .sort(STRATUM, GROUP)
    )
    rows = pl.col("rows").cast(pl.Float64)
    total = rows.sum().over(STRATUM)
    middle = rows.cum_sum().over(STRATUM) - rows / 2
    rounding = (pl.col(STRATUM) // 2048).cast(pl.Float64) / 2.0**53
    is_last = pl.int_range(pl.len()).over(STRATUM) == pl.len().over(STRATUM) - 1
    split = (
        pl.when(is_last)
        .then(pl.lit(Split.TRAIN.value))
        .when(middle < _cut(total * shares.validation, rounding))
        .then(pl.lit(Split.VALIDATION.value))
        .when(middle < _cut(total * (shares.validation + shares.test), rounding))
        .then(pl.lit(Split.TEST.value))
        .otherwise(pl.lit(Split.TRAIN.value))
    )
    return groups.select(GROUP, split.cast(SPLITS).alias("split"))


def _cut(place: pl.Expr, rounding: pl.Expr) -> pl.Expr:
    """A whole number of rows; 1e-9 takes back what binary fractions lose of shares such as 0.1."""
    return (place + rounding + 1e-9).floor()


def none_empty(groups: pl.DataFrame, shares: SplitShares) -> pl.DataFrame:
    """The same, where a split that was asked for got nothing with one group moved there (dataset/splits.py)."""
    if all((groups["split"] == split.value).any() for split in asked_splits(shares)):
        return groups
    named = groups.select(pl.col(GROUP).alias("key"), pl.col("split").cast(pl.String))
    moved = missing_splits(named, shares)
    keys = {key: split.value for key, split in moved.items()}
    table = pl.DataFrame(
        {GROUP: list(keys), "moved": list(keys.values())}, schema={GROUP: pl.UInt64, "moved": SPLITS}
    )
    joined = groups.join(table, on=GROUP, how="left", maintain_order="left")
    return joined.select(GROUP, pl.coalesce("moved", "split").alias("split"))
