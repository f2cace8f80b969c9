"""The learning rate is a pure function of the step: it rises, falls and ends as its schedule says."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.domain.specs import TrainSpec
from studio.engine.optim import learning_rate

schedules = st.sampled_from(["constant", "linear", "cosine"])


@given(schedule=schedules, total=st.integers(1, 500), warmup=st.floats(0, 0.5), data=st.data())
def test_rate_stays_between_zero_and_the_peak(
    schedule: str, total: int, warmup: float, data: st.DataObject
) -> None:
    spec = TrainSpec(schedule=schedule, warmup_ratio=warmup, learning_rate=1e-3)
    step = data.draw(st.integers(1, total))
    assert 0 < learning_rate(spec, step, total) <= 1e-3


def test_linear_and_cosine_meet_at_the_middle() -> None:
    for schedule in ("linear", "cosine"):
        spec = TrainSpec(schedule=schedule, warmup_ratio=0, learning_rate=1.0)
        assert learning_rate(spec, 1, 100) == 1.0
        assert learning_rate(spec, 51, 100) == pytest.approx(0.5)
        assert learning_rate(spec, 100, 100) < 0.02


def test_warmup_rises_in_a_line() -> None:
    spec = TrainSpec(warmup_ratio=0.1, learning_rate=1.0)
    assert [learning_rate(spec, s, 100) for s in (1, 5, 10)] == pytest.approx([0.1, 0.5, 1.0])
