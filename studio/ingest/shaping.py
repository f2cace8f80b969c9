"""From source columns to the canonical columns of a shape; rows that lack what the shape needs are put aside."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import polars as pl

from studio.domain.datasets import RejectedRow
from studio.domain.shapes import ColumnRole, Shape
from studio.i18n import _
from studio.ingest import errors
from studio.ingest.conversations import normalise
from studio.ingest.readers.batches import EXCERPT_CHARS, ROW, Batch, rejection

CONTENT: Final[dict[Shape, tuple[str, ...]]] = {
    Shape.PROMPT_RESPONSE: ("system", "prompt", "response"),
    Shape.MESSAGES: ("messages",),
    Shape.TEXT: ("text",),
}
_NEEDED: Final[dict[Shape, tuple[ColumnRole, ...]]] = {
    Shape.PROMPT_RESPONSE: (ColumnRole.PROMPT, ColumnRole.RESPONSE),
    Shape.MESSAGES: (ColumnRole.MESSAGES,),
    Shape.TEXT: (ColumnRole.TEXT,),
}
_OPTIONAL: Final[dict[Shape, tuple[ColumnRole, ...]]] = {
    Shape.PROMPT_RESPONSE: (ColumnRole.SYSTEM, ColumnRole.CONTEXT),
    Shape.MESSAGES: (),
    Shape.TEXT: (),
}


def wanted_columns(
    shape: Shape, roles: Mapping[str, ColumnRole], available: list[str]
) -> dict[ColumnRole, str]:
    """Which column plays which role for this shape. Raises StudioError import.columns when that cannot be."""
    wanted: dict[ColumnRole, str] = {}
    for column, role in roles.items():
        if role not in (*_NEEDED[shape], *_OPTIONAL[shape]):
            continue
        if column not in available:
            raise errors.columns(_("There is no column “{name}” in the file.").format(name=column))
        if role in wanted:
            names = f"{wanted[role]}, {column}"
            raise errors.columns(_("Two columns have the same purpose: {names}.").format(names=names))
        wanted[role] = column
    if any(role not in wanted for role in _NEEDED[shape]):
        raise errors.columns(
            _("No column is chosen for what is needed. Columns in the file: {names}.").format(
                names=", ".join(available[:20])
            )
        )
    return wanted


def shape_batch(batch: Batch, shape: Shape) -> Batch:
    """The batch in canonical columns (``row`` and CONTENT[shape]); blank cells and NULs are rejections."""
    rejected = list(batch.rejected)
    frame = _reject_blank(batch.frame, shape, rejected)
    if shape is Shape.PROMPT_RESPONSE:
        frame = _prompt_response(frame)
    elif shape is Shape.MESSAGES:
        frame = _conversations(frame, rejected)
    frame = frame.select(ROW, *CONTENT[shape])
    frame = _reject_nul(frame, rejected)
    return Batch(frame, sorted(rejected, key=lambda item: item.row))


def _reject_blank(frame: pl.DataFrame, shape: Shape, rejected: list[RejectedRow]) -> pl.DataFrame:
    code = pl.lit(None, pl.String)
    for role in reversed(_NEEDED[shape]):
        blank = pl.col(role.value).is_null() | (
            pl.col(role.value).str.strip_chars_start().str.len_bytes() == 0
        )
        code = pl.when(blank).then(pl.lit(f"missing_{role.value}")).otherwise(code)
    return _reject(frame, frame.select(code.alias("code"))["code"], rejected)


def _reject_nul(frame: pl.DataFrame, rejected: list[RejectedRow]) -> pl.DataFrame:
    found = [pl.col(name).str.contains("\0", literal=True).fill_null(False) for name in frame.columns[1:]]
    code = pl.when(pl.any_horizontal(found)).then(pl.lit("nul_character"))
    return _reject(frame, frame.select(code.alias("code"))["code"], rejected)


def _reject(frame: pl.DataFrame, codes: pl.Series, rejected: list[RejectedRow]) -> pl.DataFrame:
    """Move the rows that have a code to ``rejected``."""
    if codes.null_count() == len(codes):
        return frame
    bad = frame.with_columns(codes).filter(pl.col("code").is_not_null())
    for *cells, code in bad.iter_rows():
        shown = " | ".join(str(cell or "")[:EXCERPT_CHARS] for cell in cells[1:])
        rejected.append(rejection(cells[0], code, shown))
    return frame.filter(codes.is_null())


def _prompt_response(frame: pl.DataFrame) -> pl.DataFrame:
    if "context" in frame.columns:
        blank = pl.col("context").is_null() | (pl.col("context").str.strip_chars_start().str.len_bytes() == 0)
        joined = pl.concat_str("prompt", "context", separator="\n\n")
        frame = frame.with_columns(pl.when(blank).then("prompt").otherwise(joined).alias("prompt"))
    if "system" not in frame.columns:
        return frame.with_columns(pl.lit(None, pl.String).alias("system"))
    blank = pl.col("system").str.strip_chars_start().str.len_bytes() == 0
    return frame.with_columns(pl.when(~blank).then("system").alias("system"))


def _conversations(frame: pl.DataFrame, rejected: list[RejectedRow]) -> pl.DataFrame:
    results = [normalise(text) for text in frame["messages"]]
    codes = pl.Series("code", [code for _text, code in results], dtype=pl.String)
    kept = pl.Series("messages", [text for text, code in results if code is None], dtype=pl.String)
    return _reject(frame, codes, rejected).with_columns(kept)
