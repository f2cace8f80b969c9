"""Training settings are declared once, bounded, and explain themselves; presets are valid for every method."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from studio.domain.architectures import Architecture, Method, architectures_for, methods_for
from studio.domain.products import Task
from studio.domain.shapes import Shape
from studio.domain.specs import (
    Preset,
    TrainSpec,
    applies,
    preset_spec,
    scratch_inner_width,
    scratch_parameters,
)

COMBINATIONS = [
    (shape, architecture, method)
    for shape in Shape
    for architecture in architectures_for(shape)
    for method in methods_for(architecture, shape)
]


@pytest.mark.parametrize("preset", Preset)
@pytest.mark.parametrize(("shape", "architecture", "method"), COMBINATIONS)
def test_presets_suit_every_kind_of_model(
    preset: Preset, shape: Shape, architecture: Architecture, method: Method
) -> None:
    spec = preset_spec(preset, method, architecture, shape)
    assert (spec.architecture, spec.method) == (architecture, method)
    assert all(applies(name, spec, shape) for name in ("epochs", "batch_size", "learning_rate", "optimizer"))
    assert applies("lora_rank", spec, shape) == (method in (Method.LORA, Method.DORA, Method.QLORA))
    assert applies("preference_beta", spec, shape) == (shape in (Shape.PREFERENCE, Shape.THUMBS))


def test_the_presets_of_language_models_keep_their_rates() -> None:
    rates = {method: preset_spec(Preset.QUICK, method).learning_rate for method in Method}
    assert (rates[Method.LORA], rates[Method.FULL], rates[Method.SCRATCH]) == (5e-4, 5e-5, 1e-3)


def test_judged_answers_tune_what_answers_already() -> None:
    assert Method.SCRATCH not in methods_for(Architecture.LANGUAGE_MODEL, Shape.PREFERENCE)
    assert Method.SCRATCH in methods_for(Architecture.LANGUAGE_MODEL, Shape.TEXT)
    assert architectures_for(Shape.IMAGE_LABEL, Task.DRAW_IMAGES) == (Architecture.VAE,)


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
