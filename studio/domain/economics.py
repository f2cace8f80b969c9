"""What training and answering cost, from measured speed and stated prices. Formulas: shared matrix document."""

from __future__ import annotations

from dataclasses import dataclass

HOURS_PER_MONTH = 730


@dataclass(frozen=True)
class CostModel:
    """Prices of the computer at hand, in the matrix's currency; kW and currency per kWh for energy.

    utilisation: share of the time (0–1] in which the computer answers, once live.
    """

    hardware_price: float
    hardware_life_months: float
    power_kw: float
    tariff_per_kwh: float
    residual: float = 0.0
    utilisation: float = 1.0


def hourly_cost(model: CostModel) -> float:
    """Currency per hour: (price − residual)/(life months × 730) + kW × tariff."""
    depreciation = (model.hardware_price - model.residual) / (model.hardware_life_months * HOURS_PER_MONTH)
    return depreciation + model.power_kw * model.tariff_per_kwh


def training_cost(model: CostModel, hours: float) -> float:
    """Currency for a run of ``hours`` measured hours."""
    return hourly_cost(model) * hours


def cost_per_1k_tokens(model: CostModel, tokens_per_s: float) -> float:
    """Currency per 1,000 generated tokens at ``tokens_per_s`` measured. Raises ValueError at 0 tokens/s."""
    if tokens_per_s <= 0 or model.utilisation <= 0:
        raise ValueError("tokens_per_s and utilisation must be positive")
    return hourly_cost(model) * 1000 / (tokens_per_s * 3600 * model.utilisation)


def cost_per_1k_answers(model: CostModel, tokens_per_s: float, tokens_per_answer: float) -> float:
    """Currency per 1,000 answers of ``tokens_per_answer`` tokens on average."""
    return cost_per_1k_tokens(model, tokens_per_s) * tokens_per_answer
