"""Forms made from models."""

from __future__ import annotations

from enum import StrEnum
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, model_validator
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractSpinBox, QComboBox, QDoubleSpinBox, QLineEdit, QSlider, QSpinBox
from pytestqt.qtbot import QtBot

from studio.gui.form_fields import read_fields
from studio.gui.forms import ModelForm
from studio.gui.theme import Theme
from studio.gui.widgets import Switch


class Speed(StrEnum):
    SLOW = "slow"
    FAST = "fast"


class Example(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow")

    rate: float = Field(0.0003, gt=0, le=1, title="Rate", description="How fast.")
    epochs: int = Field(
        3, ge=1, le=20, title="Epochs", json_schema_extra={"unit": "passes", "level": "simple"}
    )
    seed: int | None = Field(None, ge=0, title="Seed", json_schema_extra={"level": "advanced"})
    shuffle: bool = Field(True, title="Shuffle")
    speed: Speed = Field(
        Speed.SLOW, title="Speed", json_schema_extra={"choices_titles": {"fast": "Very fast"}}
    )
    look: Literal["a", "b"] | None = Field(None, title="Look")
    name: str = Field("x", min_length=1, title="Name")
    warmth: float = Field(
        0.7, ge=0, le=2, title="Warmth", json_schema_extra={"widget": "slider", "step": 0.05}
    )
    hidden: int = 5

    @model_validator(mode="after")
    def _agree(self) -> Example:
        if self.epochs == 13:
            raise ValueError("Thirteen brings no luck.")
        return self


@pytest.fixture
def form(theme: Theme, qtbot: QtBot) -> ModelForm[Example]:
    made = ModelForm(Example, Example(hidden=9))
    qtbot.addWidget(made)
    return made


def test_fields_without_title_are_not_for_people() -> None:
    assert "hidden" not in [spec.name for spec in read_fields(Example)]


def test_declaration_becomes_inputs(form: ModelForm[Example]) -> None:
    epochs = form.input("epochs")
    assert isinstance(epochs, QSpinBox)
    assert (epochs.minimum(), epochs.maximum(), epochs.suffix()) == (1, 20, " passes")
    assert isinstance(form.input("rate"), QDoubleSpinBox)
    assert isinstance(form.input("shuffle"), Switch)
    assert isinstance(form.input("seed"), QLineEdit)
    assert form.input("rate").accessibleName() == "Rate"
    assert form.input("rate").toolTip() == "How fast."


def test_editing_emits_a_valid_instance_and_keeps_unseen_fields(
    form: ModelForm[Example], qtbot: QtBot
) -> None:
    box = form.input("epochs")
    assert isinstance(box, QSpinBox)
    with qtbot.waitSignal(form.changed) as heard:
        box.setValue(7)
    value = heard.args[0]
    assert (value.epochs, value.hidden) == (7, 9)
    assert form.value() is value


def test_small_numbers_are_shown_as_written(form: ModelForm[Example]) -> None:
    box = form.input("rate")
    assert isinstance(box, QAbstractSpinBox)
    assert box.text() == "0.0003"


def test_choices_show_their_titles(form: ModelForm[Example], qtbot: QtBot) -> None:
    combo = form.input("speed")
    assert isinstance(combo, QComboBox)
    assert [combo.itemText(i) for i in range(combo.count())] == ["slow", "Very fast"]
    with qtbot.waitSignal(form.changed) as heard:
        combo.setFocus()
        qtbot.keyClick(combo, Qt.Key.Key_Down)
    assert heard.args[0].speed is Speed.FAST


def test_optional_choice_has_automatic_first(form: ModelForm[Example]) -> None:
    combo = form.input("look")
    assert isinstance(combo, QComboBox)
    assert combo.currentText() == "Automatic"
    assert combo.count() == 3


def test_empty_optional_number_is_none_and_words_are_refused(form: ModelForm[Example], qtbot: QtBot) -> None:
    line = form.input("seed")
    assert isinstance(line, QLineEdit)
    with qtbot.waitSignal(form.changed) as heard:
        qtbot.keyClicks(line, "4")
    assert heard.args[0].seed == 4
    with qtbot.waitSignal(form.validity_changed) as validity:
        qtbot.keyClicks(line, "x")
    assert validity.args == [False]
    assert form.error("seed") == "This needs a number."
    assert form.value().seed == 4
    line.clear()
    with qtbot.waitSignal(form.changed) as heard:
        line.textEdited.emit("")
    assert heard.args[0].seed is None
    assert form.is_valid()


def test_a_rule_over_several_fields_is_shown_below(form: ModelForm[Example]) -> None:
    box = form.input("epochs")
    assert isinstance(box, QSpinBox)
    box.setValue(13)
    assert not form.is_valid()
    assert form.value().epochs == 3
    assert "Thirteen brings no luck." in form.general_error()


def test_empty_required_text_is_refused(form: ModelForm[Example], qtbot: QtBot) -> None:
    line = form.input("name")
    assert isinstance(line, QLineEdit)
    qtbot.keyClick(line, Qt.Key.Key_Backspace)
    assert form.error("name") == "This may not stay empty."


def test_slider_steps(form: ModelForm[Example], qtbot: QtBot) -> None:
    slider = form.input("warmth").findChild(QSlider)
    assert slider is not None
    with qtbot.waitSignal(form.changed) as heard:
        slider.setValue(slider.value() + 1)
    assert heard.args[0].warmth == pytest.approx(0.75)


def test_simple_level_hides_advanced_fields(form: ModelForm[Example]) -> None:
    form.set_level("simple")
    assert form.input("seed").parentWidget().isHidden()
    assert not form.input("epochs").parentWidget().isHidden()


def test_showing_another_instance_emits_nothing(form: ModelForm[Example], qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(form.changed):
        form.set_value(Example(epochs=11, seed=3))
    box = form.input("epochs")
    assert isinstance(box, QSpinBox)
    assert box.value() == 11
