"""Did training help? Base against tuned on the same held-out rows, with a confidence interval and a next step."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from enum import StrEnum

from pydantic import BaseModel, ConfigDict

from studio.domain.measures import HIGHER_IS_BETTER, SHARES, Measure, margin, measure_title, measure_words
from studio.domain.runs import EvalMetrics
from studio.i18n import N_, _
from studio.words import sentences

RESAMPLES = 2000
OVERFIT_RISE = 0.01  # a last validation loss this much (1%) above the best one counts as turned
LEARNED_FALL = 0.05  # a model whose training loss fell by less than this (5%) has learned nothing yet
PLENTY_ROWS = 20  # fewer held-out rows than this cannot carry a firm verdict
# Student's t, 97.5%, for 1 to 18 degrees of freedom: what PLENTY_ROWS or more rows do not need.
_T = (
    12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262,
    2.228, 2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101,
)  # fmt: skip


class VerdictKind(StrEnum):
    BETTER = "better"
    SAME = "same"
    WORSE = "worse"
    NO_BASE = "no_base"  # trained from scratch: nothing to compare with


TITLES = {
    VerdictKind.BETTER: N_("Better"),
    VerdictKind.SAME: N_("About the same"),
    VerdictKind.WORSE: N_("Worse"),
    VerdictKind.NO_BASE: N_("New model"),
}


class NextStep(StrEnum):
    TRY_AND_COLLECT = "try_and_collect"
    FEWER_PASSES = "fewer_passes"
    MORE_PASSES = "more_passes"
    LONGER = "longer"
    LOWER_RATE = "lower_rate"
    MORE_DATA = "more_data"
    MORE_HELD_OUT = "more_held_out"


class Verdict(BaseModel):
    """Means of the measure over what was predicted; difference = tuned − base, with a 95% interval.

    SURPRISE is in nats per trained token and has perplexities beside it. metrics: named figures of the tuned model on
    the held-out rows.
    """

    model_config = ConfigDict(frozen=True)

    kind: VerdictKind
    measure: Measure = Measure.SURPRISE
    base_value: float | None
    tuned_value: float
    base_perplexity: float | None = None
    tuned_perplexity: float | None = None
    metrics: dict[str, float] = {}
    difference: float | None
    ci_low: float | None
    ci_high: float | None
    rows: int
    tokens: int
    split: str
    overfitting: bool
    best_step: int
    last_step: int
    next_step: NextStep


def perplexity(loss: float) -> float:
    """exp(loss) for a mean loss in nats per token; infinity instead of an overflow."""
    return math.exp(loss) if loss < 700 else math.inf


def judge(
    base_scores: Sequence[float] | None,
    tuned_scores: Sequence[float],
    targets: Sequence[int],
    evals: Sequence[EvalMetrics],
    split: str,
    measure: Measure = Measure.SURPRISE,
    metrics: dict[str, float] | None = None,
    training: Sequence[float] = (),
) -> Verdict:
    """The verdict on a run.

    base_scores, tuned_scores: the measure summed over each held-out row; targets: things predicted in each row
    (trained tokens; 1 for a label); training: the loss of the updates, in order. Raises ValueError when there are no
    rows or the lengths differ.
    """
    sides = [scores for scores in (base_scores, tuned_scores) if scores is not None]
    if not targets or any(len(scores) != len(targets) for scores in sides):
        raise ValueError("the same, non-zero number of rows is needed on both sides")
    total = sum(targets)
    tuned = sum(tuned_scores) / total
    turned, best_step, last_step = _turned(evals)
    fall = _fall(training)
    # All right: it only became less sure. Where training taught nothing, there is nothing to have by heart.
    overfitting = turned and not (measure in SHARES and tuned >= 1) and (fall is None or fall >= LEARNED_FALL)
    base = difference = low = high = None
    kind = VerdictKind.NO_BASE
    if base_scores is not None:
        base = sum(base_scores) / total
        difference = tuned - base
        interval = paired_interval(base_scores, tuned_scores, targets)
        if interval is not None and measure in SHARES:
            interval = _of_shares(interval, len(targets))
        low, high = interval or (None, None)
        kind = _kind(interval, difference, measure, base)
    surprise = measure is Measure.SURPRISE
    return Verdict(
        kind=kind, measure=measure, base_value=base, tuned_value=tuned,
        base_perplexity=perplexity(base) if surprise and base is not None else None,
        tuned_perplexity=perplexity(tuned) if surprise else None, metrics=metrics or {},
        difference=difference, ci_low=low, ci_high=high, rows=len(targets), tokens=total, split=split,
        overfitting=overfitting, best_step=best_step, last_step=last_step,
        next_step=_next_step(kind, overfitting, len(targets), evals, fall),
    )  # fmt: skip


def paired_interval(
    base_scores: Sequence[float], tuned_scores: Sequence[float], targets: Sequence[int]
) -> tuple[float, float] | None:
    """95% interval of (tuned − base) per target over rows; None for a single row, which tells nothing.

    Rows, not tokens, are what varies, since tokens of one answer are not independent. With PLENTY_ROWS rows the
    percentile bootstrap (Efron & Tibshirani 1993, ch. 13); with fewer, where it is too narrow, Student's t on the
    linearised ratio (Cochran 1977, 2.11).
    """
    if len(targets) < 2:
        return None
    deltas = [t - b for t, b in zip(tuned_scores, base_scores, strict=True)]
    if len(targets) < PLENTY_ROWS:
        return _t_interval(deltas, targets)
    return _bootstrap_interval(deltas, targets)


def _of_shares(interval: tuple[float, float], rows: int) -> tuple[float, float]:
    """Of few rows Student's t may promise more than there can be, and where all rows differ alike both ways see no
    doubt at all: up to 3 / n of other rows may do otherwise then (rule of three, Hanley & Lippman-Hand 1983)."""
    low, high = interval
    doubt = 3 / rows if high - low < 1e-9 else 0.0
    return max(low - doubt, -1.0), min(high + doubt, 1.0)


def _t_interval(deltas: Sequence[float], tokens: Sequence[int]) -> tuple[float, float]:
    n, total = len(tokens), sum(tokens)
    ratio = sum(deltas) / total
    spread = sum((d - ratio * t) ** 2 for d, t in zip(deltas, tokens, strict=True))
    half = _T[n - 2] * math.sqrt(n / (n - 1) * spread) / total
    return ratio - half, ratio + half


def _bootstrap_interval(deltas: Sequence[float], tokens: Sequence[int]) -> tuple[float, float]:
    rng = random.Random(0)  # the same rows give the same verdict
    rows = range(len(tokens))
    means = []
    for _draw in range(RESAMPLES):
        drawn = rng.choices(rows, k=len(tokens))
        means.append(sum(deltas[i] for i in drawn) / sum(tokens[i] for i in drawn))
    means.sort()
    return means[int(0.025 * RESAMPLES)], means[int(0.975 * RESAMPLES) - 1]


def _kind(
    interval: tuple[float, float] | None, difference: float, measure: Measure, base: float
) -> VerdictKind:
    if interval is None:
        return VerdictKind.SAME
    low, high = interval
    least = margin(measure, base)
    up, down = VerdictKind.WORSE, VerdictKind.BETTER
    if measure in HIGHER_IS_BETTER:
        up, down = down, up
    if high < 0 and difference <= -least:
        return down
    if low > 0 and difference >= least:
        return up
    return VerdictKind.SAME


def _turned(evals: Sequence[EvalMetrics]) -> tuple[bool, int, int]:
    """Whether validation loss rose again after its best, with the best and the last step.

    Step 0 is the base model: worse than that from the first check on is no overfitting, and it is never kept.
    """
    trained = [e for e in evals if e.step > 0]
    if not trained:
        return False, 0, 0
    best = min(trained, key=lambda e: e.loss)
    last = trained[-1]
    return last.loss > best.loss * (1 + OVERFIT_RISE), best.step, last.step


def _fall(training: Sequence[float]) -> float | None:
    """By what share the training loss fell from the first tenth of the updates to the last; None for too few."""
    tenth = len(training) // 10
    if not tenth:
        return None
    first, last = sum(training[:tenth]), sum(training[-tenth:])
    return 1 - last / first if first > 0 else None


def _next_step(
    kind: VerdictKind, overfitting: bool, rows: int, evals: Sequence[EvalMetrics], fall: float | None
) -> NextStep:
    knew = bool(evals) and evals[0].step == 0  # a base model, which training can also spoil
    if kind is VerdictKind.WORSE and (knew or (fall is not None and fall < -LEARNED_FALL)):
        return NextStep.LOWER_RATE
    if overfitting:
        return NextStep.FEWER_PASSES if kind is VerdictKind.SAME and knew else NextStep.MORE_DATA
    hardly = kind is VerdictKind.SAME and fall is not None and fall < LEARNED_FALL
    if kind is VerdictKind.WORSE or hardly:
        return NextStep.LONGER
    if rows < PLENTY_ROWS:
        return NextStep.MORE_HELD_OUT
    if len(evals) >= 2 and evals[-1].loss < evals[-2].loss * 0.99:
        return NextStep.MORE_PASSES  # still falling by over 1% a check when it ended
    return NextStep.TRY_AND_COLLECT if kind is VerdictKind.BETTER else NextStep.MORE_DATA


_SENTENCES = {
    VerdictKind.BETTER: N_(
        "Better: on {rows} questions that it did not learn from, the model is {percent} less surprised by the right "
        "answer (95% sure: {low} to {high})."
    ),
    VerdictKind.SAME: N_(
        "About the same: on {rows} questions that it did not learn from, no clear difference from the base model "
        "(95% sure: between {low} and {high} less surprised)."
    ),
    VerdictKind.WORSE: N_(
        "Worse: on {rows} questions that it did not learn from, the model is {percent} more surprised by the right "
        "answer (95% sure: {low} to {high})."
    ),
    VerdictKind.NO_BASE: N_(
        "A new model: on {rows} rows that it did not learn from, it hesitates between about {perplexity} word pieces "
        "at each step. There is no base model to compare it with."
    ),
}
# For every measure but surprise, where values are told as they are.
_MEASURED_SENTENCES = {
    VerdictKind.BETTER: N_(
        "Better: on {rows} rows that it did not learn from, “{measure}” is {tuned}, compared with {base} for {other} "
        "(difference 95% sure: {low} to {high})."
    ),
    VerdictKind.SAME: N_(
        "About the same: on {rows} rows that it did not learn from, “{measure}” is {tuned}, compared with {base} for "
        "{other}; no clear difference (95% sure: {low} to {high})."
    ),
    VerdictKind.WORSE: N_(
        "Worse: on {rows} rows that it did not learn from, “{measure}” is {tuned}, compared with {base} for {other} "
        "(difference 95% sure: {low} to {high})."
    ),
    VerdictKind.NO_BASE: N_(
        "A new model: on {rows} rows that it did not learn from, “{measure}” is {tuned}."
    ),
}
_NEXT_SENTENCES = {
    NextStep.TRY_AND_COLLECT: N_(
        "Next: try it in the playground and correct the answers that you do not like."
    ),
    NextStep.FEWER_PASSES: N_("Next: train with fewer passes; it began to learn the data by heart."),
    NextStep.MORE_PASSES: N_("Next: train longer; it was still improving when the run ended."),
    NextStep.LONGER: N_("Next: train longer; it has not learned enough yet."),
    NextStep.LOWER_RATE: N_("Next: lower the learning rate to a tenth and train again."),
    NextStep.MORE_DATA: N_("Next: add more and more varied rows; this data has been used up."),
    NextStep.MORE_HELD_OUT: N_("Next: add rows; with so few held-out rows the verdict is shaky."),
}
# These answers cannot be corrected one by one.
_TRY = N_("Next: try it in the playground.")
_NOT_CORRECTED = frozenset({Measure.RANKED, Measure.RECONSTRUCTION})
# Compared with the base model as it was; the others with the simplest guess.
_BASED = frozenset({Measure.SURPRISE, Measure.PREFERRED})
_TOO_FEW = N_("Not known yet: one held-out row cannot tell better from worse.")
_OVERFITTING = N_(
    "Answers on new questions got worse again after step {best}; the model of that step was kept (overfitting)."
)
_MEASURED_OVERFITTING = N_(
    "On new rows it got worse again after step {best}; the model of that step was kept (overfitting)."
)


def title(kind: VerdictKind) -> str:
    """The verdict in a word or two, in the active language."""
    return _(TITLES[kind])


def sentence(verdict: Verdict) -> str:
    """The verdict in one sentence (two when validation turned), in the active language."""
    unknown = verdict.difference is not None and verdict.ci_low is None
    wording = _SENTENCES if verdict.measure is Measure.SURPRISE else _MEASURED_SENTENCES
    text = _(_TOO_FEW) if unknown else _(wording[verdict.kind]).format(**_figures(verdict))
    if verdict.overfitting:
        turned = _OVERFITTING if verdict.measure in _BASED else _MEASURED_OVERFITTING
        return sentences(text, _(turned).format(best=verdict.best_step))
    return text


def next_sentence(verdict: Verdict) -> str:
    """What to do next, in the active language."""
    if verdict.next_step is NextStep.TRY_AND_COLLECT and verdict.measure in _NOT_CORRECTED:
        return _(_TRY)
    return _(_NEXT_SENTENCES[verdict.next_step])


def _figures(verdict: Verdict) -> dict[str, object]:
    if verdict.measure is not Measure.SURPRISE:
        return _measured_figures(verdict)
    figures: dict[str, object] = {"rows": verdict.rows, "perplexity": f"{verdict.tuned_perplexity or 0:.0f}"}
    if verdict.difference is None or verdict.ci_low is None or verdict.ci_high is None:
        return figures
    if verdict.kind is VerdictKind.WORSE:
        low, high, middle = verdict.ci_low, verdict.ci_high, verdict.difference
        less = [math.expm1(x) for x in (low, high, middle)]
    else:
        less = [-math.expm1(x) for x in (verdict.ci_high, verdict.ci_low, verdict.difference)]
    figures["low"], figures["high"], figures["percent"] = (f"{x:.0%}" for x in less)
    return figures


def _measured_figures(verdict: Verdict) -> dict[str, object]:
    values = {
        "tuned": verdict.tuned_value, "base": verdict.base_value, "low": verdict.ci_low, "high": verdict.ci_high,
    }  # fmt: skip
    words = {
        name: measure_words(verdict.measure, value) for name, value in values.items() if value is not None
    }
    other = _("the base model") if verdict.measure in _BASED else _("the simplest guess")
    return {"rows": verdict.rows, "measure": measure_title(verdict.measure), "other": other, **words}
