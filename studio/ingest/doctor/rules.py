"""The two interfaces of a check, and what they find.

A *row rule* judges each row by itself; its fix can be made portion by portion. A *set rule* must see all rows; it
says which rows would leave. Doctor and fix ask the same rule, so a fix does what the report promised.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
import polars as pl

from studio.domain.findings import Severity
from studio.domain.recipes import FindingKind, FixAction
from studio.domain.shapes import Shape
from studio.ingest.doctor.view import DatasetView

NewRows = Callable[[int], range]


@dataclass
class Hits:
    """Rows of one portion that a rule objects to. index: their positions, ascending. kinds: name -> rows.

    columns, notes: for an example of each; "" to leave it to the report.
    """

    index: pl.Series
    kinds: Counter[str] = field(default_factory=Counter)
    columns: list[str] | None = None
    notes: list[str] | None = None


@dataclass
class Treated:
    """A portion after a fix, with what was done to it."""

    frame: pl.DataFrame
    changed: int = 0
    removed: int = 0
    added: int = 0
    kinds: Counter[str] = field(default_factory=Counter)


class RowRule(ABC):
    """A check that needs one row at a time."""

    kind: ClassVar[FindingKind]
    severity: ClassVar[Severity] = Severity.WARNING
    details_name: ClassVar[str] = "kinds"

    @abstractmethod
    def actions(self, shape: Shape) -> tuple[FixAction, ...]:
        """The fixes there are for this shape, the advised one first; none: the check does not apply."""

    @abstractmethod
    def find(self, frame: pl.DataFrame, shape: Shape) -> Hits:
        """The rows with this trouble."""

    def change(self, frame: pl.DataFrame, shape: Shape, action: FixAction, new_rows: NewRows) -> Treated:
        """``frame``, all of whose rows were found, after the fix. REMOVE needs none of this."""
        raise NotImplementedError

    def treat(self, frame: pl.DataFrame, shape: Shape, action: FixAction, new_rows: NewRows) -> Treated:
        """Any portion after the fix, in order; rows that were not found are as they were."""
        hits = self.find(frame, shape)
        if not len(hits.index):
            return Treated(frame)
        mask = pl.Series([False]).new_from_index(0, frame.height).scatter(hits.index, True)
        if action is FixAction.REMOVE:
            return Treated(frame.filter(~mask), removed=len(hits.index), kinds=hits.kinds)
        treated = self.change(frame.filter(mask), shape, action, new_rows)
        places = pl.DataFrame({"row": frame["row"], "place": np.arange(frame.height)})
        treated.frame = _in_place(frame.filter(~mask), treated.frame, places)
        treated.kinds = hits.kinds
        return treated


def _in_place(untouched: pl.DataFrame, treated: pl.DataFrame, places: pl.DataFrame) -> pl.DataFrame:
    """Both together, in the order the rows had; a new row stands behind the last row before it."""
    treated = treated.join(places, on="row", how="left", maintain_order="left").with_columns(
        pl.col("place").forward_fill()
    )
    untouched = untouched.join(places, on="row", how="left", maintain_order="left")
    return pl.concat([untouched, treated]).sort("place", maintain_order=True).drop("place")


@dataclass
class SetFinding:
    """What a set rule found. rows: row numbers concerned, for examples too; twins: another row for each, or 0.

    removals: for each fix that removes rows, which ones.
    """

    rows: np.ndarray[Any, np.dtype[np.int64]]
    removals: dict[FixAction, np.ndarray[Any, np.dtype[np.int64]]] = field(default_factory=dict)
    twins: np.ndarray[Any, np.dtype[np.int64]] | None = None
    notes: dict[int, str] = field(default_factory=dict)
    details: dict[str, Any] = field(default_factory=dict)


class SetRule(ABC):
    """A check that must see all rows; its fixes remove rows."""

    kind: ClassVar[FindingKind]
    severity: ClassVar[Severity] = Severity.WARNING
    fixes: ClassVar[tuple[FixAction, ...]]  # the advised one first

    @abstractmethod
    def applies(self, shape: Shape) -> bool:
        """Whether rows of this shape can have this trouble."""

    @abstractmethod
    def find(self, view: DatasetView) -> SetFinding:
        """The trouble in all rows; no rows: none."""
