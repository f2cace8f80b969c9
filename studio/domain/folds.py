"""What a K-fold found: the same settings trained k times, each time tried on another part of the rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import fmean, stdev

from studio.domain.measures import metric_title
from studio.domain.runs import ENDED, EvalMetrics, Run, RunState
from studio.i18n import _

LOSS = "loss"


@dataclass(frozen=True)
class Spread:
    """Mean and sample standard deviation (n - 1) of one measure over the folds that have it; unknown for one fold."""

    mean: float
    deviation: float | None
    folds: int


@dataclass(frozen=True)
class FoldsResult:
    """A K-fold as it stands. runs by fold; values: of each finished run at its best check, ``loss`` first."""

    id: str
    name: str
    runs: tuple[Run, ...]
    values: dict[str, dict[str, float]]  # run id -> measure -> value
    spreads: dict[str, Spread]

    @property
    def k(self) -> int:
        return len(self.runs)

    @property
    def done(self) -> int:
        return sum(run.state is RunState.DONE for run in self.runs)

    @property
    def ended(self) -> bool:
        return all(run.state in ENDED for run in self.runs)

    @property
    def over(self) -> bool:
        """Whether nothing more happens by itself: an interrupted fold waits to be taken up again."""
        return all(run.state in ENDED or run.state is RunState.INTERRUPTED for run in self.runs)


def folds_result(folds_id: str, runs: list[Run], evals: dict[str, list[EvalMetrics]]) -> FoldsResult:
    """The result of these runs of one K-fold; evals by run id."""
    ordered = tuple(sorted(runs, key=lambda run: run.plan.fold or (0, 0)))
    values = {
        run.id: found
        for run in ordered
        if run.state is RunState.DONE and (found := best_values(evals.get(run.id, [])))
    }
    names = dict.fromkeys(name for found in values.values() for name in found)
    spreads = {name: _spread([found[name] for found in values.values() if name in found]) for name in names}
    name = ordered[0].name.rpartition(" · ")[0] or ordered[0].name
    return FoldsResult(folds_id, name, ordered, values, spreads)


def best_values(evals: list[EvalMetrics]) -> dict[str, float]:
    """Loss and metrics of the check with the lowest loss; empty without a check of the trained model."""
    checks = [check for check in evals if check.step > 0 and math.isfinite(check.loss)]
    if not checks:
        return {}
    best = min(checks, key=lambda check: (check.loss, check.step))
    return {LOSS: best.loss, **best.metrics}


def measure_title(name: str) -> str:
    """The measure's name in the user's language."""
    return _("Validation loss") if name == LOSS else metric_title(name)


def value_words(value: float) -> str:
    """Four digits that count, also when the last is a zero: figures stand in columns."""
    return f"{value:#.4g}".rstrip(".")


def spread_words(spread: Spread) -> str:
    """``0.871 ± 0.012``."""
    if spread.deviation is None:
        return value_words(spread.mean)
    return _("{mean} ± {deviation}").format(
        mean=value_words(spread.mean), deviation=f"{spread.deviation:#.2g}"
    )


def sentence(result: FoldsResult) -> str:
    """What the K-fold says, in plain words."""
    if not result.spreads:
        return _("{done} of {k} folds are finished; there is no result yet.").format(
            done=result.done, k=result.k
        )
    found = _("; ").join(
        _("{measure} {value}").format(measure=measure_title(name), value=spread_words(spread))
        for name, spread in result.spreads.items()
    )
    if result.done < result.k:
        return _("{done} of {k} folds so far: {found}.").format(done=result.done, k=result.k, found=found)
    return _("Over {k} folds: {found}. A change smaller than the deviation may be chance.").format(
        k=result.k, found=found
    )


def _spread(values: list[float]) -> Spread:
    return Spread(fmean(values), stdev(values) if len(values) > 1 else None, len(values))
