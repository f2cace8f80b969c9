"""Classes of very different size, evened out in the training split only: by copies, by leaving out, or by weights.

Validation and test keep the shares of real life, or their figures would speak of another world. Rows without a label
are left alone. A row with several labels counts as its rarest.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import polars as pl

from studio.domain.datasets import Split
from studio.domain.recipes import FixAction, FixStep, StepOutcome
from studio.domain.shapes import Shape
from studio.i18n import _
from studio.ingest.dataset.canonical import ROWS_FILE
from studio.ingest.dataset.content import label_column
from studio.ingest.dataset.labels import classes, count_labels
from studio.ingest.versions import refusals
from studio.ingest.versions.context import StepContext
from studio.ingest.versions.rowstream import frames_of

MOST_COPIES: Final = 20  # of one row: beyond, a model learns the row by heart
FEWEST_LEFT: Final = 10  # rows of a class; one tiny class must not take all others' rows


def targets(counts: dict[str, int], action: FixAction) -> dict[str, int]:
    """Training rows of each class after OVERSAMPLE or UNDERSAMPLE, from the rows before.

    Oversampling: as many as the largest class, but no row more than MOST_COPIES times again. Undersampling: as many
    as the smallest class, but at least FEWEST_LEFT.
    """
    if not counts:
        return {}
    if action is FixAction.OVERSAMPLE:
        largest = max(counts.values())
        return {label: min(largest, count * (1 + MOST_COPIES)) for label, count in counts.items()}
    least = max(min(counts.values()), FEWEST_LEFT)
    return {label: min(count, least) for label, count in counts.items()}


def class_weights(counts: dict[str, int]) -> dict[str, float]:
    """Weight of each class in the loss: all rows / (classes x rows of the class), so that the mean over rows is 1."""
    total = sum(counts.values())
    return {label: round(total / (len(counts) * count), 4) for label, count in counts.items()}


def training_counts(context: StepContext) -> dict[str, int]:
    """Training rows of each class, the most frequent first. Raises StudioError step.unsuitable without labels."""
    column = require_labels(context.shape)
    counts: dict[str, int] = {}
    everywhere = _label_counts(context)
    for frame in frames_of(context.dataset_dir, context.shape, context.check):
        found = classes(frame, column, everywhere).filter(frame["split"] == Split.TRAIN.value).drop_nulls()
        for label, count in found.value_counts().iter_rows():
            counts[label] = counts.get(label, 0) + count
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


def require_labels(shape: Shape) -> str:
    column = label_column(shape)
    if column is None:
        raise refusals.unsuitable(_("These rows have no labels whose numbers could be evened out."))
    return column


def _label_counts(context: StepContext) -> dict[str, int]:
    rows = pl.scan_parquet(context.dataset_dir / ROWS_FILE, glob=False)
    return count_labels(rows, context.shape, context.check, most=1 << 30)


class BalanceRunner:
    """OVERSAMPLE, UNDERSAMPLE or WEIGHTS; reads all labels before the first frame.

    Which rows are copied once more, or left out, their content hash decides: the same rows every time.
    """

    def __init__(self, step: FixStep, context: StepContext) -> None:
        self._step = step
        self._context = context
        self._column = require_labels(context.shape)
        self._added = 0
        self._removed = 0
        self._counts: dict[str, int] = {}

    @property
    def outcome(self) -> StepOutcome:
        details = {"labels": self._counts, "class_weights": dict(self._context.class_weights)}
        return StepOutcome(
            step=self._step, rows_before=0, rows_after=0, added=self._added, removed=self._removed,
            details=details,
        )  # fmt: skip

    def run(self, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        self._counts = training_counts(self._context)
        self._context.class_weights.clear()
        if self._step.action is FixAction.WEIGHTS:
            self._context.class_weights.update(class_weights(self._counts))
            yield from frames
            return
        plan = self._plan()
        everywhere = _label_counts(self._context)
        for frame in frames:
            own = frame.with_columns(classes(frame, self._column, everywhere))
            times = own.join(plan, on="class", how="left", maintain_order="left").select(_times())["times"]
            yield from self._repeated(frame, times)

    def _plan(self) -> pl.DataFrame:
        """For each class: how often every row stays, and up to which rank (by hash) a row stays once more."""
        wanted = targets(self._counts, self._step.action)
        even = {label: divmod(wanted[label], count) for label, count in self._counts.items()}
        keys = self._cuts({label: more for label, (_whole, more) in even.items() if more})
        return pl.DataFrame(
            {
                "class": list(even),
                "whole": [whole for whole, _more in even.values()],
                "cut_key": [keys.get(label, (None, None))[0] for label in even],
                "cut_row": [keys.get(label, (None, None))[1] for label in even],
            },
            schema={"class": pl.String, "whole": pl.Int64, "cut_key": pl.UInt64, "cut_row": pl.Int64},
        )

    def _cuts(self, more: dict[str, int]) -> dict[str, tuple[int, int]]:
        """The (hash, row) up to which, inclusive, as many training rows of the class lie as ``more`` says."""
        everywhere = _label_counts(self._context)
        parts = []
        for frame in frames_of(self._context.dataset_dir, self._context.shape, self._context.check):
            own = frame.select("key", "row", "split").with_columns(classes(frame, self._column, everywhere))
            training = own.filter(pl.col("split") == Split.TRAIN.value, pl.col("class").is_in(list(more)))
            parts.append(training.select("class", "key", "row"))
        table = pl.concat(parts).sort("class", "key", "row")
        rank = pl.int_range(1, pl.len() + 1).over("class")
        last = pl.col("class").replace_strict(more, default=0, return_dtype=pl.Int64)
        cuts = table.filter(rank == last) if more else table.clear()
        return {label: (key, row) for label, key, row in cuts.iter_rows()}

    def _repeated(self, frame: pl.DataFrame, times: pl.Series) -> Iterator[pl.DataFrame]:
        kept = frame.filter(times > 0)
        self._removed += frame.height - kept.height
        yield kept
        extra = times - 1
        places = pl.int_range(0, frame.height, eager=True)
        again = places.to_frame("place").with_columns(extra.clip(lower_bound=0).alias("times"))
        copies = frame[again.select(pl.col("place").repeat_by("times").explode(empty_as_null=False))["place"]]
        if copies.height:
            self._added += copies.height
            numbers = pl.Series("row", self._context.next_row(copies.height), dtype=pl.Int64)
            yield copies.with_columns(numbers, pl.lit("resampled").alias("origin"))


def _times() -> pl.Expr:
    """How often a row is there afterwards; all but training rows with a class are there once."""
    before_cut = (pl.col("key") < pl.col("cut_key")) | (
        (pl.col("key") == pl.col("cut_key")) & (pl.col("row") <= pl.col("cut_row"))
    )
    often = pl.col("whole") + before_cut.fill_null(False).cast(pl.Int64)
    stays = (pl.col("split") != Split.TRAIN.value) | pl.col("whole").is_null()
    return pl.when(stays).then(1).otherwise(often).alias("times")
