"""The Train page, driven as a person would."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from studio.domain.architectures import Architecture, Method, methods_for
from studio.domain.runs import Placement, RunState
from studio.domain.specs import Preset, TrainSpec, applies, preset_spec, scratch_parameters
from studio.domain.task_fit import unfit_words
from studio.gui.context import GuiContext
from studio.gui.notices import Notice
from studio.gui.pages.train import TrainPage
from studio.gui.pages.train.choices import Choices, fields_of, start_words
from studio.gui.pages.train.get_model import GetModelDialog
from tests.gui.runs_fakes import (
    FakeModels,
    FakeRuns,
    make_base,
    make_dataset,
    make_estimate,
    make_run,
    make_services,
)

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def runs() -> FakeRuns:
    return FakeRuns()


@pytest.fixture
def models() -> FakeModels:
    return FakeModels()


@pytest.fixture
def context(make_context: Callable[..., GuiContext], runs: FakeRuns, models: FakeModels) -> GuiContext:
    return make_context(**make_services(runs, models=models))


@pytest.fixture
def open_page(qtbot: QtBot, context: GuiContext) -> Iterator[Callable[..., TrainPage]]:
    made: list[TrainPage] = []

    def show(**arguments: Any) -> TrainPage:
        page = TrainPage(context)
        made.append(page)
        qtbot.addWidget(page)
        page.resize(1072, 1200)
        page.show()
        page.enter(**arguments)
        qtbot.waitUntil(lambda: bool(page.shelf.catalogue), timeout=5000)
        return page

    yield show
    for page in made:
        page.leave()
        page.dispose()


def measured(qtbot: QtBot, page: TrainPage) -> None:
    qtbot.waitUntil(lambda: page.preview.badge.text() in ("Ready", "Not ready"), timeout=5000)


def choose(drop_down: Any, text: str) -> None:
    """As a user who picks this line."""
    drop_down.setCurrentIndex(drop_down.findText(text))
    drop_down.activated.emit(drop_down.currentIndex())


def test_all_is_chosen_and_measured_by_itself(
    qtbot: QtBot, runs: FakeRuns, open_page: Callable[..., TrainPage]
) -> None:
    page = open_page()
    measured(qtbot, page)
    assert len(runs.calls) == 1
    assert page.preview.badge.text() == "Ready"
    assert page.preview.start.text() == "Start training"
    text = page.preview.batch.text
    assert "You can return it within 30 days." in text.toPlainText()
    assert "You can return" in next(iter(underlined(text)))


def underlined(text: Any) -> list[str]:
    """The stretches of a text that are underlined."""
    found, block = [], text.document().begin()
    while block.isValid():
        for fragment in [it.fragment() for it in _fragments(block)]:
            if fragment.charFormat().fontUnderline():
                found.append(fragment.text())
        block = block.next()
    return found


def _fragments(block: Any) -> Iterator[Any]:
    iterator = block.begin()
    while not iterator.atEnd():
        yield iterator
        iterator += 1


def test_it_is_measured_once_only(qtbot: QtBot, runs: FakeRuns, open_page: Callable[..., TrainPage]) -> None:
    page = open_page()
    measured(qtbot, page)
    qtbot.mouseClick(page.method.presets[Preset.QUICK], LEFT)
    assert page.preview.badge.text() == "Not measured yet"
    assert len(runs.calls) == 1
    qtbot.mouseClick(page.preview.measure, LEFT)
    measured(qtbot, page)
    assert len(runs.calls) == 2
    qtbot.mouseClick(page.method.presets[Preset.BALANCED], LEFT)
    assert page.preview.badge.text() == "Ready"  # what was measured is remembered


def test_nothing_is_measured_while_a_run_trains(
    qtbot: QtBot, runs: FakeRuns, open_page: Callable[..., TrainPage]
) -> None:
    runs.runs = [make_run()]
    page = open_page()
    qtbot.waitUntil(lambda: page.preview.start.text() == "Put in the queue", timeout=5000)
    assert not runs.calls
    assert "slow" in page.preview.note.text()


def test_measuring_shows_progress_and_can_be_cancelled(
    qtbot: QtBot, runs: FakeRuns, open_page: Callable[..., TrainPage]
) -> None:
    runs.check_gate = threading.Event()
    page = open_page()
    qtbot.waitUntil(lambda: page.preview._progress is not None, timeout=5000)
    panel = page.preview._progress
    assert panel is not None
    qtbot.waitUntil(lambda: "Measuring" in panel._label.text(), timeout=5000)
    qtbot.mouseClick(panel.cancel, LEFT)
    qtbot.waitUntil(lambda: page.preview._progress is None, timeout=5000)
    assert page.preview.badge.text() == "Not measured yet"
    assert page.preview.measure.isVisible()


def test_leaving_ends_the_measuring(
    qtbot: QtBot, runs: FakeRuns, open_page: Callable[..., TrainPage]
) -> None:
    runs.check_gate = threading.Event()
    page = open_page()
    qtbot.waitUntil(lambda: page.preview._progress is not None, timeout=5000)
    page.leave()
    assert page.ctx.tasks.shutdown(3000)


def test_what_does_not_fit_cannot_be_started(
    qtbot: QtBot, runs: FakeRuns, open_page: Callable[..., TrainPage]
) -> None:
    runs.estimate = make_estimate(ready=False, problems=["It needs 30 GB of memory; 19 GB are available."])
    page = open_page()
    measured(qtbot, page)
    assert page.preview.badge.text() == "Not ready"
    assert "30 GB" in page.preview.reasons._column.itemAt(0).widget().text()
    assert not page.preview.start.isEnabled()
    assert page.preview.start.text() == "Not ready: see the reasons above"


def test_start_puts_the_run_in_the_queue_and_shows_it(
    qtbot: QtBot, context: GuiContext, runs: FakeRuns, open_page: Callable[..., TrainPage]
) -> None:
    page = open_page()
    measured(qtbot, page)
    page.preview.name.setFocus()
    qtbot.keyClicks(page.preview.name, "My first run")
    with qtbot.waitSignal(context.navigator.requested, timeout=5000) as heard:
        qtbot.mouseClick(page.preview.start, LEFT)
    run = runs.runs[0]
    assert heard.args[0] == ("runs", {"run_id": run.id})
    assert run.name == "My first run"
    assert run.estimate == runs.estimate
    assert runs.calls[-1] == "start_next"


def test_a_run_that_the_product_cannot_have_says_so(
    qtbot: QtBot, context: GuiContext, runs: FakeRuns, open_page: Callable[..., TrainPage]
) -> None:
    runs.product_learns = False
    heard: list[Notice] = []
    context.notices.posted.connect(heard.append)
    context.navigator.set_product("p1")
    page = open_page()
    measured(qtbot, page)
    with qtbot.waitSignal(context.navigator.requested, timeout=5000):
        qtbot.mouseClick(page.preview.start, LEFT)
    assert [notice.text for notice in heard] == [unfit_words(runs.runs[0].name)]


def test_without_data_the_button_names_it_and_leads_there(
    qtbot: QtBot, make_context: Callable[..., GuiContext], runs: FakeRuns
) -> None:
    services = make_services(runs)
    services["datasets"].found.clear()
    context = make_context(**services)
    page = TrainPage(context)
    qtbot.addWidget(page)
    page.show()
    page.enter()
    qtbot.waitUntil(lambda: bool(page.shelf.catalogue), timeout=5000)
    assert page.preview.start.text() == "Choose data first"
    with qtbot.waitSignal(context.navigator.requested, timeout=5000) as heard:
        qtbot.mouseClick(page.preview.start, LEFT)
    assert heard.args[0] == ("data", {})
    assert not runs.calls
    page.dispose()


def test_without_a_base_the_button_names_it(
    qtbot: QtBot, models: FakeModels, open_page: Callable[..., TrainPage]
) -> None:
    models.models.clear()
    page = open_page()
    assert page.preview.start.text() == "Choose a base model first"
    qtbot.mouseClick(page.method.methods.cards[Method.SCRATCH], LEFT)
    assert page.preview.start.text() in ("Start training", "Not measured yet")
    assert page.base.none_needed.isVisible()


def test_from_scratch_counts_its_parameters_live(qtbot: QtBot, open_page: Callable[..., TrainPage]) -> None:
    page = open_page()
    qtbot.mouseClick(page.method.methods.cards[Method.SCRATCH], LEFT)
    assert page.choices.spec.learning_rate == preset_spec(Preset.BALANCED, Method.SCRATCH).learning_rate
    box = page.method.forms["model"].form.input("layers")
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Up)
    spec = page.choices.spec
    assert spec.layers == 5
    assert f"{scratch_parameters(5, spec.width, spec.vocabulary):,}" in page.method.parameters.text()


def test_advanced_shows_every_field_that_applies(qtbot: QtBot, open_page: Callable[..., TrainPage]) -> None:
    page = open_page()
    assert not page.method.forms["settings"].isVisible()
    qtbot.mouseClick(page.level._buttons["advanced"], LEFT)
    for group, form in {**page.method.forms, "limits": page.limits.form}.items():
        for name in form.fields:
            shown = form.form._rows[name].isVisible()
            assert shown is applies(name, page.choices.spec, page.choices.shape), (group, name)
    box = page.method.forms["method"].form.input("lora_rank")
    box.setFocus()
    qtbot.keyClick(box, Qt.Key.Key_Up)
    assert page.choices.spec.lora_rank == 9
    assert page.choices.preset() is None
    assert page.method.own.isVisible()


def test_where_to_train_is_chosen_by_those_who_see_every_setting(
    qtbot: QtBot, context: GuiContext, runs: FakeRuns, open_page: Callable[..., TrainPage]
) -> None:
    page = open_page()
    assert not page.placement.isVisible()
    qtbot.mouseClick(page.level._buttons["advanced"], LEFT)
    assert page.placement.isVisible()
    form = page.placement.form
    assert not form.input("address").isVisible()
    choose(form.input("kind"), "Ray cluster")
    assert form.input("address").isVisible()
    qtbot.keyClicks(form.input("address"), "ray://head:10001")
    with qtbot.waitSignal(context.navigator.requested, timeout=5000):
        qtbot.mouseClick(page.preview.start, LEFT)
    assert runs.runs[0].plan.placement == Placement(kind="ray", address="ray://head:10001")
    # Whoever goes back to few settings still sees that it is not this computer.
    qtbot.mouseClick(page.level._buttons["simple"], LEFT)
    assert page.placement.isVisible()


def test_several_processes_are_two_at_least(qtbot: QtBot, open_page: Callable[..., TrainPage]) -> None:
    page = open_page()
    qtbot.mouseClick(page.level._buttons["advanced"], LEFT)
    choose(page.placement.form.input("kind"), "This computer, several processes")
    assert page.choices.placement == Placement(kind="processes", processes=2)
    assert page.placement.form.input("processes").isVisible()
    assert not page.placement.form.input("address").isVisible()


@pytest.mark.parametrize("view", ["search", "folds"])
def test_what_is_chosen_can_be_searched_around_and_checked_by_folds(
    qtbot: QtBot, context: GuiContext, open_page: Callable[..., TrainPage], view: str
) -> None:
    page = open_page()
    with qtbot.waitSignal(context.navigator.requested, timeout=5000) as heard:
        qtbot.mouseClick(getattr(page.preview, view), LEFT)
    target, arguments = heard.args[0]
    assert (target, arguments["view"], arguments["plan"].spec) == ("runs", view, page.choices.spec)


def test_an_invalid_setting_stops_the_start(qtbot: QtBot, open_page: Callable[..., TrainPage]) -> None:
    page = open_page()
    measured(qtbot, page)
    qtbot.mouseClick(page.level._buttons["advanced"], LEFT)
    line = page.limits.form.form.input("max_steps")
    qtbot.keyClicks(line, "many")
    assert page.preview.start.text() == "Correct the settings first"
    line.clear()
    qtbot.keyClicks(line, "50")
    assert page.choices.spec.max_steps == 50
    assert page.preview.start.text() == "Start training"


def test_limits_survive_a_change_of_preset() -> None:
    spec = TrainSpec(max_minutes=30, threads=2)
    changed = Choices(spec=spec).with_preset(Preset.THOROUGH, Method.LORA).spec
    assert (changed.max_minutes, changed.threads, changed.lora_rank) == (30, 2, 16)


@pytest.mark.parametrize("preset", list(Preset))
@pytest.mark.parametrize("method", methods_for(Architecture.LANGUAGE_MODEL))
def test_presets_are_recognised(preset: Preset, method: Method) -> None:
    assert Choices().with_preset(preset, method).preset() is preset


def test_every_field_stands_in_a_group() -> None:
    groups = ("method", "model", "settings", "limits", "machine")
    assert sorted(fields_of(*groups)) == sorted(TrainSpec.model_fields)


def test_start_words_name_the_first_thing_missing() -> None:
    data, base = make_dataset(), make_base()
    assert start_words(Choices(), None, training=False) == "Choose data first"
    assert start_words(Choices(dataset=data), None, training=False) == "Choose a base model first"
    assert start_words(Choices(dataset=data, base=base, valid=False), None, training=False) == (
        "Correct the settings first"
    )
    assert start_words(Choices(dataset=data, base=base), None, training=True) == "Put in the queue"


def test_chinese_data_warns_and_offers_models_that_know_chinese(
    qtbot: QtBot, make_context: Callable[..., GuiContext], runs: FakeRuns, models: FakeModels
) -> None:
    services = make_services(runs, models=models)
    services["datasets"].found[:] = [make_dataset("客服问答", language="zh")]
    page = TrainPage(make_context(**services))
    qtbot.addWidget(page)
    page.show()
    page.enter()
    qtbot.waitUntil(page.base.warning.isVisible, timeout=5000)
    assert "hardly knows Chinese" in page.base.warning.text.text()
    qtbot.mouseClick(page.base.warning.offer, LEFT)
    dialog = page.findChild(GetModelDialog)
    assert dialog is not None
    assert [button.accessibleName() for button in dialog.buttons()] == ["Qwen2.5 0.5B Instruct"]
    dialog.reject()
    page.leave()
    page.dispose()


def test_nothing_is_fetched_before_consent(
    qtbot: QtBot, context: GuiContext, models: FakeModels, open_page: Callable[..., TrainPage]
) -> None:
    page = open_page()
    qtbot.mouseClick(page.base.hub, LEFT)
    dialog = page.findChild(GetModelDialog)
    assert dialog is not None
    assert not dialog.get.isEnabled()
    assert "Nothing was downloaded" in dialog.consent.text()
    qtbot.mouseClick(dialog.buttons()[0], LEFT)
    assert dialog.get.text() == "Allow and download"
    assert not context.services.settings.current.hub_consent
    with qtbot.waitSignal(dialog.fetched, timeout=5000):
        qtbot.mouseClick(dialog.get, LEFT)
    assert context.services.settings.current.hub_consent
    qtbot.waitUntil(lambda: len(page.base.buttons()) == 2, timeout=5000)
    assert page.choices.base is not None
    assert page.choices.base.name == "Qwen2.5 0.5B Instruct"


def test_fetching_can_be_cancelled(
    qtbot: QtBot, models: FakeModels, open_page: Callable[..., TrainPage]
) -> None:
    models.gate = threading.Event()
    page = open_page()
    qtbot.mouseClick(page.base.hub, LEFT)
    dialog = page.findChild(GetModelDialog)
    assert dialog is not None
    qtbot.mouseClick(dialog.buttons()[0], LEFT)
    qtbot.mouseClick(dialog.get, LEFT)
    assert dialog._progress is not None
    qtbot.mouseClick(dialog._progress.cancel, LEFT)
    qtbot.waitUntil(lambda: dialog._progress is None, timeout=5000)
    assert len(models.models) == 1
    dialog.reject()


def test_a_folder_and_a_gguf_file_can_be_added(
    qtbot: QtBot, tmp_path: Path, open_page: Callable[..., TrainPage]
) -> None:
    page = open_page()
    page.base.add_folder(tmp_path / "my-model")
    qtbot.waitUntil(lambda: len(page.base.buttons()) == 2, timeout=5000)
    page.base.add_gguf(tmp_path / "other.gguf")
    qtbot.waitUntil(lambda: len(page.base.buttons()) == 3, timeout=5000)
    assert page.choices.base is not None
    assert page.choices.base.name == "other"
    assert page.base._progress is None


def test_a_broken_folder_is_told(
    qtbot: QtBot, tmp_path: Path, context: GuiContext, models: FakeModels, open_page: Callable[..., TrainPage]
) -> None:
    def refuse(path: Path) -> Any:
        raise OSError("no model in there")

    models.register_folder = refuse  # type: ignore[method-assign]
    page = open_page()
    notices: list[Notice] = []
    context.notices.posted.connect(notices.append)
    page.base.add_folder(tmp_path)
    qtbot.waitUntil(lambda: bool(notices), timeout=5000)
    assert notices[0].kind == "error"


def test_train_again_takes_over_all_choices(
    qtbot: QtBot, make_context: Callable[..., GuiContext], runs: FakeRuns
) -> None:
    services = make_services(runs)
    dataset = services["datasets"].found[0]
    done = make_run(state=RunState.DONE)
    spec = TrainSpec(lora_rank=32, epochs=2)
    plan = done.plan.model_copy(update={"dataset_id": dataset.id, "spec": spec, "base_dir": make_base().path})
    runs.runs = [type(done)(plan=plan, state=RunState.DONE)]
    page = TrainPage(make_context(**services))
    qtbot.addWidget(page)
    page.show()
    page.enter(from_run=plan.run_id)
    qtbot.waitUntil(lambda: page.choices.dataset is not None, timeout=5000)
    assert page.choices.spec == spec
    page.leave()
    page.dispose()


def test_choices_survive_a_rebuild(
    qtbot: QtBot, context: GuiContext, open_page: Callable[..., TrainPage]
) -> None:
    page = open_page()
    measured(qtbot, page)
    qtbot.mouseClick(page.method.presets[Preset.THOROUGH], LEFT)
    qtbot.mouseClick(page.level._buttons["advanced"], LEFT)
    again = TrainPage(context)
    qtbot.addWidget(again)
    again.restore(page.state())
    assert again.choices == page.choices
    assert again.level.current() == "advanced"
    assert again.method.presets[Preset.THOROUGH].isChecked()
    again.dispose()


def test_presets_are_reached_by_keys(qtbot: QtBot, open_page: Callable[..., TrainPage]) -> None:
    page = open_page()
    page.method.presets[Preset.QUICK].setFocus()
    qtbot.keyClick(page.method.presets[Preset.QUICK], Qt.Key.Key_Space)
    assert page.choices.preset() is Preset.QUICK
    assert page.method.presets[Preset.QUICK].accessibleName() == "Quick"
