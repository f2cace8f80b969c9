"""Labels, numbers and ratings: read strictly, so that nothing is guessed that the founder did not write."""

from __future__ import annotations

import json
from typing import Final

import polars as pl

from studio.domain.datasets import RejectedRow
from studio.ingest.shaping.putting_aside import put_aside

_NUMBER: Final = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$"
_WITH_COMMA: Final = r"^[+-]?\d[\d.]*,\d+$"
# The first that occurs in a cell parts its labels.
_SEPARATORS: Final = ("|", ";", "；", ",", "，", "、")


def single_label(frame: pl.DataFrame, _rejected: list[RejectedRow]) -> pl.DataFrame:
    """White space around a label is no part of it; a blank label is one that waits to be given."""
    if "label" not in frame.columns:
        return frame
    plain = pl.col("label").str.strip_chars()
    return frame.with_columns(pl.when(plain.str.len_bytes() > 0).then(plain).alias("label"))


def several_labels(frame: pl.DataFrame, _rejected: list[RejectedRow]) -> pl.DataFrame:
    """A JSON list, or labels parted by one of _SEPARATORS, as JSON text of a sorted list; blank waits."""
    if "labels" not in frame.columns:
        return frame
    read = [_labels(cell) for cell in frame["labels"]]
    return frame.with_columns(pl.Series("labels", read, dtype=pl.String))


def numbers(frame: pl.DataFrame, rejected: list[RejectedRow]) -> pl.DataFrame:
    """A number with a decimal point at most, kept as it is written."""
    return _checked_number(frame, "number", rejected)


def ratings(frame: pl.DataFrame, rejected: list[RejectedRow]) -> pl.DataFrame:
    """User and item as they are named, the rating a number, the time as it is written."""
    trimmed = [pl.col(name).str.strip_chars() for name in ("user", "item", "time") if name in frame.columns]
    return _checked_number(frame.with_columns(trimmed), "rating", rejected)


def _checked_number(frame: pl.DataFrame, cell: str, rejected: list[RejectedRow]) -> pl.DataFrame:
    plain = pl.col(cell).str.strip_chars()
    frame = frame.with_columns(plain)
    code = (
        pl.when(pl.col(cell).str.contains(_NUMBER))
        .then(pl.lit(None, pl.String))
        .when(pl.col(cell).str.contains(_WITH_COMMA))
        .then(pl.lit("decimal_comma"))
        .otherwise(pl.lit("not_a_number"))
    )
    return put_aside(frame, frame.select(code.alias("code"))["code"], rejected)


def _labels(cell: str | None) -> str | None:
    text = (cell or "").strip()
    if not text:
        return None
    found = _from_json(text)
    if found is None:
        mark = next((mark for mark in _SEPARATORS if mark in text), None)
        found = text.split(mark) if mark else [text]
    names = {name.strip() for name in found if name.strip()}
    return json.dumps(sorted(names), ensure_ascii=False, separators=(",", ":"))


def _from_json(text: str) -> list[str] | None:
    if not text.startswith("["):
        return None
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    plain = isinstance(value, list) and all(isinstance(item, str | int) for item in value)
    return [str(item) for item in value] if plain else None
