"""Costs follow their formulas, by hand and in every direction."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.domain.economics import (
    CostModel,
    cost_per_1k_answers,
    cost_per_1k_tokens,
    hourly_cost,
    training_cost,
)
from studio.domain.values import Basis, Value, now, weakest

EXAMPLE = CostModel(hardware_price=7300, hardware_life_months=10, power_kw=0.2, tariff_per_kwh=0.5)
positive = st.floats(0.01, 1e4)


def test_the_example_by_hand() -> None:
    assert hourly_cost(EXAMPLE) == pytest.approx(1 + 0.1)  # 7300 / (10 · 730) + 0.2 · 0.5
    assert training_cost(EXAMPLE, 3) == pytest.approx(3.3)
    assert cost_per_1k_tokens(EXAMPLE, 10) == pytest.approx(1.1 * 1000 / 36_000)
    assert cost_per_1k_answers(EXAMPLE, 10, 50) == pytest.approx(1.1 * 50_000 / 36_000)


@settings(deadline=None)
@given(price=positive, months=positive, kw=positive, tariff=positive, speed=positive)
def test_twice_the_speed_is_half_the_price(
    price: float, months: float, kw: float, tariff: float, speed: float
) -> None:
    model = CostModel(price, months, kw, tariff)
    assert cost_per_1k_tokens(model, 2 * speed) == pytest.approx(cost_per_1k_tokens(model, speed) / 2)


def test_no_speed_has_no_price() -> None:
    with pytest.raises(ValueError, match="positive"):
        cost_per_1k_tokens(EXAMPLE, 0)


@settings(deadline=None)
@given(bases=st.lists(st.sampled_from(Basis), min_size=1))
def test_a_result_is_as_weak_as_its_weakest_part(bases: list[Basis]) -> None:
    order = [Basis.MEASURED, Basis.IMPORTED, Basis.ASSUMED]
    assert order.index(weakest(bases)) == max(order.index(b) for b in bases)


def test_times_carry_their_zone() -> None:
    assert now().tzinfo is UTC
    assert Value(1, "CNY", Basis.MEASURED, "run:x", datetime(2026, 1, 1, tzinfo=UTC)).amount == 1
