"""Axes with round numbers, on a linear and on a logarithmic scale, in the program's own type.

Imports pyqtgraph: only import this module lazily.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import pyqtgraph as pg
from PySide6.QtGui import QColor

from studio.gui.theme import Tokens, tabular_font

_STEPS = (1.0, 2.0, 5.0)
_WANTED_TICKS = 5


class RoundAxis(pg.AxisItem):  # type: ignore[misc] # pyqtgraph is untyped
    """Few ticks, at 1-2-5 numbers; in log mode positions are log10 and labels the numbers themselves.

    whole: the axis counts something, so no tick stands between two whole numbers.
    """

    def __init__(self, orientation: str, *, whole: bool = False) -> None:
        super().__init__(orientation, maxTickLength=0)
        self.log, self._whole, self._blank = False, whole, False
        self.enableAutoSIPrefix(False)

    def dress(self, tokens: Tokens) -> None:
        """Take the colours and type of an appearance."""
        self.setPen(pg.mkPen(tokens.border))
        self.setTextPen(QColor(tokens.text_muted))
        self.setTickFont(tabular_font(tokens.fonts.caption - 1))
        self.setStyle(tickTextOffset=6)

    def set_blank(self, blank: bool) -> None:
        """Show no numbers: there is nothing yet that they would measure."""
        if blank != self._blank:
            self._blank = blank
            self.picture = None  # pyqtgraph's own, of the last ticks
            self.update()

    def tickValues(self, minVal: float, maxVal: float, size: float) -> list[tuple[float, list[float]]]:
        if self._blank:
            return []
        least = 1.0 if self._whole else 0.0
        ticks = log_ticks(minVal, maxVal) if self.log else linear_ticks(minVal, maxVal, size, least)
        return [(ticks[1] - ticks[0] if len(ticks) > 1 else 1.0, ticks)]

    def tickStrings(self, values: Sequence[float], scale: float, spacing: float) -> list[str]:
        return [short_number(10**value if self.log else value) for value in values]


def linear_ticks(low: float, high: float, size_px: float, least: float = 0.0) -> list[float]:
    """Round positions between low and high, about one per 90 px, at most five, and at least ``least`` apart."""
    span = high - low
    if not span > 0 or not math.isfinite(span):
        return []
    wanted = max(2, min(_WANTED_TICKS, int(size_px / 56)))
    rough = span / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next((power * s for s in _STEPS if power * s >= rough), power * 10)
    step = max(step, least)
    first = math.ceil(low / step)
    return [i * step for i in range(first, math.floor(high / step) + 1)]


def log_ticks(low: float, high: float) -> list[float]:
    """log10 positions of round numbers between 10^low and 10^high; finer ones when the range is under a
    decade.
    """
    if high - low < 1:
        bottom, top = 10**low, 10**high
        return [math.log10(tick) for tick in linear_ticks(bottom, top, 400) if tick > 0]
    every = max(1, round((high - low) / _WANTED_TICKS))
    return [float(i) for i in range(math.ceil(low), math.floor(high) + 1, every)]


def short_number(value: float) -> str:
    """A number in at most about six characters: 0.0005, 1.25, 12k, 3M."""
    if value == 0:
        return "0"
    size = abs(value)
    if size >= 1e6:
        return f"{value / 1e6:.3g}M"
    if size >= 1e4:
        return f"{value / 1e3:.3g}k"
    if size < 1e-3:
        mantissa, exponent = f"{value:.1e}".split("e")
        return f"{float(mantissa):g}e{int(exponent)}"
    return f"{value:.4g}"
