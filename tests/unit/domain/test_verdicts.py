"""What a verdict says about a validation curve."""

from __future__ import annotations

import pytest

from studio.domain.runs import EvalMetrics
from studio.domain.verdicts import NextStep, judge, sentence


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
