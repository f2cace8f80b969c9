"""Moving rows that cannot be used from a table to the list of rejections."""

from __future__ import annotations

import polars as pl

from studio.domain.datasets import RejectedRow
from studio.ingest.readers.batches import EXCERPT_CHARS, rejection

MOST_CONTENT_CHARS = 100_000
# Beyond ASCII; the second ends right after the ideographic space, of which a text may have several.
_WHITE_SPACE = (("\x85", "\xa1"), ("\u1680", "\u3001"))


def blank_codes(frame: pl.DataFrame, cells: list[str]) -> pl.Series | None:
    """``missing_CELL`` for each row where one of the cells is blank, the first of them; None where none is."""
    # Nearly always: a comparison of the first characters shows it, at a tenth of the price.
    doubtful = [cell for cell in cells if frame.select(_may_be_blank(cell).any()).item()]
    if not doubtful:
        return None
    code = pl.lit(None, pl.String)
    for cell in reversed(doubtful):
        code = pl.when(is_blank(cell)).then(pl.lit(f"missing_{cell}")).otherwise(code)
    return frame.select(code.alias("code"))["code"]


def _may_be_blank(cell: str) -> pl.Expr:
    """Missing, empty, or begun by a character from a range that holds all of Unicode's white space."""
    text = pl.col(cell)
    spaces = [text.is_between(pl.lit(first), pl.lit(last)) for first, last in _WHITE_SPACE]
    return text.is_null() | (text < "!") | pl.any_horizontal(spaces)


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
