"""Spaces from the fields' own bounds, in words and back."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.domain.architectures import Architecture, Method
from studio.domain.search_space import (
    Dimension,
    field_title,
    read_dimension,
    searchable,
    setting_words,
    suggested,
)
from studio.domain.searches import Budget, expected_seconds, usual_budget
from studio.domain.shapes import Shape
from studio.domain.specs import Preset, TrainSpec, preset_spec
from studio.errors import StudioError

ADD_ON = TrainSpec()
SMALL = TrainSpec(architecture=Architecture.LSTM, method=Method.SCRATCH)


def test_a_range_and_choices_are_read() -> None:
    rate = read_dimension("learning_rate", "1e-5..1e-3")
    assert (rate.low, rate.high, rate.log, rate.whole) == (1e-5, 1e-3, True, False)
    assert read_dimension("lora_rank", "4,8,16").choices == (4, 8, 16)
    assert read_dimension("optimizer", "sgd, adamw").choices == ("sgd", "adamw")
    width = read_dimension("width", "32..256")
    assert (width.whole, width.step, width.log) == (True, 16, False)
    assert not read_dimension("weight_decay", "0..0.1").log, "zero has no logarithm"


@pytest.mark.parametrize(
    ("name", "text", "code"),
    [
        ("learning_rate", "1e-3..1e-5", "search.empty_range"), ("learning_rate", "0..1e-3", "search.bad_value"),
        ("learning_rate", "1e-3..2", "search.bad_value"), ("lora_rank", "4,x", "search.bad_value"),
        ("lora_rank", "4", "search.one_choice"), ("lora_rank", "4,4", "search.one_choice"),
        ("optimizer", "a..b", "search.no_range"), ("optimizer", "sgd,best", "search.bad_value"),
        ("vocabulary", "400..900", "search.unknown_field"), ("seed", "1,2", "search.unknown_field"),
        ("max_minutes", "1,2", "search.unknown_field"), ("colour", "1,2", "search.unknown_field"),
    ],
)  # fmt: skip
def test_what_makes_no_space_is_refused_in_words(name: str, text: str, code: str) -> None:
    with pytest.raises(StudioError) as caught:
        read_dimension(name, text)
    assert caught.value.code == code
    assert caught.value.hint


def test_only_what_leaves_the_loss_comparable_is_searched() -> None:
    assert "lora_rank" in searchable(ADD_ON)
    assert "lora_rank" not in searchable(SMALL)
    assert {"width", "layers", "dropout", "learning_rate", "optimizer"} <= set(searchable(SMALL))
    for name in (
        "vocabulary",
        "max_length",
        "label_smoothing",
        "balance_labels",
        "seed",
        "method",
        "threads",
    ):
        assert name not in searchable(SMALL)
    assert "preference_beta" not in searchable(ADD_ON, Shape.PREFERENCE)
    assert "image_size" in searchable(TrainSpec(architecture=Architecture.CNN, method=Method.SCRATCH))
    assert "image_size" not in searchable(TrainSpec(architecture=Architecture.VAE, method=Method.SCRATCH))
    assert "momentum" in searchable(TrainSpec(optimizer="sgd"))
    assert "momentum" not in searchable(ADD_ON)


@pytest.mark.parametrize("architecture", list(Architecture))
def test_every_searchable_field_has_a_range_around_its_value(architecture: Architecture) -> None:
    spec = preset_spec(Preset.BALANCED, None, architecture)
    for name in searchable(spec):
        dimension = suggested(name, spec)
        assert read_dimension(name, dimension.words()) == dimension, name
        value = getattr(spec, name)
        assert dimension.choices or dimension.low <= (value or dimension.low) <= dimension.high, name
        assert field_title(name)


@settings(deadline=None)
@given(value=st.floats(1e-7, 1, allow_nan=False), exact=st.integers(1, 40))
def test_a_dimension_holds_what_it_says(value: float, exact: int) -> None:
    dimension = read_dimension("learning_rate", "1e-4..1e-2")
    assert dimension.holds(value) is (1e-4 <= value <= 1e-2)
    assert Dimension(low=2, high=40, whole=True, step=2).holds(exact) is (exact % 2 == 0)


def test_values_are_said_as_people_read_them() -> None:
    assert setting_words("optimizer", "sgd") == "SGD with momentum"
    assert setting_words("learning_rate", 0.0003) == "0.0003"
    assert setting_words("layers", 2) == "2"


def test_trials_have_the_passes_of_the_run_unless_a_language_model_is_tuned() -> None:
    factors = preset_spec(Preset.BALANCED, architecture=Architecture.FACTORS)
    assert usual_budget(factors).passes == factors.epochs
    assert usual_budget(preset_spec(Preset.BALANCED, Method.SCRATCH)).passes == 12
    assert usual_budget(preset_spec(Preset.BALANCED)).passes == 1
    assert Budget().passes is None, "as the command line has it"


def test_the_time_of_a_search_is_foretold() -> None:
    spec = TrainSpec(epochs=4)
    assert expected_seconds(Budget(trials=10), spec, 60) == 600
    assert expected_seconds(Budget(trials=10, passes=1), spec, 60) == 150
    assert expected_seconds(Budget(trials=10, minutes=5), spec, 60) == 300
    assert expected_seconds(Budget(trials=None, minutes=5), spec, 60) == 300
