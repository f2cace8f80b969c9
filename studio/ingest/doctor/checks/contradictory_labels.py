"""The same text judged differently: other labels, other numbers, opposite thumbs, a pair preferred both ways."""

from __future__ import annotations

from typing import ClassVar, Final

import polars as pl

from studio.domain.findings import Severity
from studio.domain.recipes import FindingKind, FixAction
from studio.domain.shapes import Shape
from studio.i18n import _
from studio.ingest.doctor.rules import SetFinding, SetRule
from studio.ingest.doctor.view import DatasetView

_VERDICT: Final = {
    Shape.TEXT_LABEL: "label",
    Shape.TEXT_LABELS: "labels",
    Shape.TEXT_NUMBER: "number",
    Shape.IMAGE_LABEL: "label",
    Shape.AUDIO_LABEL: "label",
    Shape.THUMBS: "thumb",
    Shape.PREFERENCE: "",
}


class ContradictoryLabels(SetRule):
    """Rows of equal content with different verdicts; rows without a verdict are left out.

    A better answer that is word for word the worse one contradicts itself.
    """

    kind: ClassVar = FindingKind.CONTRADICTORY_LABELS
    severity: ClassVar = Severity.PROBLEM
    fixes: ClassVar = (FixAction.KEEP_MAJORITY, FixAction.REMOVE)

    def applies(self, shape: Shape) -> bool:
        return shape in _VERDICT

    def find(self, view: DatasetView) -> SetFinding:
        rows = view.table("row", *_asked_and_verdict(view)).filter(pl.col("verdict").is_not_null())
        selfs = rows.filter(pl.col("verdict") == "same")["row"] if view.shape is Shape.PREFERENCE else None
        groups = rows.filter(pl.col("verdict").n_unique().over("asked") > 1)
        votes = groups.group_by("asked", "verdict").agg(
            pl.len().alias("votes"), pl.col("row").min().alias("first")
        )
        ranked = votes.with_columns(
            most=pl.col("votes").max().over("asked"),
            ties=(pl.col("votes") == pl.col("votes").max().over("asked")).sum().over("asked"),
        )
        winners = ranked.filter(pl.col("votes") == pl.col("most"), pl.col("ties") == 1)
        losing = groups.join(winners, on=["asked", "verdict"], how="anti", maintain_order="left")["row"]
        found, removed = groups["row"], losing
        if selfs is not None and len(selfs):
            found = pl.concat([found, selfs]).unique().sort()
            removed = pl.concat([removed, selfs]).unique().sort()
        return SetFinding(
            found.to_numpy(),
            {FixAction.KEEP_MAJORITY: removed.to_numpy(), FixAction.REMOVE: found.to_numpy()},
            notes=_notes(groups, found),
            details={"groups": groups["asked"].n_unique() + (len(selfs) if selfs is not None else 0)},
        )


def _asked_and_verdict(view: DatasetView) -> tuple[pl.Expr, pl.Expr]:
    """Hash of what was judged, and the judgement; outer white space makes no difference."""
    shape = view.shape
    cells = {name: pl.col(name).fill_null("").str.strip_chars() for name in view.content}
    if shape is Shape.PREFERENCE:
        better, worse = cells.pop("chosen"), cells.pop("rejected")
        asked = [
            *cells.values(),
            pl.min_horizontal(better, worse),
            pl.max_horizontal(better, worse).alias("high"),
        ]
        verdict = (
            pl.when(better == worse).then(pl.lit("same"))
            .when(better < worse).then(pl.lit("first")).otherwise(pl.lit("second"))
        )  # fmt: skip
    else:
        name = _VERDICT[shape]
        asked = [cell for column, cell in cells.items() if column != name]
        cell = pl.col(name).str.strip_chars()
        if shape is Shape.TEXT_NUMBER:
            cell = cell.cast(pl.Float64, strict=False).cast(pl.String)
        verdict = pl.when(cell != "").then(cell)
    names = [expression.alias(str(number)) for number, expression in enumerate(asked)]
    return pl.struct(names).hash(seed=0).alias("asked"), verdict.alias("verdict")


def _notes(groups: pl.DataFrame, found: pl.Series, most: int = 50) -> dict[int, str]:
    """For the first rows: their verdict, and another row that says otherwise."""
    notes = {row: _("Better and worse answer are the same.") for row in found.head(most)}
    shown = groups.filter(pl.col("row").is_in(found.head(most).implode()))
    others = groups.filter(pl.col("asked").is_in(shown["asked"].unique().implode()))
    for row, asked, verdict in shown.select("row", "asked", "verdict").iter_rows():
        other = others.filter(pl.col("asked") == asked, pl.col("verdict") != verdict).row(0, named=True)
        notes[row] = _("{verdict}; row {row} says {other}").format(
            verdict=verdict, row=other["row"], other=other["verdict"]
        )
    return notes
