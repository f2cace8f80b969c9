"""Moving rows that cannot be used from a table to the list of rejections."""

from __future__ import annotations

import polars as pl

from studio.domain.datasets import RejectedRow
from studio.ingest.readers.batches import EXCERPT_CHARS, rejection

MOST_CONTENT_CHARS = 100_000


def is_blank(cell: str) -> pl.Expr:
    """Whether the cell is missing or holds white space only."""
    return pl.col(cell).is_null() | (pl.col(cell).str.strip_chars_start().str.len_bytes() == 0)


def put_aside(
    frame: pl.DataFrame, codes: pl.Series, rejected: list[RejectedRow], contents: dict[int, str] | None = None
) -> pl.DataFrame:
    """The rows without a code; the others go to ``rejected``. contents: row -> what a fix could bring back."""
    if codes.null_count() == len(codes):
        return frame
    bad = frame.with_columns(codes.alias("code")).filter(pl.col("code").is_not_null())
    for number, *cells, code in bad.iter_rows():
        shown = " | ".join(str(cell or "")[:EXCERPT_CHARS] for cell in cells)
        content = (contents or {}).get(number, "")
        kept = content if len(content) <= MOST_CONTENT_CHARS else ""
        rejected.append(rejection(number, code, shown).model_copy(update={"content": kept}))
    return frame.filter(codes.is_null())
