"""Searches on the Runs page, by mouse and keys, over real services: begun, watched, and put to use."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from studio.domain.architectures import Architecture
from studio.domain.runs import RunPlan, RunState
from studio.domain.search_space import Dimension, read_dimension
from studio.domain.searches import Budget, Search, SearchState, Trial, TrialState
from studio.domain.specs import Preset, preset_spec
from studio.gui.context import GuiContext
from studio.gui.pages.runs import RunsPage
from studio.gui.pages.runs.search.axes import lines_of, place
from studio.gui.pages.runs.search.range_row import RangeRow
from studio.gui.pages.runs.search.start_dialog import StartDialog
from tests.gui.runs_workspace import Workspace, make_page, make_workspace
from tests.helpers import builders

LEFT = Qt.MouseButton.LeftButton
SPACE = {
    "learning_rate": read_dimension("learning_rate", "1e-5..1e-3"),
    "lora_rank": read_dimension("lora_rank", "4,8,16"),
}


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    yield from make_workspace(tmp_path / "w")


@pytest.fixture
def page(qtbot: QtBot, make_context: Callable[..., GuiContext], workspace: Workspace) -> Iterator[RunsPage]:
    yield from make_page(qtbot, make_context, workspace)


def show(qtbot: QtBot, page: RunsPage, **more: Any) -> None:
    with qtbot.waitSignal(page.search.loaded, timeout=10_000):
        page.enter(view="search", **more)


def trial(number: int, rate: float, rank: int, value: float | None, **more: Any) -> Trial:
    state = more.pop("state", TrialState.RUNNING if value is None else TrialState.DONE)
    settings = {"learning_rate": rate, "lora_rank": rank}
    return Trial(
        number=number, run_id=f"r{number}", settings=settings, state=state, value=value, seconds=9, **more
    )


@pytest.fixture
def search(workspace: Workspace) -> Search:
    """Three trials, the second the best; ended, so that nothing moves."""
    made = Search(
        name="Rates", plan=builders.plan(workspace.dataset, name="Sorter"), space=SPACE, budget=Budget(trials=3),
        state=SearchState.DONE,
    )  # fmt: skip
    repository = workspace.searches._repository
    repository.add(made)
    for each in (
        trial(1, 1e-5, 4, 2.0), trial(2, 3e-4, 16, 1.2),
        trial(3, 1e-3, 8, 1.9, state=TrialState.PRUNED, pruned=True),
    ):  # fmt: skip
        repository.put_trial(made.id, each)
    return workspace.searches.get(made.id)


def test_without_a_run_the_page_says_where_to_begin(qtbot: QtBot, page: RunsPage) -> None:
    show(qtbot, page)
    wishes: list[Any] = []
    page.ctx.navigator.requested.connect(wishes.append)
    qtbot.mouseClick(page.search.untrained.primary, LEFT)
    assert wishes == [("train", {})]


def test_a_search_is_told_in_words_lines_and_rows(qtbot: QtBot, page: RunsPage, search: Search) -> None:
    show(qtbot, page)
    view = page.search
    assert "number 2" in view.words.text()
    assert view.progress.text() == "3 of 3 trials"
    assert view.badge.text() == "Finished"
    assert [view.model.trial(row).number for row in range(3)] == [3, 2, 1]
    titles = [view.model.headerData(i, Qt.Orientation.Horizontal) for i in range(view.model.columnCount())]
    assert titles == ["Trial", "Learning rate", "Add-on size (rank)", "Validation loss", "State", "Time"]
    assert [view.model.index(row, 4).data() for row in range(3)] == ["Ended early", "The best", "Finished"]
    lines = {line.number: line for line in lines_of(search)}
    assert (lines[2].best, lines[3].ended_early) == (True, True)
    assert lines[1].places[0] == 0.0
    assert lines[2].places[1] == pytest.approx(2.5 / 3)


def test_hovering_a_line_lights_it_up_and_finds_its_row(qtbot: QtBot, page: RunsPage, search: Search) -> None:
    show(qtbot, page)
    view = page.search
    where = view.plot.point(1, 0)
    qtbot.mouseMove(view.plot, where.toPoint() + QPoint(1, 0))
    qtbot.waitUntil(lambda: view.plot.lit_number() == 1, timeout=5000)
    assert view.table.selectionModel().selectedRows()[0].row() == 2
    assert "0.00001" in view.plot.accessibleDescription() or "1e-05" in view.plot.accessibleDescription()
    ground = QPointF((view.plot.point(1, 0).x() + view.plot.point(1, 1).x()) / 2, view.plot.height() - 2)
    qtbot.mouseMove(view.plot, ground.toPoint())
    qtbot.waitUntil(lambda: view.plot.lit_number() is None, timeout=5000)


def test_what_is_lit_is_drawn_in_its_own_colour(qtbot: QtBot, page: RunsPage, search: Search) -> None:
    show(qtbot, page)
    plot = page.search.plot
    at = plot.point(1, 2).toPoint()
    before = plot.grab().toImage().pixelColor(at)
    plot.light(1)
    after = plot.grab().toImage().pixelColor(at)
    from studio.gui.theme import current_tokens

    assert after.name() == current_tokens().plot[1]
    assert before != after


def test_no_line_runs_through_a_label(qtbot: QtBot, page: RunsPage, search: Search) -> None:
    show(qtbot, page)
    plot = page.search.plot
    start_of_label = plot.point(2, 1).toPoint() + QPoint(8, 0)  # of the rank of the best trial
    from studio.gui.theme import current_tokens

    assert plot.grab().toImage().pixelColor(start_of_label).name() == current_tokens().surface
    assert plot.grab().toImage().pixelColor(start_of_label - QPoint(3, 0)).name() == current_tokens().accent


def test_keys_walk_through_the_trials(qtbot: QtBot, page: RunsPage, search: Search) -> None:
    show(qtbot, page)
    plot = page.search.plot
    plot.setFocus()
    walked = []
    for _number in range(4):
        qtbot.keyClick(plot, Qt.Key.Key_Right)
        walked.append(plot.lit_number())
    assert walked == [1, 2, 3, 1]
    qtbot.keyClick(plot, Qt.Key.Key_Left)
    assert plot.lit_number() == 3
    with qtbot.waitSignal(plot.chosen, timeout=5000) as chosen:
        qtbot.keyClick(plot, Qt.Key.Key_Return)
    assert chosen.args == [3]


def test_a_chosen_row_lights_its_line(qtbot: QtBot, page: RunsPage, search: Search) -> None:
    show(qtbot, page)
    view = page.search
    place_ = view.table.visualRect(view.model.index(0, 1)).center()
    qtbot.mouseClick(view.table.viewport(), LEFT, pos=place_)
    assert view.plot.lit_number() == 3


def test_the_settings_of_the_chosen_row_go_to_the_train_page(
    qtbot: QtBot, page: RunsPage, search: Search
) -> None:
    show(qtbot, page)
    view = page.search
    assert view.use.text() == "Use the best settings"
    place_ = view.table.visualRect(view.model.index(2, 1)).center()
    qtbot.mouseClick(view.table.viewport(), LEFT, pos=place_)
    assert view.use.text() == "Use the settings of trial 1"
    wishes: list[Any] = []
    page.ctx.navigator.requested.connect(wishes.append)
    qtbot.mouseClick(view.use, LEFT)
    ((_where, arguments),) = wishes
    assert (arguments["plan"].spec.learning_rate, arguments["plan"].spec.lora_rank) == (1e-5, 4)


def test_hovering_a_line_chooses_no_settings(qtbot: QtBot, page: RunsPage, search: Search) -> None:
    show(qtbot, page)
    view = page.search
    view.plot.light(1)
    assert view.table.selectionModel().selectedRows()[0].row() == 2
    assert view.use.text() == "Use the best settings"
    view.plot.light(None)
    assert not view.table.selectionModel().selectedRows()


def test_the_best_settings_go_to_the_train_page(qtbot: QtBot, page: RunsPage, search: Search) -> None:
    show(qtbot, page)
    wishes: list[Any] = []
    page.ctx.navigator.requested.connect(wishes.append)
    qtbot.mouseClick(page.search.use, LEFT)
    ((where, arguments),) = wishes
    plan: RunPlan = arguments["plan"]
    assert where == "train"
    assert (plan.spec.learning_rate, plan.spec.lora_rank) == (3e-4, 16)
    assert plan.spec.epochs == search.plan.spec.epochs
    assert plan.dataset_id == search.plan.dataset_id


def test_a_search_is_begun_in_the_window_and_watched(
    qtbot: QtBot, page: RunsPage, workspace: Workspace
) -> None:
    workspace.put("Sorter", RunState.DONE)
    show(qtbot, page)
    dialog = _form(qtbot, page)
    assert dialog.rows[0].name == "learning_rate"
    assert dialog.rows[0].chosen()
    _type(qtbot, dialog.rows[0].low, "1e-4")
    _type(qtbot, dialog.rows[0].high, "1e-2")
    _type(qtbot, dialog.form.input("trials"), "2")
    assert dialog.start.isEnabled()
    qtbot.mouseClick(dialog.start, LEFT)
    qtbot.waitUntil(lambda: page.search.search() is not None, timeout=10_000)
    made = page.search.search()
    assert made is not None
    assert (made.budget.trials, made.name) == (2, "Search: Sorter")
    assert (made.space["learning_rate"].low, made.space["learning_rate"].high) == (1e-4, 1e-2)
    deadline = time.monotonic() + 60
    while workspace.searches.get(made.id).state is SearchState.RUNNING:
        assert time.monotonic() < deadline
        workspace.runs.poll()
        qtbot.wait(20)
    qtbot.waitUntil(lambda: page.search.badge.text() == "Finished", timeout=10_000)
    assert page.search.model.rowCount() == 2
    assert page.search.use.isEnabled()


def test_the_form_says_what_is_missing(qtbot: QtBot, page: RunsPage, workspace: Workspace) -> None:
    workspace.put("Sorter", RunState.DONE)
    show(qtbot, page)
    dialog = _form(qtbot, page)
    row = dialog.rows[0]
    _type(qtbot, row.high, "1e-9")
    assert "marked" in dialog.message.text()
    assert not dialog.start.isEnabled()
    assert row.check()
    qtbot.mouseClick(row.switch, LEFT)
    assert "at least one" in dialog.message.text()
    choices = next(each for each in dialog.rows if each.name == "optimizer")
    qtbot.mouseClick(choices.switch, LEFT)
    assert dialog.start.isEnabled()
    for box in choices.boxes[1:]:
        box.click()
    assert not dialog.start.isEnabled()
    _type(qtbot, dialog.form.input("trials"), "")
    choices.boxes[1].click()
    assert "minutes" in dialog.message.text()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert workspace.searches.list() == []


def test_a_plan_from_elsewhere_opens_the_form(qtbot: QtBot, page: RunsPage, workspace: Workspace) -> None:
    plan = builders.plan(workspace.dataset, name="From the Train page")
    show(qtbot, page, plan=plan)
    qtbot.waitUntil(lambda: page.search.dialog is not None, timeout=5000)
    assert page.search.dialog is not None
    assert page.search.dialog.plan() == plan
    assert _asked_by_cancel(qtbot, page, page.search.dialog.cancel) == [("train", {})]


def test_the_form_begins_with_the_passes_of_the_run_and_says_how_long(qtbot: QtBot) -> None:
    spec = preset_spec(Preset.BALANCED, architecture=Architecture.FACTORS)
    many = builders.plan(builders.dataset(), name="Films", run_id="r", spec=spec)
    unknown = builders.plan(builders.dataset(), name="Answers")
    dialog = StartDialog([many, unknown], {"r": 10.0})
    qtbot.addWidget(dialog)
    dialog.show()
    assert dialog.form.input("passes").text() == "24"  # type: ignore[attr-defined]
    assert dialog.expected.text().startswith("About 2 min 0 s at most")
    minutes = dialog.form.input("minutes")
    assert minutes.placeholderText() == "No limit"  # type: ignore[attr-defined]
    _type(qtbot, minutes, "1")
    assert dialog.expected.text().startswith("About 1 min 0 s at most")
    dialog.source.setCurrentIndex(1)
    assert dialog.form.input("passes").text() == "1"  # type: ignore[attr-defined]
    assert not dialog.expected.isVisible()


def test_a_plan_from_elsewhere_opens_the_form_of_folds(
    qtbot: QtBot, page: RunsPage, workspace: Workspace
) -> None:
    plan = builders.plan(workspace.dataset, name="From the Train page")
    page.show()
    page.enter(view="folds", plan=plan)
    qtbot.waitUntil(lambda: page.folds.dialog is not None, timeout=5000)
    assert page.folds.dialog is not None
    assert page.folds.dialog.plan() == plan
    assert _asked_by_cancel(qtbot, page, page.folds.dialog.cancel) == [("train", {})]


def test_a_form_of_the_page_itself_is_cancelled_on_the_page(
    qtbot: QtBot, page: RunsPage, workspace: Workspace
) -> None:
    workspace.put("Sorter", RunState.DONE)
    show(qtbot, page)
    assert _asked_by_cancel(qtbot, page, _form(qtbot, page).cancel) == []


def test_a_search_is_stopped_and_goes_on(qtbot: QtBot, page: RunsPage, workspace: Workspace) -> None:
    made = workspace.searches.start(builders.plan(workspace.dataset, name="Sorter"), SPACE, Budget(trials=5))
    show(qtbot, page)
    qtbot.mouseClick(page.search.stop, LEFT)
    qtbot.waitUntil(lambda: page.search.badge.text() == "Stopped", timeout=10_000)
    assert workspace.searches.get(made.id).state is SearchState.STOPPED
    qtbot.mouseClick(page.search.go_on, LEFT)
    qtbot.waitUntil(lambda: page.search.badge.text() == "Searching", timeout=10_000)
    workspace.searches.stop(made.id)


def test_values_stand_where_they_belong() -> None:
    assert place(Dimension(low=1e-4, high=1e-2, log=True), 1e-3) == pytest.approx(0.5)
    assert place(Dimension(low=0, high=4, whole=True), 1) == 0.25
    assert place(Dimension(choices=("a", "b")), "b") == 0.75


def _form(qtbot: QtBot, page: RunsPage) -> StartDialog:
    qtbot.mouseClick(page.search.empty.primary, LEFT)
    assert page.search.dialog is not None
    return page.search.dialog


def _asked_by_cancel(qtbot: QtBot, page: RunsPage, cancel: QPushButton) -> list[Any]:
    """Where the page wants to go when this button is pressed."""
    wishes: list[Any] = []
    page.ctx.navigator.requested.connect(wishes.append)
    qtbot.mouseClick(cancel, LEFT)
    return wishes


def _type(qtbot: QtBot, edit: Any, text: str) -> None:
    edit.setFocus()
    edit.selectAll()
    qtbot.keyClick(edit, Qt.Key.Key_Delete)
    qtbot.keyClicks(edit, text)


def test_a_row_of_choices_gives_what_is_checked(qtbot: QtBot) -> None:
    row = RangeRow("optimizer", builders.plan(builders.dataset()).spec)
    qtbot.addWidget(row)
    row.show()
    row.switch.click()
    for box in row.boxes:
        if box.text() not in ("AdamW", "SGD with momentum"):
            box.click()
    assert row.dimension().choices == ("adamw", "sgd")
