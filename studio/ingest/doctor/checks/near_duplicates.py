"""Rows that are nearly the same as an earlier one: a word changed, a mark added, the same text cut elsewhere."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from studio.domain.recipes import FindingKind, FixAction
from studio.domain.shapes import Shape
from studio.ingest.doctor.near.index import NearIndex
from studio.ingest.doctor.near.shared import SharedIndex
from studio.ingest.doctor.near.shingles import I64
from studio.ingest.doctor.rules import SetFinding, SetRule
from studio.ingest.doctor.texts import text_columns
from studio.ingest.doctor.view import DatasetView


class NearDuplicates(SetRule):
    """Each row that goes is as like as asked for to a row that stays. Exact copies of a row go with it."""

    kind: ClassVar = FindingKind.NEAR_DUPLICATES
    fixes: ClassVar = (FixAction.KEEP_FIRST,)

    def __init__(self, shared: SharedIndex) -> None:
        self._shared = shared

    def applies(self, shape: Shape) -> bool:
        return bool(text_columns(shape))

    def find(self, view: DatasetView) -> SetFinding:
        index = self._shared.index(view)
        eligible = ~index.copies() & ~index.made
        rows, leaders = self._shared.twins(view).repeats(eligible)
        rows, leaders = _with_copies(index, rows, leaders)
        found = index.row[rows]
        details: dict[str, object] = {"groups": len(np.unique(leaders))}
        if index.is_partial or self._shared.is_estimated(view):
            details["estimated"] = True
        return SetFinding(found, {FixAction.KEEP_FIRST: found}, twins=index.row[leaders], details=details)


def _with_copies(index: NearIndex, rows: I64, leaders: I64) -> tuple[I64, I64]:
    """The rows found, and the later rows with exactly the content of one of them."""
    if not len(rows):
        return rows, leaders
    by_key = np.argsort(index.key[rows])
    keys = index.key[rows][by_key]
    at = np.minimum(np.searchsorted(keys, index.key), len(keys) - 1)
    every = np.flatnonzero((keys[at] == index.key) & ~index.made)
    return every, leaders[by_key][at[every]]
