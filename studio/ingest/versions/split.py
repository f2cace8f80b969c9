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

from collections.abc import Callable, Iterator
from typing import Any, Final

import numpy as np
import polars as pl
import polars_hash  # noqa: F401 (registers the nchash namespace)

from studio.domain.datasets import Split, SplitShares
from studio.domain.recipes import SplitStep, StepOutcome
from studio.domain.shapes import SHAPES
from studio.i18n import _
from studio.ingest.dataset.canonical import ROWS_FILE
from studio.ingest.dataset.content import label_column, prose_columns
from studio.ingest.dataset.labels import classes, count_labels
from studio.ingest.dataset.splits import asked_splits, split_expr
from studio.ingest.versions import refusals
from studio.ingest.versions.context import StepContext
from studio.ingest.versions.rowstream import frames_of
from studio.ingest.versions.strata import (
    GROUP,
    SPLITS,
    STRATUM,
    clustered,
    label_cuts,
    none_empty,
    stratified,
)

NEAR_DUPLICATES: Final = "near-duplicates"
SIMILARITY: Final = 0.8
_COPIES: Final = ("resampled", "augmented")


class SplitRunner:
    """Reads all rows' hashes before the first frame. Raises StudioError step.unsuitable, step.no_such_column.

    details of the outcome: ``splits`` (rows of each), ``compared`` (rows that were searched for near-duplicates, where
    these are not all).
    """

    def __init__(self, step: SplitStep, context: StepContext) -> None:
        self._step = step
        self._context = context
        self._shares = SplitShares(validation=step.validation, test=step.test)
        self._changed = 0
        self._splits = dict.fromkeys((split.value for split in Split), 0)
        self._compared: int | None = None
        self._require_suitable()

    @property
    def outcome(self) -> StepOutcome:
        details: dict[str, Any] = {"splits": self._splits}
        if self._compared is not None and self._compared < sum(self._splits.values()):
            details["compared"] = self._compared
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
        split = split_expr(self._shares, GROUP)
        found: set[str] = set()
        for hashes in self._all_hashes():
            found.update(hashes.select(split)["split"].unique())
        complete = self._asked() <= found
        return (lambda frame: self._hashes(frame).select(split)["split"]) if complete else None

    def _by_cuts(self) -> Rule | None:
        """Within each label, the hashes up to which rows go to validation and to test; None as above."""
        parts = list(self._all_hashes())
        cuts, found = label_cuts(
            np.concatenate([part[STRATUM].to_numpy() for part in parts]),
            np.concatenate([part[GROUP].to_numpy() for part in parts]),
            self._shares,
        )
        if not self._asked() <= found:
            return None

        def rule(frame: pl.DataFrame) -> pl.Series:
            joined = self._hashes(frame).join(cuts, on=STRATUM, how="left", maintain_order="left")
            split = (
                pl.when(pl.col(GROUP) < pl.col("validation"))
                .then(pl.lit(Split.VALIDATION.value))
                .when(pl.col(GROUP) < pl.col("test"))
                .then(pl.lit(Split.TEST.value))
                .otherwise(pl.lit(Split.TRAIN.value))
            )
            return joined.select(split.alias("split"))["split"]

        return rule

    def _by_table(self) -> Rule:
        """Every group is looked at: for groups of several labels, clusters, and small sets."""
        table = pl.concat(list(self._all_hashes()))
        if self._step.group_by == NEAR_DUPLICATES:
            table = clustered(table, self._clusters())
        if self._step.stratify:
            groups = stratified(table, self._shares)
        else:
            groups = table.select(GROUP).unique().with_columns(split_expr(self._shares, GROUP).cast(SPLITS))
        groups = none_empty(groups, self._shares)
        assigned = table.select(GROUP).join(groups, on=GROUP, how="left", maintain_order="left")["split"]
        at = 0

        def rule(frame: pl.DataFrame) -> pl.Series:
            nonlocal at  # frames come in the order of rows
            at += frame.height
            return assigned.slice(at - frame.height, frame.height)

        return rule

    def _asked(self) -> set[str]:
        return {split.value for split in asked_splits(self._shares)}

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
        columns = [pl.col("key").alias(GROUP) if group in (None, NEAR_DUPLICATES) else _by_value(str(group))]
        if group == NEAR_DUPLICATES:
            columns.append(pl.col("row"))
        if self._step.stratify:
            column = label_column(self._context.shape)
            assert column is not None
            stratum = classes(frame, column, self._counts).fill_null("")
            columns.append(_hashed(pl.lit(stratum)).alias(STRATUM))
        return frame.select(columns)

    def _clusters(self) -> dict[int, int]:
        # Here, because the doctor takes its balancing from this room.
        from studio.ingest.doctor.near.clusters import clusters

        context = self._context
        found = clusters(context.dataset_dir, context.shape, SIMILARITY, context.check)
        self._compared = found.compared
        return found.of

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


Rule = Callable[[pl.DataFrame], pl.Series]


def _hashed(text: pl.Expr) -> pl.Expr:
    hashed: pl.Expr = text.nchash.xxhash64()  # type: ignore[attr-defined]
    return hashed


def _by_value(column: str) -> pl.Expr:
    value = pl.col(column).fill_null("").str.strip_chars()
    return pl.when(value == "").then("key").otherwise(_hashed(value)).alias(GROUP)
