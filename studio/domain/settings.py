"""Settings of the program, one declaration for the page, the file and the command line."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from studio.i18n import LANGUAGES, N_


class Settings(BaseModel):
    """Stored in settings.json; unknown keys of newer versions are kept."""

    model_config = ConfigDict(frozen=True, extra="allow")

    language: Literal["en", "zh_CN"] | None = Field(
        None, title=N_("Language"), description=N_("The whole program changes at once."),
        json_schema_extra={"choices_titles": dict(LANGUAGES)},
    )  # fmt: skip
    theme: Literal["system", "light", "dark"] = Field(
        "system", title=N_("Appearance"), description=N_("Follow the system, or always light or dark."),
        json_schema_extra={
            "choices_titles": {"system": N_("Follow the system"), "light": N_("Light"), "dark": N_("Dark")}
        },
    )  # fmt: skip
    workspace: str | None = Field(
        None, title=N_("Workspace"), description=N_("Folder with your matrices, data and runs."),
        json_schema_extra={"widget": "path"},
    )  # fmt: skip
    hub: Literal["huggingface", "mirror", "modelscope"] = Field(
        "huggingface", title=N_("Model hub"), description=N_("Where models are fetched from when you ask for one."),
        json_schema_extra={
            "choices_titles": {
                "huggingface": "Hugging Face", "mirror": N_("Hugging Face mirror"), "modelscope": "ModelScope",
            }
        },
    )  # fmt: skip
    hub_mirror: str = Field(
        "", title=N_("Mirror address"), description=N_("Address of a server that speaks the Hugging Face hub's API."),
    )  # fmt: skip
    hub_consent: bool = Field(
        False, title=N_("Allow downloads from the hub"),
        description=N_("Nothing is fetched before you switch this on. Your data never leaves this computer."),
    )  # fmt: skip
    power_kw: float = Field(
        0.12, ge=0, le=10, title=N_("Power of this computer under load"),
        description=N_("Used for the energy and cost of training; an assumption until you measure it."),
        json_schema_extra={"unit": "kW", "decimals": 3},
    )  # fmt: skip
    tariff_per_kwh: float = Field(
        0.6, ge=0, le=100, title=N_("Price of electricity"),
        description=N_("Per kilowatt hour, in your matrix's currency."),
        json_schema_extra={"unit": "/kWh", "decimals": 3},
    )  # fmt: skip
    hardware_price: float = Field(
        6000, ge=0, title=N_("Price of this computer"), description=N_("In your matrix's currency."),
    )  # fmt: skip
    hardware_life_months: int = Field(
        48, ge=1, le=240, title=N_("Life of this computer"), description=N_("Months until it is replaced."),
        json_schema_extra={"unit": N_("months")},
    )  # fmt: skip
    keep_awake: bool = Field(
        True, title=N_("Stay awake while training"),
        description=N_("The computer does not go to sleep while a model is being trained."),
    )  # fmt: skip
    rail_folded: bool = False
    data_doctor_open: bool = True
    data_doctor_width: int = 340  # px
    window_geometry: str = ""  # base64 of QWidget.saveGeometry
    last_matrix_id: str | None = None
    last_product_id: str | None = None
