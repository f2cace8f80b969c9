"""The interval of a verdict is honest: wide for few rows, sure only when the rows agree."""

from __future__ import annotations

import random
from statistics import mean

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.domain.measures import Measure
from studio.domain.verdicts import PLENTY_ROWS, VerdictKind, judge, next_sentence, paired_interval, sentence

nats = st.floats(0.1, 400)
rows = st.lists(st.tuples(nats, nats, st.integers(1, 80)), min_size=2, max_size=60)


@settings(deadline=None)
@given(rows=rows)
def test_the_interval_holds_the_difference(rows: list[tuple[float, float, int]]) -> None:
    base, tuned, tokens = (list(column) for column in zip(*rows, strict=True))
    verdict = judge(base, tuned, tokens, [], "test")
    assert verdict.difference is not None
    assert verdict.ci_low is not None
    assert verdict.ci_high is not None
    slack = 1e-9 + 0.25 * (verdict.ci_high - verdict.ci_low)  # a percentile bootstrap may be off centre
    assert verdict.ci_low - slack <= verdict.difference <= verdict.ci_high + slack


@settings(deadline=None)
@given(rows=rows)
def test_swapping_the_models_turns_the_verdict_round(rows: list[tuple[float, float, int]]) -> None:
    base, tuned, tokens = (list(column) for column in zip(*rows, strict=True))
    opposite = {VerdictKind.BETTER: VerdictKind.WORSE, VerdictKind.WORSE: VerdictKind.BETTER}
    kind = judge(base, tuned, tokens, [], "test").kind
    turned = judge(tuned, base, tokens, [], "test").kind
    if len(tokens) < PLENTY_ROWS:  # the bootstrap's draws are not symmetric to the last digit
        assert turned is opposite.get(kind, kind)
    else:
        assert {kind, turned} != {VerdictKind.BETTER}
        assert {kind, turned} != {VerdictKind.WORSE}


def test_few_rows_give_a_wider_interval_than_many() -> None:
    rng = random.Random(1)
    many = [(60 + rng.gauss(0, 4), 50 + rng.gauss(0, 4), 20) for _ in range(19)]
    widths = []
    for count in (2, 5, 19):
        base, tuned, tokens = (list(column) for column in zip(*many[:count], strict=True))
        interval = paired_interval(base, tuned, tokens)
        assert interval is not None
        widths.append(interval[1] - interval[0])
    assert widths[0] > widths[1] > widths[2]


def test_the_t_interval_covers_the_truth_about_19_times_in_20() -> None:
    rng = random.Random(2)
    covered = []
    for _trial in range(400):
        deltas = [rng.gauss(-4, 6) for _ in range(6)]
        interval = paired_interval([100.0] * 6, [100 + d for d in deltas], [20] * 6)
        assert interval is not None
        covered.append(interval[0] <= -4 / 20 <= interval[1])
    assert 0.92 <= mean(covered) <= 0.98


@pytest.mark.parametrize(
    ("rows", "before", "after", "low", "high", "kind"),
    [
        (13, 1.0, 1.0, -3 / 13, 3 / 13, VerdictKind.SAME), (1000, 0.0, 0.0, -0.003, 0.003, VerdictKind.SAME),
        (30, 0.0, 1.0, 0.9, 1.0, VerdictKind.BETTER), (30, 1.0, 0.0, -1.0, -0.9, VerdictKind.WORSE),
        (2, 0.0, 1.0, -0.5, 1.0, VerdictKind.SAME),
    ],
)  # fmt: skip
def test_answers_that_all_differ_alike_leave_a_doubt(
    rows: int, before: float, after: float, low: float, high: float, kind: VerdictKind
) -> None:
    verdict = judge([before] * rows, [after] * rows, [1] * rows, [], "test", Measure.CORRECT)
    assert (verdict.ci_low, verdict.ci_high) == (pytest.approx(low), pytest.approx(high))
    assert verdict.kind is kind


def test_one_row_tells_nothing() -> None:
    verdict = judge([60.0], [30.0], [20], [], "test")
    assert verdict.kind is VerdictKind.SAME
    assert verdict.ci_low is None
    assert sentence(verdict).startswith("Not known yet")
    assert "add rows" in next_sentence(verdict)


def test_no_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="non-zero"):
        judge([], [], [], [], "test")
