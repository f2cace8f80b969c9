"""What a run and its answers cost: measured time and speed, with the prices of the settings, which are assumed."""

from __future__ import annotations

from studio.domain import economics
from studio.domain.economics import CostModel
from studio.domain.runs import Run
from studio.domain.settings import Settings
from studio.domain.values import Basis, Value, now, weakest

_BASIS = weakest([Basis.MEASURED, Basis.ASSUMED])  # measured hours or speed, assumed prices


def cost_model(settings: Settings) -> CostModel:
    """The prices of this computer as set."""
    return CostModel(
        hardware_price=settings.hardware_price, hardware_life_months=settings.hardware_life_months,
        power_kw=settings.power_kw, tariff_per_kwh=settings.tariff_per_kwh,
    )  # fmt: skip


def training_cost(run: Run, settings: Settings, currency: str) -> Value | None:
    """Cost of the run's measured hours, in ``currency``; None while nothing was measured."""
    if run.summary is None:
        return None
    amount = economics.training_cost(cost_model(settings), run.summary.seconds / 3600)
    return Value(amount, currency, _BASIS, f"run:{run.id}", run.ended_at or now())


def cost_per_1k_answers(run: Run, settings: Settings, currency: str) -> Value | None:
    """Cost of 1,000 answers as long and as fast as the run's probe answers; None when they were not measured."""
    summary = run.summary
    if summary is None or not summary.answer_tokens_per_s or not summary.answer_tokens_mean:
        return None
    amount = economics.cost_per_1k_answers(
        cost_model(settings), summary.answer_tokens_per_s, summary.answer_tokens_mean
    )
    return Value(amount, currency, _BASIS, f"run:{run.id}", run.ended_at or now())
