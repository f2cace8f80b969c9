"""Presets for little data: enough updates, as many checks as before, nothing changed where rows abound."""

from __future__ import annotations

import pytest

from studio.domain.architectures import Architecture, Method
from studio.domain.searches import usual_budget
from studio.domain.specs import Preset, TrainSpec, preset_spec

KINDS = [kind for kind in Architecture if kind is not Architecture.LANGUAGE_MODEL]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("preset", list(Preset))
def test_few_rows_are_seen_often_enough(kind: Architecture, preset: Preset) -> None:
    usual, made = preset_spec(preset, None, kind), preset_spec(preset, None, kind, rows=76)
    wanted = {Preset.QUICK: 120, Preset.BALANCED: 240, Preset.THOROUGH: 400}[preset]
    assert 76 * made.epochs / made.batch_size >= wanted
    assert made.epochs * made.evals_per_epoch == pytest.approx(usual.epochs * usual.evals_per_epoch, rel=0.05)


@pytest.mark.parametrize("kind", KINDS)
def test_many_rows_change_nothing(kind: Architecture) -> None:
    assert preset_spec(Preset.QUICK, None, kind, rows=1_000_000) == preset_spec(Preset.QUICK, None, kind)


def test_a_handful_of_rows_is_not_learned_by_heart_for_ever() -> None:
    assert preset_spec(Preset.BALANCED, None, Architecture.LSTM, rows=3).epochs == 100
    assert preset_spec(Preset.THOROUGH, None, Architecture.LSTM, rows=3).epochs == 160


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("rows", [3, 50, 171, 1000])
def test_each_preset_sees_the_rows_more_often_than_the_one_before(kind: Architecture, rows: int) -> None:
    specs = [preset_spec(preset, None, kind, rows=rows) for preset in Preset]
    updates = [rows * spec.epochs / spec.batch_size for spec in specs]
    assert sorted(set(updates)) == updates


def test_language_models_keep_their_passes() -> None:
    plain = preset_spec(Preset.BALANCED, Method.LORA)
    assert preset_spec(Preset.BALANCED, Method.LORA, rows=50) == plain


@pytest.mark.parametrize("rows", [3, 20, 60, 100, 1_000])
@pytest.mark.parametrize("kind", list(Architecture))
@pytest.mark.parametrize("preset", list(Preset))
def test_every_preset_can_be_stored_and_searched_from(kind: Architecture, preset: Preset, rows: int) -> None:
    made = preset_spec(preset, None, kind, rows=rows)
    assert TrainSpec.model_validate_json(made.model_dump_json()) == made
    assert usual_budget(made).passes is not None
