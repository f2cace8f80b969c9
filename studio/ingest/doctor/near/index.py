"""What is kept of each row to find its near twins: band hashes, a short signature, size; and who may pair with whom.

About 220 bytes a row. Beyond MOST_ROWS rows only the first are compared, and the report says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

from studio.domain.datasets import Split
from studio.ingest.doctor.near.jaccard import ShingleSets, distinct
from studio.ingest.doctor.near.minhash import band_hashes, bands_for, signatures
from studio.ingest.doctor.near.shingles import I64, U32, shingles_of
from studio.ingest.doctor.texts import VERDICTS, text_columns, whole_texts
from studio.ingest.doctor.view import DatasetView

MOST_ROWS: Final = 2_000_000
SET_BYTES: Final = 480 << 20  # for the exact comparison
U8 = np.ndarray[Any, np.dtype[np.uint8]]
Bools = np.ndarray[Any, np.dtype[np.bool_]]
LEVELS: Final = {Split.TRAIN.value: 0, Split.VALIDATION.value: 1, Split.TEST.value: 2}


@dataclass
class NearIndex:
    """One entry a row, in the dataset's order. short: the lowest byte of each minimum. judged: hash of the verdict.

    level: of the split, see LEVELS. made: resampled or augmented by the studio, alike on purpose.
    """

    view: DatasetView
    similarity: float
    bands: U32  # (bands, rows)
    short: U8  # (rows, PERMUTATIONS)
    sizes: I64
    row: I64
    key: np.ndarray[Any, np.dtype[np.uint64]]
    level: U8
    judged: np.ndarray[Any, np.dtype[np.uint64]]
    made: Bools

    @property
    def is_partial(self) -> bool:
        return len(self.row) < self.view.rows

    def copies(self) -> Bools:
        """Rows whose whole content stands in an earlier row."""
        first = np.zeros(len(self.key), np.bool_)
        first[np.unique(self.key, return_index=True)[1]] = True
        return ~first

    def first_in_split(self) -> Bools:
        """Rows whose whole content stands in no earlier row of the same split."""
        first = np.zeros(len(self.key), np.bool_)
        for level in LEVELS.values():
            rows = np.flatnonzero(self.level == level)
            first[rows[np.unique(self.key[rows], return_index=True)[1]]] = True
        return first

    def sets_of(self, wanted: Bools) -> ShingleSets:
        """Read the rows once more and keep the shingles of those wanted, as many as memory allows."""
        cap = self._cap(wanted)
        columns = text_columns(self.view.shape)
        room = int(np.minimum(self.sizes[wanted], cap).sum())  # enough: repeated shingles are counted here
        kept, kept_counts = np.empty(room, np.uint32), np.empty(int(wanted.sum()), np.int64)
        kept_highest = np.empty(len(kept_counts), np.uint32)
        seen = rows = filled = 0
        for frame in _first_portions(self.view, columns, "comparing_rows"):
            mask = wanted[seen : seen + frame.height]
            seen += frame.height
            if not mask.any():
                continue
            texts = whole_texts(frame.filter(pl.Series(mask)), columns)
            values, counts, highest = distinct(shingles_of(texts), cap)
            kept[filled : filled + len(values)] = values
            kept_counts[rows : rows + len(counts)] = counts
            kept_highest[rows : rows + len(counts)] = highest
            filled, rows = filled + len(values), rows + len(counts)
        place = np.full(len(wanted), -1, np.int64)
        place[wanted] = np.arange(rows)
        starts = np.concatenate([np.zeros(1, np.int64), np.cumsum(kept_counts)])
        return ShingleSets(kept[:filled], starts, place, kept_highest)

    def _cap(self, wanted: Bools) -> int:
        """The most shingles a row may keep so that all together stay within SET_BYTES."""
        sizes = np.sort(self.sizes[wanted])
        budget = SET_BYTES // 4
        if sizes.sum() <= budget:
            return 1 << 62
        low, high = 64, int(sizes[-1])
        while low < high:
            middle = (low + high + 1) // 2
            low, high = (middle, high) if np.minimum(sizes, middle).sum() <= budget else (low, middle - 1)
        return low


def build_index(view: DatasetView, similarity: float) -> NearIndex:
    """One pass over the texts of a dataset that has some."""
    texts = text_columns(view.shape)
    verdicts = [name for name in view.content if name in VERDICTS]
    extra = ["origin"] if "origin" in view.columns else []
    bands, width = bands_for(similarity)
    rows = min(view.rows, MOST_ROWS)
    index = NearIndex(
        view, similarity, bands=np.empty((bands, rows), np.uint32), short=np.empty((rows, 128), np.uint8),
        sizes=np.empty(rows, np.int64), row=np.empty(rows, np.int64), key=np.empty(rows, np.uint64),
        level=np.empty(rows, np.uint8), judged=np.zeros(rows, np.uint64), made=np.zeros(rows, np.bool_),
    )  # fmt: skip
    done = 0
    columns = ["row", "key", "split", *texts, *verdicts, *extra]
    for frame in _first_portions(view, columns, "measuring_likeness"):
        here = slice(done, done + frame.height)
        done += frame.height
        shingles = shingles_of(whole_texts(frame, texts))
        minima = signatures(shingles)
        index.bands[:, here] = band_hashes(minima, bands, width)
        index.short[here] = minima.astype(np.uint8)
        index.sizes[here] = shingles.counts()
        index.row[here] = frame["row"].to_numpy()
        index.key[here] = frame["key"].to_numpy()
        index.level[here] = frame["split"].replace_strict(LEVELS, return_dtype=pl.UInt8).to_numpy()
        if verdicts:
            index.judged[here] = frame.select(pl.struct(verdicts).hash(seed=0)).to_series().to_numpy()
        if extra:
            index.made[here] = frame["origin"].is_in(["resampled", "augmented"]).fill_null(False).to_numpy()
    return index


def _first_portions(view: DatasetView, columns: list[str], phase: str) -> Any:
    left = MOST_ROWS
    for frame in view.portions(columns, phase):
        yield frame.head(left)
        left -= frame.height
        if left <= 0:
            return
