"""What checks have in common that change a text: which rows that concerns, and what becomes of them."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter

import polars as pl

from studio.domain.recipes import FixAction
from studio.domain.shapes import Shape
from studio.ingest.doctor.rules import Hits, NewRows, RowRule, Treated
from studio.ingest.doctor.texts import (
    OPTIONAL,
    PLAIN,
    emptied,
    text_columns,
    text_parts,
    with_texts,
)
from studio.ingest.shaping.putting_aside import is_blank


class MendingRule(RowRule):
    """A rule that finds a row by what it would change in one of its texts, or by what it can only point at.

    A text left empty by the fix takes its row with it, unless the shape can do without that text.
    """

    action: FixAction

    def actions(self, shape: Shape) -> tuple[FixAction, ...]:
        return (self.action, FixAction.REMOVE) if text_columns(shape) else ()

    @abstractmethod
    def suspects(self, texts: pl.Series) -> pl.Series:
        """A quick look: False where there is certainly nothing."""

    @abstractmethod
    def mend(self, texts: pl.Series, careful: pl.Series) -> pl.Series:
        """These texts as they should be; careful: which of them stand in careful rows."""

    def noted(self, texts: pl.Series, careful: pl.Series) -> dict[str, pl.Series]:
        """Kinds of trouble, each with the texts that have it; also those that cannot be mended."""
        return {}

    def careful(self, frame: pl.DataFrame, shape: Shape) -> pl.Series:
        """Rows where what looks like trouble may be meant, because of what else stands in them."""
        return pl.Series([False]).new_from_index(0, frame.height)

    def find(self, frame: pl.DataFrame, shape: Shape) -> Hits:
        parts = self._suspected(frame, shape)
        if not parts.height:
            return Hits(pl.Series([], dtype=pl.UInt32))
        hit = self.mend(parts["text"], parts["careful"]) != parts["text"]
        kinds: Counter[str] = Counter()
        for name, mask in self.noted(parts["text"], parts["careful"]).items():
            hit = hit | mask
            kinds[name] += parts.filter(mask)["index"].n_unique()
        found = parts.filter(hit).unique("index", keep="first", maintain_order=True).sort("index")
        kinds = +kinds
        return Hits(found["index"], kinds, columns=found["column"].to_list())

    def _suspected(self, frame: pl.DataFrame, shape: Shape) -> pl.DataFrame:
        """The suspicious texts (see text_parts), each with ``careful``."""
        parts = text_parts(frame, text_columns(shape))
        parts = parts.filter(self.suspects(parts["text"]))
        rows = parts["index"].unique().sort()
        careful = rows.filter(self.careful(frame[rows], shape)) if len(rows) else rows
        return parts.with_columns(careful=pl.col("index").is_in(careful.implode()))

    def change(self, frame: pl.DataFrame, shape: Shape, action: FixAction, new_rows: NewRows) -> Treated:
        parts = self._suspected(frame, shape)
        mended = self.mend(parts["text"], parts["careful"])
        differs = mended != parts["text"]
        parts = parts.with_columns(mended.alias("text")).filter(differs)
        return put_back(frame, shape, parts)


def put_back(frame: pl.DataFrame, shape: Shape, parts: pl.DataFrame) -> Treated:
    """The frame with changed texts; rows that lost a text they need leave."""
    treated = with_texts(frame, parts)
    for name in OPTIONAL:
        if name in treated.columns and name in PLAIN:
            treated = treated.with_columns(pl.when(~is_blank(name)).then(name).alias(name))
    touched = pl.Series([False]).new_from_index(0, frame.height).scatter(parts["index"].unique(), True)
    gone = emptied(treated, shape) & touched
    removed = int(gone.sum())
    return Treated(treated.filter(~gone), changed=int(touched.sum()) - removed, removed=removed)
