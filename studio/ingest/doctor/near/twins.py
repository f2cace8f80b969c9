"""Which rows are near twins: repeats of an earlier row that stays, and rows that stand in two splits.

Rows that agree in a band become candidates; how alike they really are is then computed from their shingles. In a
band's bucket each row meets the NEIGHBOURS rows before it and the first one, so that a bucket of a million rows
made from one template costs no more than others.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np

from studio.ingest.doctor.near.index import Bools, NearIndex
from studio.ingest.doctor.near.jaccard import F64, ShingleSets, jaccard
from studio.ingest.doctor.near.shingles import I64

NEIGHBOURS: Final = 8
_BLOCK_PAIRS: Final = 100_000
# The short signature's estimate is off by 0.035 at most in two of three cases; 4 times that is kept.
_DOUBT: Final = 0.14
# A row that met so many look-alikes, none of them alike enough, is let be: rows of one template would meet for ever.
_MOST_MEETINGS: Final = 100
_ROUNDS: Final = 3


class Twins:
    """The search in one index; the exact comparison reads the texts of all candidates once."""

    def __init__(self, index: NearIndex) -> None:
        self._index = index
        self._check = index.view.check
        self._sets: ShingleSets | None = None

    @property
    def is_estimated(self) -> bool:
        """Some rows were too long, in too large a set, to be compared whole."""
        return self._sets is not None and bool((self._sets.highest < 0xFFFFFFFF).any())

    def prepare(self, may_pair: Bools) -> None:
        """Read the shingles of the rows among these that share a band with another of them."""
        wanted = np.zeros(len(may_pair), np.bool_)
        rows = np.flatnonzero(may_pair)
        for hashes in self._index.bands:
            self._check()
            order = rows[np.argsort(hashes[rows], kind="stable")]
            same = hashes[order[1:]] == hashes[order[:-1]]
            wanted[order[1:][same]] = True
            wanted[order[:-1][same]] = True
        self._sets = self._index.sets_of(wanted)

    def repeats(self, among: Bools) -> tuple[I64, I64]:
        """(rows, leaders): each row is as like as asked for to its leader, an earlier row that is no repeat itself.

        Verdicts must agree: the same text with another label is a contradiction, not a repeat.
        """
        leader = np.full(len(among), -1, np.int64)
        stays = among.copy()
        fresh = among
        meetings = np.zeros(len(among), np.int64)
        for _round in range(_ROUNDS):
            for hashes in self._index.bands:
                for left, right in self.alike(neighbours(hashes, stays, fresh), True, meetings):
                    _follow(left, right, stays, leader)
            fresh = self._without_leader(stays, leader)
            if not fresh.any():
                break
            stays |= fresh
        rows = np.flatnonzero(leader >= 0)
        return rows, leader[rows]

    def _without_leader(self, stays: Bools, leader: I64) -> Bools:
        """Rows whose leader turned out a repeat itself and whose leader's leader is too unlike; they stay again."""
        fresh = np.zeros(len(stays), np.bool_)
        rows = np.flatnonzero(leader >= 0)
        lost = rows[~stays[leader[rows]]]
        if not len(lost):
            return fresh
        roots = leader[lost]
        while (again := ~stays[roots] & (leader[roots] >= 0)).any():
            roots = np.where(again, leader[roots], roots)
        kept = self._similarity(lost, roots) >= self._index.similarity
        leader[lost] = np.where(kept, roots, -1)
        fresh[lost[~kept]] = True
        return fresh

    def leaks(self, low: Bools, high: Bools) -> tuple[I64, I64]:
        """(rows, twins): rows of ``low`` with a near twin of ``high`` in a split of higher standing."""
        twin = np.full(len(low), -1, np.int64)
        meetings = np.zeros(len(low), np.int64)
        open_rows = low.copy()
        for hashes in self._index.bands:
            across = _across(hashes, open_rows, high, self._index.level)
            for other, row in self.alike(across, False, meetings):
                twin[row] = other
                open_rows[row] = False
        rows = np.flatnonzero(twin >= 0)
        return rows, twin[rows]

    def pairs(self, among: Bools) -> set[tuple[int, int]]:
        """All pairs found, without regard to what is a repeat of what; for measuring."""
        found: set[tuple[int, int]] = set()
        for hashes in self._index.bands:
            for left, right in self.alike(neighbours(hashes, among, among), same_verdict=True):
                found.update(zip(left.tolist(), right.tolist(), strict=True))
        return found

    def alike(
        self, candidates: Iterator[tuple[I64, I64]], same_verdict: bool, meetings: I64 | None = None
    ) -> Iterator[tuple[I64, I64]]:
        """Those pairs that are as like as asked for. meetings: counts, for each right row, those that are not."""
        index = self._index
        for all_left, all_right in candidates:
            for begin in range(0, len(all_left), _BLOCK_PAIRS):
                self._check()
                left, right = all_left[begin : begin + _BLOCK_PAIRS], all_right[begin : begin + _BLOCK_PAIRS]
                if same_verdict:
                    agree = index.judged[left] == index.judged[right]
                    left, right = left[agree], right[agree]
                if meetings is not None:
                    open_to_more = meetings[right] < _MOST_MEETINGS
                    left, right = left[open_to_more], right[open_to_more]
                left, right = self._promising(left, right)
                alike = self._similarity(left, right) >= index.similarity
                if meetings is not None:
                    np.add.at(meetings, right[~alike], 1)
                yield left[alike], right[alike]

    def _promising(self, left: I64, right: I64) -> tuple[I64, I64]:
        """Without the pairs whose signatures differ too much."""
        short = self._index.short
        agree = np.count_nonzero(short[left] == short[right], axis=1) / short.shape[1]
        hopeful = agree >= self._index.similarity - _DOUBT
        return left[hopeful], right[hopeful]

    def _similarity(self, left: I64, right: I64) -> F64:
        if self._sets is None:
            raise RuntimeError("prepare() comes first")
        return jaccard(self._sets, left, right) if len(left) else np.empty(0)


def _follow(left: I64, right: I64, stays: Bools, leader: I64) -> None:
    """Settle pairs (earlier, later) in the order of the later row: a repeat has a leader that stays."""
    order = np.lexsort((left, right))
    for earlier, later in zip(left[order].tolist(), right[order].tolist(), strict=True):
        if stays[earlier] and stays[later]:
            stays[later] = False
            leader[later] = earlier


def neighbours(hashes: Any, among: Bools, fresh: Bools) -> Iterator[tuple[I64, I64]]:
    """Pairs (earlier, later) of one bucket, one of the two ``fresh``: with the bucket's first row, then ever farther.

    Rows that leave ``among`` between two portions are in no later pair: most rows of a template meet one row only.
    """
    order, bucket = _sorted(hashes, np.flatnonzero(among))
    if not len(order):
        return
    first = _firsts(bucket)
    places = np.arange(len(order))
    for distance in range(NEIGHBOURS + 1):
        other = places - distance if distance else first
        # The first row was met at distance 0 already.
        meets = (other > first) if distance else (places > first)
        left, right = order[other[meets]], order[meets]
        wanted = among[left] & among[right] & (fresh[left] | fresh[right])
        yield left[wanted], right[wanted]


def _across(hashes: Any, low: Bools, high: Bools, level: Any) -> Iterator[tuple[I64, I64]]:
    """Pairs (twin, row) of one bucket, the twin in a split of higher standing; for each row the first few.

    Rows that leave ``low`` between two portions are in no later pair.
    """
    rows = np.flatnonzero(low | high)
    rows = rows[np.argsort(-level[rows].astype(np.int8), kind="stable")]
    order, bucket = _sorted(hashes, rows)
    if not len(order):
        return
    first = _firsts(bucket)
    for distance in range(NEIGHBOURS):
        at = first + distance
        inside = at < np.arange(len(order))
        row, other = order[inside], order[at[inside]]
        meets = low[row] & high[other] & (level[other] > level[row])
        yield other[meets], row[meets]


def _firsts(bucket: I64) -> I64:
    """For each place, the place where its bucket begins."""
    begins: I64 = np.flatnonzero(np.concatenate([[True], bucket[1:] != bucket[:-1]]))[bucket]
    return begins


def _sorted(hashes: Any, rows: I64) -> tuple[I64, I64]:
    """(rows, bucket numbers from 0) of the rows in buckets of two at least, bucket by bucket, order kept inside."""
    order = rows[np.argsort(hashes[rows], kind="stable")]
    if len(order) < 2:
        return order[:0], order[:0]
    ordered = hashes[order]
    same = ordered[1:] == ordered[:-1]
    shared = np.concatenate([same, [False]]) | np.concatenate([[False], same])
    order, ordered = order[shared], ordered[shared]
    starts = np.concatenate([[True], ordered[1:] != ordered[:-1]]) if len(order) else np.empty(0, np.bool_)
    return order, np.cumsum(starts) - 1
