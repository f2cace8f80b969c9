"""Rows that stand, the same or nearly the same, in two splits: a verdict on such test rows is worth nothing.

Test stands above validation, validation above training; the row in the lower split is the one that leaks.
"""

from __future__ import annotations

from collections import Counter
from typing import ClassVar, Final

import numpy as np
import polars as pl

from studio.domain.datasets import Split
from studio.domain.findings import Severity
from studio.domain.recipes import FindingKind, FixAction
from studio.domain.shapes import Shape
from studio.ingest.doctor.near.index import LEVELS
from studio.ingest.doctor.near.shared import SharedIndex
from studio.ingest.doctor.rules import SetFinding, SetRule
from studio.ingest.doctor.texts import VERDICTS, text_columns
from studio.ingest.doctor.view import DatasetView

_NAMES: Final = {level: name for name, level in LEVELS.items()}


class SplitLeakage(SetRule):
    """Labels make no difference here: a text that was seen with another label was seen."""

    kind: ClassVar = FindingKind.SPLIT_LEAKAGE
    severity: ClassVar = Severity.PROBLEM
    fixes: ClassVar = (FixAction.REMOVE_FROM_TRAINING, FixAction.REMOVE)

    def __init__(self, shared: SharedIndex) -> None:
        self._shared = shared

    def applies(self, shape: Shape) -> bool:
        return True

    def find(self, view: DatasetView) -> SetFinding:
        seen = [name for name in view.content if name not in VERDICTS]
        cells = [pl.col(name).fill_null("").str.strip_chars() for name in seen]
        rows = view.table("row", "key", "split", pl.struct(cells).hash(seed=0).alias("content"))
        rows = rows.with_columns(level=pl.col("split").replace_strict(LEVELS, return_dtype=pl.UInt8))
        if rows["level"].n_unique() < 2:
            return SetFinding(np.empty(0, np.int64))
        exact = self._exact(rows)
        details: dict[str, object] = {}
        if text_columns(view.shape):
            exact = self._with_near(view, rows, exact)
            if self._shared.index(view).is_partial or self._shared.is_estimated(view):
                details["estimated"] = True
        leaks = exact.sort("place")
        details["splits"] = dict(
            Counter(
                f"{_NAMES[low]}-{_NAMES[high]}"
                for low, high in leaks.select("level", "twin_level").iter_rows()
            ).most_common()
        )
        training = leaks.filter(pl.col("level") == LEVELS[Split.TRAIN])["row"].to_numpy()
        removals = {FixAction.REMOVE_FROM_TRAINING: training} if len(training) else {}
        if len(training) < leaks.height:
            removals[FixAction.REMOVE] = leaks["row"].to_numpy()
        return SetFinding(leaks["row"].to_numpy(), removals, twins=leaks["twin"].to_numpy(), details=details)

    def _exact(self, rows: pl.DataFrame) -> pl.DataFrame:
        """place, row, level, twin, twin_level of the rows whose content stands in a higher split too."""
        rows = rows.with_row_index("place")
        best = rows.group_by("content").agg(
            twin=pl.col("row").sort_by("level", descending=True, maintain_order=True).first(),
            twin_level=pl.col("level").max(),
        )
        return (
            rows.join(best, on="content", maintain_order="left")
            .filter(pl.col("level") < pl.col("twin_level"))
            .select(pl.col("place").cast(pl.Int64), "row", "level", "twin", "twin_level")
        )

    def _with_near(self, view: DatasetView, rows: pl.DataFrame, exact: pl.DataFrame) -> pl.DataFrame:
        """Besides these, the rows with a near twin in a higher split, and their exact copies in their own split."""
        index = self._shared.index(view)
        first = index.first_in_split()
        low = first.copy()
        known = exact["place"].to_numpy()
        low[known[known < len(low)]] = False
        leaking, twins = self._shared.twins(view).leaks(low, first)
        if not len(leaking):
            return exact
        twin_of = pl.DataFrame(
            {
                "key": index.key[leaking], "level": index.level[leaking],
                "twin": index.row[twins], "twin_level": index.level[twins],
            }
        ).unique(["key", "level"], keep="first", maintain_order=True)  # fmt: skip
        rows = rows.with_row_index("place").with_columns(pl.col("place").cast(pl.Int64))
        near = rows.join(exact, on="place", how="anti").join(twin_of, on=["key", "level"])
        return pl.concat([exact, near.select(exact.columns)])
