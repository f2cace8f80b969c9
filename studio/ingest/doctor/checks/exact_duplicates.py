"""Rows whose whole content stands in an earlier row too."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import polars as pl

from studio.domain.recipes import FindingKind, FixAction
from studio.domain.shapes import Shape
from studio.ingest.doctor.rules import SetFinding, SetRule
from studio.ingest.doctor.view import DatasetView

MADE = ("resampled", "augmented")  # origins of rows that are alike on purpose


class ExactDuplicates(SetRule):
    """By the content hash; rows repeated on purpose to balance classes are left alone."""

    kind: ClassVar = FindingKind.EXACT_DUPLICATES
    fixes: ClassVar = (FixAction.KEEP_FIRST,)

    def applies(self, shape: Shape) -> bool:
        return True

    def find(self, view: DatasetView) -> SetFinding:
        rows = view.table("row", "key", *(["origin"] if "origin" in view.columns else []))
        if "origin" in rows.columns:
            rows = rows.filter(~pl.col("origin").is_in(MADE).fill_null(False))
        firsts = rows.group_by("key", maintain_order=True).agg(pl.col("row").first().alias("first"), pl.len())
        repeated = firsts.filter(pl.col("len") > 1)
        surplus = rows.join(repeated, on="key", maintain_order="left").filter(
            pl.col("row") != pl.col("first")
        )
        found = surplus["row"].to_numpy().astype(np.int64)
        return SetFinding(
            found,
            {FixAction.KEEP_FIRST: found},
            twins=surplus["first"].to_numpy(),
            details={"groups": repeated.height},
        )
