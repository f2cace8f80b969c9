"""How many rows each label has, counted in one pass over a rows.parquet of any size."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import polars as pl

from studio.domain.shapes import Shape
from studio.ingest.dataset.content import LIST_COLUMNS, label_column, labels_of

MOST_LABELS: Final = 1_000
_STEP_ROWS: Final = 50_000


def count_labels(
    rows: pl.LazyFrame, shape: Shape, check: Callable[[], None] = lambda: None, most: int = MOST_LABELS
) -> dict[str, int]:
    """Rows of each label, the most frequent first, "" for rows without one; {} for shapes without labels.

    rows: a scan of a rows.parquet. check: called often; raises to cancel.
    """
    table = labels_by_split(rows, shape, check)
    sums = table.group_by("label").agg(pl.col("rows").sum()).sort("rows", "label", descending=[True, False])
    return dict(sums.head(most).iter_rows())


def labels_by_split(
    rows: pl.LazyFrame, shape: Shape, check: Callable[[], None] = lambda: None
) -> pl.DataFrame:
    """Columns label, split, rows; a row with several labels counts once for each."""
    column = label_column(shape)
    total = pl.DataFrame(schema={"label": pl.String, "split": pl.String, "rows": pl.Int64})
    if column is None:
        return total
    for frame in rows.select("split", column).collect_batches(chunk_size=_STEP_ROWS):
        check()
        labels = labels_of(frame, column).group_by(pl.col("label").fill_null(""), "split")
        counted = labels.agg(pl.len().cast(pl.Int64).alias("rows"))
        total = pl.concat([total, counted]).group_by("label", "split").agg(pl.col("rows").sum())
    return total


def classes(frame: pl.DataFrame, column: str, counts: dict[str, int]) -> pl.Series:
    """The class of each row, null for none: its label, and of several labels the least frequent by ``counts``."""
    if column not in LIST_COLUMNS:
        return frame[column].alias("class")
    order = {label: (count, label) for label, count in counts.items()}
    lists = frame[column].str.json_decode(pl.List(pl.String)).to_list()
    rarest = [min(labels, key=lambda label: order[label]) if labels else None for labels in lists]
    return pl.Series("class", rarest, dtype=pl.String)
