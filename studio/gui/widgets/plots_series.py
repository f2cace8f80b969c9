"""Points of a curve that may be very many: kept in growing arrays, thinned to what a screen can show.

Plain NumPy, no Qt: what is drawn is decided here, so it can be tested without a window.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
_FIRST_ROOM = 1024
_EXPONENT_LIMIT = 600.0  # keeps the powers of the running mean inside float64


class Series:
    """(x, y) points with rising x. A point at or before the last x replaces what was there from that x on:
    steps that are done again after a resume take the place of the lost ones. A missing y is NaN."""

    def __init__(self) -> None:
        self._x: Array = np.empty(_FIRST_ROOM)
        self._y: Array = np.empty(_FIRST_ROOM)
        self._size = 0
        self.version = 0  # rises with every change, so that views know when to thin again

    def __len__(self) -> int:
        return self._size

    @property
    def x(self) -> Array:
        return self._x[: self._size]

    @property
    def y(self) -> Array:
        return self._y[: self._size]

    def append(self, x: float, y: float | None) -> None:
        """Add one point."""
        if self._size and x <= self._x[self._size - 1]:
            self._size = int(np.searchsorted(self.x, x))
        if self._size == len(self._x):
            self._x = np.resize(self._x, 2 * self._size)
            self._y = np.resize(self._y, 2 * self._size)
        self._x[self._size] = x
        self._y[self._size] = np.nan if y is None else y
        self._size += 1
        self.version += 1

    def replace(self, xs: Sequence[float], ys: Sequence[float | None]) -> None:
        """Take these points instead of all that were there; x must rise."""
        self._x = np.asarray(xs, dtype=np.float64)
        self._y = np.array([np.nan if y is None else y for y in ys], dtype=np.float64)
        self._size = len(self._x)
        self.version += 1
        if not self._size:
            self._x, self._y = np.empty(_FIRST_ROOM), np.empty(_FIRST_ROOM)

    def nearest(self, x: float) -> int | None:
        """Index of the point nearest to x; None when there are no points."""
        if not self._size:
            return None
        right = min(int(np.searchsorted(self.x, x)), self._size - 1)
        left = max(right - 1, 0)
        return left if abs(self._x[left] - x) <= abs(self._x[right] - x) else right


def thin(x: Array, y: Array, low: float, high: float, buckets: int) -> tuple[Array, Array]:
    """At most about 2·buckets points (at least half as many) that draw the same picture between x = low and
    high.

    Each bucket of neighbouring points keeps its lowest and its highest one, so no spike is lost (min-max
    decimation,
    Jugel et al., M4, VLDB 2014). One point either side of the range stays, so lines run to the edge.
    """
    first = max(int(np.searchsorted(x, low)) - 1, 0)
    last = min(int(np.searchsorted(x, high, side="right")) + 1, len(x))
    x, y = x[first:last], y[first:last]
    size = _power_of_two(len(x) / buckets)
    if size <= 2:
        return x, y
    # Buckets hang on absolute positions, so that lines do not crawl when points are added at the end.
    lead = -first % size
    whole = lead + (len(x) - lead) // size * size
    picks = _extremes(y[lead:whole].reshape(-1, size)) + lead
    index = np.concatenate((np.arange(lead), picks, np.arange(whole, len(x))))
    return x[index], y[index]


def sample(x: Array, y: Array, low: float, high: float, points: int) -> tuple[Array, Array]:
    """At most about ``points`` evenly chosen points of a smooth curve between x = low and high, both ends
    kept.
    """
    first = max(int(np.searchsorted(x, low)) - 1, 0)
    last = min(int(np.searchsorted(x, high, side="right")) + 1, len(x))
    if last <= first:
        return x[:0], y[:0]
    stride = _power_of_two((last - first) / points)
    start = first + (-first % stride)  # on absolute positions, so that the line does not crawl as it grows
    index = np.unique(np.concatenate(([first, last - 1], np.arange(start, last, stride))))
    return x[index], y[index]


def _power_of_two(at_least: float) -> int:
    """Strides double instead of creeping up, so a growing line is thinned anew only when it has doubled."""
    return 1 << max(0, math.ceil(math.log2(max(at_least, 1))))


def _extremes(table: Array) -> NDArray[np.intp]:
    lowest = np.where(np.isnan(table), np.inf, table).argmin(axis=1)
    highest = np.where(np.isnan(table), -np.inf, table).argmax(axis=1)
    pairs = np.stack((np.minimum(lowest, highest), np.maximum(lowest, highest)), axis=1)
    picks: NDArray[np.intp] = (pairs + np.arange(len(table))[:, None] * table.shape[1]).ravel()
    return picks


class Smoothed:
    """A running mean of a Series that follows it point by point.

    Exponential mean with weight ``amount`` (0..<1) on the past, corrected for its start (Kingma & Ba 2015,
    section 3).
    """

    def __init__(self, source: Series, amount: float) -> None:
        self._source = source
        self._amount = amount
        self._raw: Array = np.empty(0)  # the uncorrected mean
        self._version = -1

    @property
    def amount(self) -> float:
        return self._amount

    def set_amount(self, amount: float) -> None:
        """Smooth more or less; the next ``values`` is computed anew."""
        self._amount = amount
        self._version = -1

    def values(self) -> Array:
        """The smoothed y of every point of the source."""
        if self._version != self._source.version:
            self._raw = running_mean(_filled(self._source.y), self._amount)
            self._version = self._source.version
        return self._raw


def running_mean(y: Array, amount: float) -> Array:
    """The corrected exponential mean of ``y``: sum of amount^age·y over sum of amount^age, in blocks of
    vector work.
    """
    if amount <= 0 or not len(y):
        return y.copy()
    block = max(1, min(len(y), int(_EXPONENT_LIMIT / -np.log(amount))))
    mean, weight = np.empty(len(y)), np.empty(len(y))
    past_sum = past_weight = 0.0
    for start in range(0, len(y), block):
        piece = y[start : start + block]
        decay = amount ** np.arange(1, len(piece) + 1)
        sums = decay * (past_sum + np.cumsum(piece / decay))
        weights = decay * (past_weight + np.cumsum(1 / decay))
        mean[start : start + block], weight[start : start + block] = sums, weights
        past_sum, past_weight = float(sums[-1]), float(weights[-1])
    return mean / weight


def _filled(y: Array) -> Array:
    """NaN replaced by the value before it (the first known one at the start)."""
    known = ~np.isnan(y)
    if known.all() or not known.any():
        return y
    index = np.where(known, np.arange(len(y)), 0)
    np.maximum.accumulate(index, out=index)
    index[: int(np.argmax(known))] = int(np.argmax(known))
    return np.asarray(y[index], dtype=np.float64)
