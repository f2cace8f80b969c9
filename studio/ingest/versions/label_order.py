"""Which rows to label first: those that a quick guess from the labels so far is least sure of.

A large dataset is guessed on MOST_ROWS of its unlabelled rows, chosen by their content hash.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import polars as pl

from studio.domain.shapes import Shape
from studio.ingest.dataset.content import label_column, labels_of, plain_texts, prose_columns
from studio.ingest.dataset.images import IMAGES_FOLDER, image_place
from studio.ingest.dataset.manifest import read_manifest
from studio.ingest.dataset.statistics import compact
from studio.ingest.versions import refusals
from studio.ingest.versions.drafted import drafted_cells
from studio.ingest.versions.guessing import MOST_CLASSES, image_margins, text_margins
from studio.ingest.versions.rowstream import frames_of
from studio.ingest.versions.validity import tidied

MOST_ROWS: Final = 20_000
MOST_PICTURES: Final = 500
FEWEST_LABELLED: Final = 10


def order_for_labelling(
    dataset_dir: Path, column: str, draft: Path | None, limit: int, check: Callable[[], None]
) -> dict[str, Any]:
    """{"rows": numbers of unlabelled rows, most uncertain first, "basis": "uncertainty" | "order", "labelled": n}.

    With fewer than two labels, or fewer than FEWEST_LABELLED labelled rows, the rows come in their plain order.
    draft: journal of edits that count as made. Raises StudioError step.no_such_column, import.broken.
    """
    shape = read_manifest(dataset_dir).shape
    if column != label_column(shape):
        raise refusals.no_such_column(column)
    drafted = drafted_cells(draft, column) if draft else {}
    kept = MOST_PICTURES if shape is Shape.IMAGE_LABEL else MOST_ROWS
    known, unknown = _Kept(kept), _Kept(kept)
    first: list[int] = []
    for frame in _with_draft(frames_of(dataset_dir, shape, check), column, drafted, shape):
        waiting = frame.filter(pl.col(column).is_null())
        known.add(frame.filter(pl.col(column).is_not_null()))
        unknown.add(waiting)
        first += waiting["row"].head(max(0, limit - len(first))).to_list()
    numbers = _class_numbers(known.rows(), column)
    if (
        len(set(numbers["label"])) < 2
        or known.seen < FEWEST_LABELLED
        or not unknown.seen
        or shape is Shape.AUDIO_LABEL
    ):
        return {"rows": first, "basis": "order", "labelled": known.seen}
    margins = _margins(dataset_dir, shape, numbers, known.rows(), unknown.rows(), check)
    rows = unknown.rows()["row"].to_numpy()[np.argsort(margins, kind="stable")]
    return {"rows": [int(row) for row in rows[:limit]], "basis": "uncertainty", "labelled": known.seen}


class _Kept:
    """Up to ``most`` of the rows added, those with the smallest content hashes, in the order of rows."""

    def __init__(self, most: int) -> None:
        self.seen = 0
        self._most = most
        self._frames: list[pl.DataFrame] = []
        self._held = 0

    def add(self, frame: pl.DataFrame) -> None:
        self.seen += frame.height
        self._held += frame.height
        self._frames.append(frame)
        if self._held > 2 * self._most:
            self._frames = [compact(self.rows())]
            self._held = self._frames[0].height

    def rows(self) -> pl.DataFrame:
        rows = pl.concat(self._frames)
        return rows if rows.height <= self._most else rows.bottom_k(self._most, by=["key", "row"]).sort("row")


def _with_draft(
    frames: Iterator[pl.DataFrame], column: str, drafted: dict[int, str | None], shape: Shape
) -> Iterator[pl.DataFrame]:
    edits = pl.DataFrame(
        {"row": list(drafted), "drafted": list(drafted.values())},
        schema={"row": pl.Int64, "drafted": pl.String},
    ).with_columns(is_drafted=pl.lit(True))
    for frame in frames:
        if drafted:
            joined = frame.join(edits, on="row", how="left", maintain_order="left")
            cell = pl.when("is_drafted").then("drafted").otherwise(column).alias(column)
            frame = tidied(joined.with_columns(cell).select(frame.columns), shape)
        yield frame


def _class_numbers(known: pl.DataFrame, column: str) -> pl.DataFrame:
    """Columns row and label (a number) of the most frequent labels; a row with several labels has several lines."""
    labels = labels_of(known, column).select("row", "label").drop_nulls()
    common = [label for label, _times in Counter(labels["label"]).most_common(MOST_CLASSES)]
    numbers = {label: number for number, label in enumerate(common)}
    return labels.filter(pl.col("label").is_in(common)).with_columns(
        pl.col("label").replace_strict(numbers, return_dtype=pl.Int64)
    )


def _margins(
    dataset_dir: Path,
    shape: Shape,
    numbers: pl.DataFrame,
    known: pl.DataFrame,
    unknown: pl.DataFrame,
    check: Callable[[], None],
) -> np.ndarray[Any, Any]:
    own = numbers.group_by("row").agg("label")
    learned = known.join(own, on="row", maintain_order="left", suffix=" number")
    classes = learned[learned.columns[-1]].to_list()
    if shape is Shape.IMAGE_LABEL:
        store = dataset_dir.parent / IMAGES_FOLDER
        paths = [[image_place(store, name) for name in frame["image"]] for frame in (learned, unknown)]
        return image_margins(paths[0], classes, paths[1], check)
    return text_margins(_texts(learned, shape), classes, _texts(unknown, shape), check)


def _texts(frame: pl.DataFrame, shape: Shape) -> list[str]:
    parts = [plain_texts(frame[name]) for name in prose_columns(shape)]
    joined = pl.DataFrame(parts).select(pl.concat_str(pl.all(), separator="\n", ignore_nulls=True))
    return joined.to_series().to_list()
