"""The exact comparison of pairs of rows, many at once: shared shingles divided by all shingles of the two."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from studio.ingest.doctor.near.shingles import I64, U32, Shingles

_BLOCK_SHINGLES: Final = 400_000  # fits the processor's cache
F64 = np.ndarray[Any, np.dtype[np.float64]]


@dataclass
class ShingleSets:
    """Sorted distinct shingles of some rows. place: row index -> its set, -1 for none. highest: of what was kept.

    A set with more than ``cap`` shingles keeps its ``cap`` least; two such sets are compared below the lower of
    their highest values, which estimates what all shingles would say.
    """

    values: U32
    starts: I64
    place: I64
    highest: U32

    def sizes(self, rows: I64) -> I64:
        """Shingles held of these rows."""
        at = self.place[rows]
        return self.starts[at + 1] - self.starts[at]


def distinct(shingles: Shingles, cap: int) -> tuple[U32, I64, U32]:
    """(values, counts, highest) of the sorted sets, each of at most ``cap`` values."""
    texts = np.repeat(np.arange(len(shingles.starts) - 1, dtype=np.uint64), shingles.counts())
    keyed = np.sort((texts << np.uint64(32)) | shingles.values)
    keyed = keyed[np.concatenate([[True], keyed[1:] != keyed[:-1]])]
    counts = np.bincount((keyed >> np.uint64(32)).astype(np.int64), minlength=len(shingles.starts) - 1)
    values = keyed.astype(np.uint32)
    highest = np.full(len(counts), np.uint32(0xFFFFFFFF))
    if counts.max(initial=0) > cap:
        rank = np.arange(len(values)) - np.repeat(np.cumsum(counts) - counts, counts)
        values = values[rank < cap]
        full = counts > cap
        counts = np.minimum(counts, cap)
        highest[full] = values[np.cumsum(counts)[full] - 1]
    return values, counts, highest


def jaccard(sets: ShingleSets, left: I64, right: I64) -> F64:
    """The similarity of each pair of rows, 0–1."""
    result = np.empty(len(left))
    sizes = sets.sizes(left) + sets.sizes(right)
    ends = np.cumsum(sizes)
    begin = 0
    while begin < len(left):
        done = ends[begin - 1] if begin else 0
        end = max(begin + 1, int(np.searchsorted(ends, done + _BLOCK_SHINGLES, side="right")))
        result[begin:end] = _block(sets, left[begin:end], right[begin:end])
        begin = end
    return result


def _block(sets: ShingleSets, left: I64, right: I64) -> F64:
    pairs = np.arange(len(left), dtype=np.uint64)
    limit = np.minimum(sets.highest[sets.place[left]], sets.highest[sets.place[right]])
    keyed = []
    for rows in (left, right):
        begins, sizes = sets.starts[sets.place[rows]], sets.sizes(rows)
        inside = np.arange(sizes.sum()) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        values = sets.values[np.repeat(begins, sizes) + inside]
        comparable = values <= np.repeat(limit, sizes)
        keyed.append((np.repeat(pairs, sizes)[comparable] << np.uint64(32)) | values[comparable])
    both = np.sort(np.concatenate(keyed), kind="stable")  # two sorted runs: this kind merges them
    shared = np.bincount(
        (both[1:][both[1:] == both[:-1]] >> np.uint64(32)).astype(np.int64), minlength=len(left)
    )
    total = np.bincount((both >> np.uint64(32)).astype(np.int64), minlength=len(left))
    quotient: F64 = shared / np.maximum(total - shared, 1)
    return quotient
