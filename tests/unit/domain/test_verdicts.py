"""What a verdict says about a validation curve."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.domain.measures import Measure
from studio.domain.runs import EvalMetrics
from studio.domain.verdicts import NextStep, VerdictKind, judge, sentence


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
