"""Histograms of values that come in pieces, with edges that a person reads easily."""

from __future__ import annotations

import math
from typing import Final

import numpy as np
import polars as pl

from studio.domain.statistics import Histogram

BINS: Final = 24


class ValueCounts:
    """How often each whole number occurred; so percentiles are exact, however many values there were."""

    def __init__(self) -> None:
        self._table = pl.DataFrame(schema={"value": pl.Int64, "times": pl.Int64})

    def add(self, values: pl.Series) -> None:
        new = (
            values.cast(pl.Int64)
            .alias("value")
            .to_frame()
            .group_by("value")
            .agg(times=pl.len().cast(pl.Int64))
        )
        self._table = pl.concat([self._table, new]).group_by("value").agg(pl.col("times").sum())

    def histogram(self, column: str, unit: str) -> Histogram | None:
        """None when there were no values. A last bin takes the long tail, so that one giant hides nothing."""
        if self._table.is_empty():
            return None
        table = self._table.sort("value")
        values, times = table["value"].to_numpy(), table["times"].to_numpy()
        running = np.cumsum(times)
        p50, p95, p99 = (
            int(values[np.searchsorted(running, running[-1] * part)]) for part in (0.5, 0.95, 0.99)
        )
        edges = nice_edges(float(values[0]), float(p99), whole=True)
        if values[-1] >= edges[-1]:
            edges.append(max(edges[-1] + 1, float(values[-1])))
        counts, _edges = np.histogram(values, bins=edges, weights=times)
        return Histogram(
            column=column, unit=unit, edges=edges, counts=[int(count) for count in counts], p50=p50, p95=p95,
            longest=int(values[-1]),
        )  # fmt: skip


def histogram_of(values: pl.Series, column: str) -> Histogram | None:
    """Of real numbers; None when there are none."""
    kept = values.drop_nulls().filter(values.drop_nulls().is_finite())
    if kept.is_empty():
        return None
    numbers = kept.to_numpy()
    low, high = float(numbers.min()), float(numbers.max())
    edges = nice_edges(low, high, whole=False)
    counts, _edges = np.histogram(numbers, bins=edges)
    p50, p95 = np.percentile(numbers, (50, 95))
    return Histogram(
        column=column, unit="", edges=edges, counts=[int(count) for count in counts], p50=float(p50),
        p95=float(p95), longest=high,
    )  # fmt: skip


def nice_edges(low: float, high: float, *, whole: bool) -> list[float]:
    """Up to BINS + 1 edges at round places (steps of 1, 2 or 5 times a power of ten) that take in both ends."""
    span = high - low
    if span <= 0 or not math.isfinite(span):
        span = max(1.0, abs(low) * 0.1)
    raw = span / BINS
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * factor for factor in (1, 2, 5, 10) if power * factor >= raw * (1 - 1e-9))
    step = max(step, 1.0) if whole else step
    first = math.floor(low / step)
    last = max(first + 1, math.floor(high / step) + 1)
    return [float(place * step) for place in range(first, last + 1)]
