"""What a verdict says about a validation curve."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.domain.measures import LOWER_METRICS, METRIC_TITLES, SHARE_METRICS, Measure, metric_words
from studio.domain.runs import EvalMetrics
from studio.domain.verdicts import NextStep, VerdictKind, judge, next_sentence, sentence


def evals(*losses: float) -> list[EvalMetrics]:
    """Evaluations at steps 0, 10, 20, …; step 0 is the base model."""
    return [EvalMetrics(10 * n, float(n), loss, 1.0, 5, False) for n, loss in enumerate(losses)]


def test_a_model_worse_than_its_base_from_the_start_did_not_overfit() -> None:
    verdict = judge([10.0] * 30, [30.0] * 30, [10] * 30, evals(1.0, 3.0, 2.9), "test")
    assert (verdict.overfitting, verdict.best_step) == (False, 20)
    assert "step 0" not in sentence(verdict)
    assert verdict.next_step is NextStep.LOWER_RATE


@pytest.mark.parametrize(
    ("losses", "turned"), [((3.0, 2.0, 2.5), True), ((3.0, 2.0, 2.01), False), ((3.0,), False)]
)
def test_overfitting_is_named_when_validation_turns(losses: tuple[float, ...], turned: bool) -> None:
    verdict = judge([30.0] * 30, [20.0] * 30, [10] * 30, evals(*losses), "test")
    assert verdict.overfitting is turned
    assert ("overfitting" in sentence(verdict)) is turned


def test_who_answers_everything_right_has_not_learned_by_heart() -> None:
    curve = evals(3.0, 0.02, 0.03)
    right = judge([0.0] * 30, [1.0] * 30, [1] * 30, curve, "test", Measure.CORRECT)
    assert (right.overfitting, right.next_step) == (False, NextStep.TRY_AND_COLLECT)
    nearly = judge([0.0] * 30, [1.0] * 29 + [0.0], [1] * 30, curve, "test", Measure.CORRECT)
    assert (nearly.overfitting, nearly.next_step) == (True, NextStep.MORE_DATA)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=40))
def test_a_share_of_right_answers_differs_by_no_more_than_all_of_them(rows: list[tuple[bool, bool]]) -> None:
    before, after = ([float(side) for side in column] for column in zip(*rows, strict=True))
    verdict = judge(before, after, [1] * len(rows), [], "test", Measure.CORRECT)
    assert verdict.ci_low is not None
    assert verdict.ci_high is not None
    assert -1 <= verdict.ci_low <= verdict.ci_high <= 1


def test_a_few_rows_do_not_promise_more_than_there_can_be() -> None:
    verdict = judge([0, 0, 0, 0, 1, 0, 1, 0], [1.0] * 8, [1] * 8, [], "test", Measure.CORRECT)
    assert verdict.kind is VerdictKind.BETTER
    assert "to 100.0%" in sentence(verdict)
    assert "“Right answers” is 100.0%" in sentence(verdict)


def test_a_model_that_guesses_has_learned_nothing_by_heart_and_is_trained_longer() -> None:
    """Spoken commands, a quick run: validation loss turned by noise alone."""
    flat, fallen = [1.63, 1.68, 1.65, 1.60] * 10, [1.63 - 0.03 * n for n in range(40)]
    curve = [e for e in evals(0.0, 1.70, 1.60, 1.63) if e.step]  # from scratch: no base model
    guesses = judge([0.1] * 30, [0.1] * 30, [1] * 30, curve, "test", Measure.CORRECT, training=flat)
    assert (guesses.overfitting, guesses.next_step) == (False, NextStep.LONGER)
    by_heart = judge([0.1] * 30, [0.1] * 30, [1] * 30, curve, "test", Measure.CORRECT, training=fallen)
    assert (by_heart.overfitting, by_heart.next_step) == (True, NextStep.MORE_DATA)  # no passes to take away


def test_a_model_from_scratch_that_is_still_worse_than_a_guess_is_trained_longer() -> None:
    """Ratings, a quick run of cosine decay: the last checks hardly differ, whatever more passes would bring."""
    curve = [e for e in evals(0.0, 0.91, 0.74, 0.738, 0.737) if e.step]
    falling, rising = [0.9 - 0.005 * n for n in range(60)], [0.9 + 0.005 * n for n in range(60)]
    worse = [0.5 + 0.01 * (n % 7) for n in range(30)], [0.7 + 0.01 * (n % 5) for n in range(30)]
    steps = [
        judge(*worse, [1] * 30, curve, "test", Measure.SQUARED_ERROR, training=training).next_step
        for training in (falling, rising)
    ]
    assert steps == [NextStep.LONGER, NextStep.LOWER_RATE]


@settings(deadline=None)
@given(
    st.lists(st.floats(0, 9), max_size=50),
    st.lists(st.floats(0, 9), max_size=6),
    st.booleans(),
    st.sampled_from(Measure),
)
def test_any_curve_has_a_next_step_in_words(
    training: list[float], curve: list[float], has_base: bool, measure: Measure
) -> None:
    checks = evals(*curve) if has_base else [e for e in evals(0.0, *curve) if e.step]
    base = [0.5] * 9 if has_base else None
    verdict = judge(base, [0.4] * 9, [1] * 9, checks, "test", measure, training=training)
    assert next_sentence(verdict).startswith("Next: ")


@pytest.mark.parametrize(
    ("measure", "other"), [(Measure.CORRECT, "the simplest guess"), (Measure.PREFERRED, "the base model")]
)
def test_the_sentence_names_what_the_model_is_compared_with(measure: Measure, other: str) -> None:
    verdict = judge([0.0] * 30, [1.0] * 30, [1] * 30, [], "test", measure)
    assert f"compared with 0.0% for {other}" in sentence(verdict)


def test_metrics_are_told_as_the_measures_are() -> None:
    shares = ["accuracy", "precision", "recall", "macro_f1"]
    assert [metric_words(name, 0.623) for name in shares] == ["62.3%"] * 4
    assert [metric_words(name, 0.623) for name in ("rmse", "auc")] == ["0.623"] * 2
    assert set(METRIC_TITLES) >= SHARE_METRICS | LOWER_METRICS


def test_what_cannot_be_corrected_is_only_tried() -> None:
    verdict = judge([300.0] * 30, [200.0] * 30, [1] * 30, [], "test", Measure.RECONSTRUCTION)
    assert verdict.next_step is NextStep.TRY_AND_COLLECT
    assert "correct" not in next_sentence(verdict)
