"""Where a trial's values stand on the axes of the parallel-coordinates picture. No widgets."""

from __future__ import annotations

import math
from dataclasses import dataclass

from studio.domain.search_space import Dimension, Setting, field_title, setting_words
from studio.domain.searches import Search, Trial
from studio.i18n import _

_TICKS_AT_MOST = 8
_PAD = 0.06  # of the span of the losses, so that the best does not stand on the edge


@dataclass(frozen=True)
class Axis:
    """One axis. ticks: (place from 0 at the foot to 1 at the head, words)."""

    title: str
    ticks: tuple[tuple[float, str], ...]


@dataclass(frozen=True)
class Line:
    """One trial. places: on each axis; the last is None while it has no loss."""

    number: int
    places: tuple[float | None, ...]
    ended_early: bool
    best: bool


def axes_of(search: Search) -> list[Axis]:
    """An axis for each searched field, and one for the loss."""
    fields = [Axis(field_title(name), _ticks(name, dimension)) for name, dimension in search.space.items()]
    return [*fields, Axis(_("Validation loss"), _loss_ticks(search))]


def lines_of(search: Search) -> list[Line]:
    """The trials, the best last so that it is drawn over the others."""
    best, span = search.best, _losses(search)
    lines = [
        Line(
            trial.number,
            (
                *(place(dimension, trial.settings[name]) for name, dimension in search.space.items()),
                None if (loss := loss_of(trial)) is None else _share(loss, *span),
            ),
            trial.pruned, best is not None and trial.number == best.number,
        )
        for trial in search.trials
    ]  # fmt: skip
    return sorted(lines, key=lambda line: line.best)


def place(dimension: Dimension, value: Setting) -> float:
    """Where a value stands on its axis, 0 to 1."""
    if dimension.choices:
        at = dimension.choices.index(value) if value in dimension.choices else 0
        return (at + 0.5) / len(dimension.choices)
    number, low, high = float(value), dimension.low, dimension.high
    if dimension.log:
        number, low, high = math.log(number), math.log(low), math.log(high)
    return min(max((number - low) / (high - low), 0.0), 1.0)


def loss_of(trial: Trial) -> float | None:
    """The trial's loss; while it runs, the lowest so far."""
    if trial.value is not None:
        return trial.value
    return min(trial.checks) if trial.checks else None


def _ticks(name: str, dimension: Dimension) -> tuple[tuple[float, str], ...]:
    if dimension.choices:
        every = -(-len(dimension.choices) // _TICKS_AT_MOST)
        return tuple(
            (place(dimension, value), setting_words(name, value)) for value in dimension.choices[::every]
        )
    values = [dimension.low, _middle(dimension), dimension.high]
    return tuple((place(dimension, value), f"{value:.3g}") for value in dict.fromkeys(values))


def _middle(dimension: Dimension) -> float:
    low, high = dimension.low, dimension.high
    middle = math.sqrt(low * high) if dimension.log else (low + high) / 2
    return round(middle) if dimension.whole else middle


def _loss_ticks(search: Search) -> tuple[tuple[float, str], ...]:
    if not any(loss_of(trial) is not None for trial in search.trials):
        return ()
    low, high = _losses(search)
    return tuple((share, f"{low + share * (high - low):.3g}") for share in (0.0, 0.5, 1.0))


def _losses(search: Search) -> tuple[float, float]:
    """Ends of the loss axis. A diverged trial must not press all others together: far ones stand at the edge."""
    found = sorted(loss for trial in search.trials if (loss := loss_of(trial)) is not None)
    if not found:
        return 0.0, 1.0
    low, median, high = found[0], found[len(found) // 2], found[-1]
    high = min(high, median + 3 * (median - low)) if median > low else high
    pad = (high - low) * _PAD or abs(low) * 0.05 or 1.0
    return low - pad, high + pad


def _share(value: float, low: float, high: float) -> float:
    return min(max((value - low) / (high - low), 0.0), 1.0)
