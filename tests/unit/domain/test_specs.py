"""Training settings are declared once, bounded, and explain themselves; presets are valid for every method."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from studio.domain.architectures import Method
from studio.domain.specs import Preset, TrainSpec, preset_spec, scratch_inner_width, scratch_parameters


@pytest.mark.parametrize("method", Method)
@pytest.mark.parametrize("preset", Preset)
def test_presets_suit_their_method(preset: Preset, method: Method) -> None:
    spec = preset_spec(preset, method)
    assert spec.method is method
    assert spec.learning_rate == {"lora": 5e-4, "full": 5e-5, "scratch": 1e-3}[method.value]


def test_every_field_says_what_it_is() -> None:
    for name, field in TrainSpec.model_fields.items():
        extra = field.json_schema_extra
        assert field.title, name
        assert field.description, name
        assert isinstance(extra, dict), name
        assert extra["group"] in {"method", "model", "settings", "limits", "machine"}
        assert extra["level"] in {"simple", "advanced"}


@pytest.mark.parametrize(
    "wrong",
    [{"epochs": 0}, {"batch_size": 0}, {"learning_rate": -1}, {"max_length": 4}, {"nonsense": 1},
     {"method": "scratch", "width": 250, "heads": 4}, {"method": "scratch", "width": 36, "heads": 4}],
)  # fmt: skip
def test_nonsense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        TrainSpec.model_validate(wrong)


def test_parameters_of_a_small_llama_by_hand() -> None:
    # vocabulary 10 x width 64, one layer: 4·64² attention, 3·64·192 SwiGLU, 2·64 norms; one last norm
    assert scratch_inner_width(64) == 192
    assert scratch_parameters(1, 64, 10) == 640 + 16_384 + 36_864 + 128 + 64
