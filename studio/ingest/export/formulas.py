"""Cells that a spreadsheet would run as a formula, made harmless in CSV in a way that is undone without loss.

A cell that begins with = + - @ TAB or CR gets an apostrophe before it, and so does one that begins with an apostrophe;
plain numbers (-5, +3.2, 1e-4) are no formulas and stay as they are. A column in which that happened says so by an
apostrophe before its name. Reading such a column takes one apostrophe from cells that begin with one; a column without
the mark is never touched, so no other program's apostrophes are lost.
"""

from __future__ import annotations

from typing import Final

import polars as pl

MARK: Final = "'"
_DANGEROUS: Final = r"^[=+\-@\t\r']"
_NUMBER: Final = r"^[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?$"


def needs_mark(column: str) -> pl.Expr:
    """Whether a cell of the column must be made harmless; null counts as no."""
    cell = pl.col(column)
    return (cell.str.contains(_DANGEROUS) & ~cell.str.contains(_NUMBER)).fill_null(False)


def neutralised(column: str) -> pl.Expr:
    """The column with its dangerous cells made harmless."""
    return pl.when(needs_mark(column)).then(pl.lit(MARK) + pl.col(column)).otherwise(column).alias(column)


def marked_name(column: str) -> str:
    """The header of a column that has neutralised cells."""
    return MARK + column


def is_marked(header: str) -> bool:
    """Whether a header says that its cells were made harmless; one in apostrophes on both sides is only quoted."""
    return header.startswith(MARK) and len(header) > 1 and not header.endswith(MARK)


def plain_name(header: str) -> str:
    """The header without the mark."""
    return header[1:] if is_marked(header) else header


def restored(column: str) -> pl.Expr:
    """The cells of a marked column as they were."""
    return pl.col(column).str.strip_prefix(MARK).alias(column)
