"""How an answer is drawn from the model: every control of the playground, declared once."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from studio.i18n import N_


class Sampling(BaseModel):
    """Controls of generation; temperature 0 means the likeliest token every time."""

    model_config = ConfigDict(frozen=True)

    temperature: float = Field(
        0.7, ge=0, le=2, title=N_("Temperature"),
        description=N_("Low: safe and repeatable. High: varied and surprising. 0 always takes the likeliest word."),
        json_schema_extra={"widget": "slider", "step": 0.05, "decimals": 2},
    )  # fmt: skip
    top_p: float = Field(
        0.9, gt=0, le=1, title=N_("Top-p"),
        description=N_("Only the likeliest words that together reach this share are considered."),
        json_schema_extra={"widget": "slider", "step": 0.01, "decimals": 2},
    )  # fmt: skip
    top_k: int = Field(
        50, ge=0, le=1000, title=N_("Top-k"),
        description=N_("Only this many of the likeliest words are considered; 0 considers all."),
    )  # fmt: skip
    repetition_penalty: float = Field(
        1.1, ge=1, le=2, title=N_("Repetition penalty"),
        description=N_("Above 1, words already used become less likely."),
        json_schema_extra={"widget": "slider", "step": 0.01, "decimals": 2},
    )  # fmt: skip
    max_new_tokens: int = Field(
        200, ge=1, le=4096, title=N_("Longest answer"),
        description=N_("The answer ends here at the latest."), json_schema_extra={"unit": N_("tokens")},
    )  # fmt: skip
    seed: int | None = Field(
        None, ge=0, le=2**31 - 1, title=N_("Seed"),
        description=N_("The same seed and question give the same answer. Empty: a new one every time."),
    )  # fmt: skip
