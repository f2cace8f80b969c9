"""Options come from the models, and the models judge their values."""

from __future__ import annotations

import inspect

import pytest

from studio.cli.generated import assignments, flag, parameters_of, validated
from studio.cli.train import spec_of
from studio.domain.architectures import Architecture, Method
from studio.domain.sampling import Sampling
from studio.domain.shapes import Shape
from studio.domain.specs import Preset, TrainSpec, preset_spec
from studio.errors import StudioError


def test_every_field_is_an_option_with_help() -> None:
    parameters = {parameter.name: parameter for parameter in parameters_of(TrainSpec)}
    assert set(parameters) == set(TrainSpec.model_fields)
    for name, field in TrainSpec.model_fields.items():
        (option,) = parameters[name].annotation.__metadata__
        assert option.default == flag(name)
        assert str(field.title) in option.help
        assert parameters[name].default is None
        assert parameters[name].kind is inspect.Parameter.KEYWORD_ONLY


def test_bounds_are_told() -> None:
    (option,) = next(p for p in parameters_of(Sampling) if p.name == "temperature").annotation.__metadata__
    assert option.help.endswith("(≥ 0, ≤ 2)")


def test_preset_gives_what_was_not_given() -> None:
    spec = spec_of(Preset.THOROUGH, {"method": Method.FULL, "epochs": "1.5"})
    expected = preset_spec(Preset.THOROUGH, Method.FULL)
    assert spec == expected.model_copy(update={"epochs": 1.5})


def test_an_encoder_that_hardly_knows_the_language_is_not_what_is_trained() -> None:
    usual = spec_of(Preset.BALANCED, {}, Shape.TEXT_LABEL)
    foreign = spec_of(Preset.BALANCED, {}, Shape.TEXT_LABEL, encoder_last=True)
    assert (usual.architecture, foreign.architecture) == (Architecture.ENCODER, Architecture.TRANSFORMER)


@pytest.mark.parametrize(
    ("fields", "code", "words"),
    [
        ({"epochs": -1}, "option.invalid", "--epochs"),
        ({"lora_rank": "many"}, "option.invalid", "many"),
        ({"no_such": "1"}, "option.unknown", "no_such"),
        ({"method": "magic"}, "option.invalid", "magic"),
        ({"method": "scratch", "width": 100, "heads": 3}, "option.invalid", "width"),
    ],
)
def test_bad_values_are_explained(fields: dict[str, object], code: str, words: str) -> None:
    with pytest.raises(StudioError) as caught:
        spec_of(Preset.QUICK, fields)
    assert caught.value.code == code
    assert words in caught.value.message


def test_assignments() -> None:
    assert assignments(["lora-rank=4", "schedule = linear"]) == {"lora_rank": "4", "schedule": "linear"}
    for text in ("epochs", "=3"):
        with pytest.raises(StudioError):
            assignments([text])


def test_validated_passes_good_values() -> None:
    assert validated(Sampling, {"temperature": 0.0, "seed": 7}) == Sampling(temperature=0.0, seed=7)
