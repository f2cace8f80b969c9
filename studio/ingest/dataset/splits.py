"""Which split a row belongs to, decided by its content alone: the same on every machine, now and next year.

key = XXH64 (seed 0) of the content, each cell with outer whitespace stripped and line ends as LF, cells joined by
the unit separator U+001F. The key's top 53 bits as a fraction f of 1: f < validation -> validation;
f < validation + test -> test; else training. So the same content is in the same split after any re-import.

Small sets: when a split that was asked for got no row, the content with the smallest key not yet needed elsewhere
is moved there: to validation as long as one other content remains, to test as long as two others remain. With four
contents or more no split that was asked for is empty.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import polars as pl
import polars_hash  # noqa: F401 (registers the nchash namespace)

from studio.domain.datasets import Split, SplitShares

_SEPARATOR: Final = "\x1f"


def key_expr(frame: pl.DataFrame, content: Sequence[str], *, plain: bool = False) -> pl.Expr:
    """The content hash of each row, UInt64. plain: known to hold no carriage return."""
    filled = [name for name in content if frame[name].null_count() < frame.height]
    blank = pl.lit("")  # a column without any value adds only its separator
    cells = [_cell(frame[name]) if name in filled else blank for name in content]
    if (
        filled
        and not plain
        and any(frame.select(pl.col(filled).str.contains("\r", literal=True).any()).row(0))
    ):
        cells = [cell.str.replace_all("\r\n", "\n", literal=True) for cell in cells]
    joined = pl.concat_str(cells, separator=_SEPARATOR) if len(cells) > 1 else cells[0]
    hashed: pl.Expr = joined.nchash.xxhash64()  # type: ignore[attr-defined]
    return hashed.alias("key")


def _cell(column: pl.Series) -> pl.Expr:
    text = pl.col(column.name)
    return (text.fill_null("") if column.null_count() else text).str.strip_chars()


def split_expr(shares: SplitShares, key: str = "key") -> pl.Expr:
    """The split of each row by its key, or by another column of hashes (UInt64)."""
    fraction = (pl.col(key) // 2048).cast(pl.Float64) / 2.0**53
    return (
        pl.when(fraction < shares.validation)
        .then(pl.lit(Split.VALIDATION.value))
        .when(fraction < shares.validation + shares.test)
        .then(pl.lit(Split.TEST.value))
        .otherwise(pl.lit(Split.TRAIN.value))
        .alias("split")
    )


def asked_splits(shares: SplitShares) -> list[Split]:
    """The splits that are to have rows; the rest is for training."""
    asked = {Split.VALIDATION: shares.validation, Split.TEST: shares.test, Split.TRAIN: 1.0}
    return [split for split, share in asked.items() if share > 0]


def missing_splits(keys: pl.DataFrame, shares: SplitShares) -> dict[int, Split]:
    """Keys to move so that no split that was asked for stays empty; keys: columns ``key`` and ``split``."""
    distinct = keys.unique("key").sort("key")
    moved: dict[int, Split] = {}
    for split in asked_splits(shares):
        if (distinct["split"] == split.value).any():
            continue
        spare = distinct.filter(pl.len().over("split") > (2 if split is Split.TEST else 1))
        if spare.is_empty() and distinct.height > 3:  # two training and two validation contents: one can go
            spare = distinct.filter(pl.len().over("split") > 1)
        if spare.height:
            key = int(spare["key"][0])
            moved[key] = split
            distinct = distinct.with_columns(_moved(moved))
    return moved


def _moved(moved: dict[int, Split]) -> pl.Expr:
    expr = pl.col("split")
    for key, split in moved.items():
        expr = pl.when(pl.col("key") == pl.lit(key, pl.UInt64)).then(pl.lit(split.value)).otherwise(expr)
    return expr.alias("split")


def with_moved(frame: pl.DataFrame, moved: dict[int, Split]) -> pl.DataFrame:
    """The rows with the moved contents in their new splits."""
    return frame.with_columns(_moved(moved))
