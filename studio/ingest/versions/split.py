"""Splitting anew: by content, by a column whose equal values stay together, by near-duplicates, by label.

What decides is a hash, so a split does not change when rows are added or come in another order:
- Plain: the content hash (dataset/splits.py). Fully stable.
- By a column: the hash of its value, so all rows of a value are on one side. Fully stable. A row without a value is
  decided by its content.
- By near-duplicates: the smallest content hash of the cluster. Stable as long as no new row joins a cluster.
- Stratified: within each label the rows (or groups) in the order of their hash; the first share is validation, the
  next test, the rest training. Shares are exact to within one row of each label (to within one group, if grouped).
  The order never changes, but the places of the two cuts do when a label grows, so a few rows near them change
  sides. A label's rounding is decided by the label's own hash, so that rare labels are neither all in nor all out;
  the last row of each label stays in training, so a label with one row only trains.
A split that was asked for and stayed empty gets one content by the rule of dataset/splits.py.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
import polars as pl
import polars_hash  # noqa: F401 (registers the nchash namespace)
from numpy.typing import NDArray

from studio.domain.datasets import Split, SplitShares
from studio.domain.recipes import SplitStep, StepOutcome
from studio.domain.shapes import SHAPES
from studio.i18n import _
from studio.ingest.dataset.canonical import ROWS_FILE
from studio.ingest.dataset.content import label_column, prose_columns
from studio.ingest.dataset.labels import classes, count_labels
from studio.ingest.dataset.splits import missing_splits, split_expr
from studio.ingest.versions import refusals
from studio.ingest.versions.context import StepContext
from studio.ingest.versions.rowstream import frames_of

NEAR_DUPLICATES: Final = "near-duplicates"
SIMILARITY: Final = 0.8
_COPIES: Final = ("resampled", "augmented")
_GROUP: Final = "group"
_STRATUM: Final = "stratum"


class SplitRunner:
    """Reads all rows' hashes before the first frame. Raises StudioError step.unsuitable, step.no_such_column."""

    def __init__(self, step: SplitStep, context: StepContext) -> None:
        self._step = step
        self._context = context
        self._shares = SplitShares(validation=step.validation, test=step.test)
        self._changed = 0
        self._splits = dict.fromkeys((split.value for split in Split), 0)
        self._require_suitable()

    @property
    def outcome(self) -> StepOutcome:
        details = {"splits": self._splits}
        return StepOutcome(
            step=self._step, rows_before=0, rows_after=0, changed=self._changed, details=details
        )

    def run(self, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        rule = self._rule()
        for frame in frames:
            new = rule(frame).cast(pl.String).alias("split")
            self._changed += int((new != frame["split"]).sum())
            for split, count in new.value_counts().iter_rows():
                self._splits[split] += count
            yield frame.with_columns(new)

    def _rule(self) -> Rule:
        """The split of each row of a frame. Where the hash alone decides no table of all rows is held."""
        grouped = self._step.group_by is not None
        rule: Rule | None = None
        if not self._step.stratify and self._step.group_by != NEAR_DUPLICATES:
            rule = self._by_hash()
        elif self._step.stratify and not grouped:
            rule = self._by_cuts()
        return rule or self._by_table()

    def _by_hash(self) -> Rule | None:
        """None when that would leave a split empty that was asked for."""
        split = split_expr(self._shares, _GROUP)
        found: set[str] = set()
        for hashes in self._all_hashes():
            found.update(hashes.select(split)["split"].unique())
        complete = self._asked() <= found
        return (lambda frame: self._hashes(frame).select(split)["split"]) if complete else None

    def _by_cuts(self) -> Rule | None:
        """Within each label, the hashes up to which rows go to validation and to test; None as above."""
        parts = list(self._all_hashes())
        cuts, found = label_cuts(
            np.concatenate([part[_STRATUM].to_numpy() for part in parts]),
            np.concatenate([part[_GROUP].to_numpy() for part in parts]),
            self._shares,
        )
        if not self._asked() <= found:
            return None

        def rule(frame: pl.DataFrame) -> pl.Series:
            joined = self._hashes(frame).join(cuts, on=_STRATUM, how="left", maintain_order="left")
            split = (
                pl.when(pl.col(_GROUP) < pl.col("validation"))
                .then(pl.lit(Split.VALIDATION.value))
                .when(pl.col(_GROUP) < pl.col("test"))
                .then(pl.lit(Split.TEST.value))
                .otherwise(pl.lit(Split.TRAIN.value))
            )
            return joined.select(split.alias("split"))["split"]

        return rule

    def _by_table(self) -> Rule:
        """Every group is looked at: for groups of several labels, clusters, and small sets."""
        table = pl.concat(list(self._all_hashes()))
        if self._step.group_by == NEAR_DUPLICATES:
            table = _clustered(table, self._clusters())
        if self._step.stratify:
            groups = _stratified(table, self._shares)
        else:
            groups = (
                table.select(_GROUP).unique().with_columns(split_expr(self._shares, _GROUP).cast(_SPLITS))
            )
        groups = _none_empty(groups, self._shares)
        assigned = table.select(_GROUP).join(groups, on=_GROUP, how="left", maintain_order="left")["split"]
        at = 0

        def rule(frame: pl.DataFrame) -> pl.Series:
            nonlocal at  # frames come in the order of rows
            at += frame.height
            return assigned.slice(at - frame.height, frame.height)

        return rule

    def _asked(self) -> set[str]:
        asked = {Split.VALIDATION: self._shares.validation, Split.TEST: self._shares.test, Split.TRAIN: 1.0}
        return {split.value for split, share in asked.items() if share > 0}

    def _all_hashes(self) -> Iterator[pl.DataFrame]:
        """Columns group and, if asked for, stratum and row, of all rows in order: hashes, 8 bytes each."""
        context, group = self._context, self._step.group_by
        names = {str(group)} if group not in (None, NEAR_DUPLICATES) else set()
        names |= {str(label_column(context.shape))} if self._step.stratify else set()
        for frame in frames_of(context.dataset_dir, context.shape, context.check, sorted(names)):
            yield self._hashes(frame)

    def _hashes(self, frame: pl.DataFrame) -> pl.DataFrame:
        if frame["origin"].is_in(_COPIES).any():
            raise refusals.unsuitable(
                _("Rows were copied into training; splitting them now could put a copy on the other side.")
            )
        group = self._step.group_by
        columns = [pl.col("key").alias(_GROUP) if group in (None, NEAR_DUPLICATES) else _by_value(str(group))]
        if group == NEAR_DUPLICATES:
            columns.append(pl.col("row"))
        if self._step.stratify:
            column = label_column(self._context.shape)
            assert column is not None
            stratum = classes(frame, column, self._counts).fill_null("")
            columns.append(_hashed(pl.lit(stratum)).alias(_STRATUM))
        return frame.select(columns)

    def _clusters(self) -> dict[int, int]:
        from studio.ingest.doctor.near.clusters import (
            clusters,
        )  # the doctor takes its balancing from this room

        context = self._context
        return clusters(context.dataset_dir, context.shape, SIMILARITY, context.check)

    def _require_suitable(self) -> None:
        step, shape = self._step, self._context.shape
        if step.group_by not in (None, NEAR_DUPLICATES, *SHAPES[shape].stored):
            raise refusals.no_such_column(str(step.group_by))
        if step.group_by == NEAR_DUPLICATES and not prose_columns(shape):
            raise refusals.unsuitable(_("These rows have no texts that could be alike."))
        self._counts: dict[str, int] = {}
        if not step.stratify:
            return
        if label_column(shape) is None:
            raise refusals.unsuitable(_("These rows have no labels to give equal shares to."))
        rows = pl.scan_parquet(self._context.dataset_dir / ROWS_FILE, glob=False)
        self._counts = count_labels(rows, shape, self._context.check, most=1 << 30)


_SPLITS: Final = pl.Enum([split.value for split in Split])


Rule = Callable[[pl.DataFrame], pl.Series]


def label_cuts(
    strata: NDArray[np.uint64], hashes: NDArray[np.uint64], shares: SplitShares
) -> tuple[pl.DataFrame, set[str]]:
    """(a table stratum, validation, test: a hash below ``validation`` goes there, else one below ``test`` there;
    the splits that get a row). strata, hashes: of each row; the same hash is never in two strata.

    The same split of every row as by ``_stratified``, without holding a table of all contents.
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
    schema = {_STRATUM: pl.UInt64, "validation": pl.UInt64, "test": pl.UInt64}
    return pl.DataFrame(rows, schema=schema, orient="row"), found


def _hashed(text: pl.Expr) -> pl.Expr:
    hashed: pl.Expr = text.nchash.xxhash64()  # type: ignore[attr-defined]
    return hashed


def _by_value(column: str) -> pl.Expr:
    value = pl.col(column).fill_null("").str.strip_chars()
    return pl.when(value == "").then("key").otherwise(_hashed(value)).alias(_GROUP)


def _clustered(table: pl.DataFrame, clusters: dict[int, int]) -> pl.DataFrame:
    """Each cluster, and every row with the content of one of its rows, gets the cluster's smallest content hash."""
    if not clusters:
        return table
    members = pl.DataFrame(
        {"row": list(clusters), "cluster": list(clusters.values())},
        schema={"row": pl.Int64, "cluster": pl.Int64},
    )
    found = table.select("row", _GROUP).join(members, on="row")
    least = pl.col(_GROUP).min().over("cluster").alias("least")
    by_key = found.with_columns(least).group_by(_GROUP).agg(pl.col("least").min())
    joined = table.join(by_key, on=_GROUP, how="left", maintain_order="left")
    return joined.with_columns(pl.col("least").fill_null(pl.col(_GROUP)).alias(_GROUP)).drop("least")


def _stratified(table: pl.DataFrame, shares: SplitShares) -> pl.DataFrame:
    """Columns group and split; a group of several labels counts with the one that most of its rows have."""
    groups = (
        table.group_by(_GROUP, _STRATUM)
        .agg(pl.len().alias("here"))
        .sort(_GROUP, "here", _STRATUM, descending=[False, True, False])
        .group_by(_GROUP, maintain_order=True)
        .agg(pl.col(_STRATUM).first(), pl.col("here").sum().alias("rows"))
        .sort(_STRATUM, _GROUP)
    )
    rows = pl.col("rows").cast(pl.Float64)
    total = rows.sum().over(_STRATUM)
    middle = rows.cum_sum().over(_STRATUM) - rows / 2
    rounding = (pl.col(_STRATUM) // 2048).cast(pl.Float64) / 2.0**53
    is_last = pl.int_range(pl.len()).over(_STRATUM) == pl.len().over(_STRATUM) - 1
    split = (
        pl.when(is_last)
        .then(pl.lit(Split.TRAIN.value))
        .when(middle < _cut(total * shares.validation, rounding))
        .then(pl.lit(Split.VALIDATION.value))
        .when(middle < _cut(total * (shares.validation + shares.test), rounding))
        .then(pl.lit(Split.TEST.value))
        .otherwise(pl.lit(Split.TRAIN.value))
    )
    return groups.select(_GROUP, split.cast(_SPLITS).alias("split"))


def _cut(place: pl.Expr, rounding: pl.Expr) -> pl.Expr:
    """A whole number of rows; 1e-9 takes back what binary fractions lose of shares such as 0.1."""
    return (place + rounding + 1e-9).floor()


def _none_empty(groups: pl.DataFrame, shares: SplitShares) -> pl.DataFrame:
    asked = [(Split.VALIDATION, shares.validation), (Split.TEST, shares.test), (Split.TRAIN, 1.0)]
    if all(share <= 0 or (groups["split"] == split.value).any() for split, share in asked):
        return groups
    named = groups.select(pl.col(_GROUP).alias("key"), pl.col("split").cast(pl.String))
    moved = missing_splits(named, shares)
    keys = {key: split.value for key, split in moved.items()}
    table = pl.DataFrame(
        {_GROUP: list(keys), "moved": list(keys.values())}, schema={_GROUP: pl.UInt64, "moved": _SPLITS}
    )
    joined = groups.join(table, on=_GROUP, how="left", maintain_order="left")
    return joined.select(_GROUP, pl.coalesce("moved", "split").alias("split"))
