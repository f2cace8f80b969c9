"""The queue and the folds on the Runs page, by mouse and keys, over real services."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import time
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt, QTime, QTimer
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.domain.ids import new_id
from studio.domain.runs import EvalMetrics, Run, RunState
from studio.gui.context import GuiContext
from studio.gui.dialogs.ask import AskDialog
from studio.gui.models.queue_table import QueueColumn
from studio.gui.notices import Notice
from studio.gui.pages.runs import RunsPage
from studio.gui.pages.runs.queue.hours_dialog import Hours, HoursDialog
from studio.services.ports import RunUpdate
from tests.gui.runs_workspace import Workspace, make_page, make_workspace

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    yield from make_workspace(tmp_path / "w")


@pytest.fixture
def page(qtbot: QtBot, make_context: Callable[..., GuiContext], workspace: Workspace) -> Iterator[RunsPage]:
    yield from make_page(qtbot, make_context, workspace)


def show(qtbot: QtBot, page: RunsPage, view: str) -> None:
    shown: Any = page.queue if view == "queue" else page.folds
    with qtbot.waitSignal(shown.loaded, timeout=10_000):
        page.enter(view=view)


def names(page: RunsPage) -> list[str]:
    return [row.run.name for row in page.queue.model.rows()]


def click_row(qtbot: QtBot, page: RunsPage, row: int) -> None:
    table = page.queue.table
    place = table.visualRect(page.queue.model.index(row, QueueColumn.NAME)).center()
    qtbot.mouseClick(table.viewport(), LEFT, pos=place)


def cell(page: RunsPage, row: int, column: QueueColumn) -> str:
    return str(page.queue.model.index(row, column).data())


def test_an_empty_queue_says_what_waits_here(qtbot: QtBot, page: RunsPage) -> None:
    show(qtbot, page, "queue")
    wishes: list[Any] = []
    page.ctx.navigator.requested.connect(wishes.append)
    (button,) = [b for b in page.queue.findChildren(type(page.queue.now)) if b.text() == "Train a model"]
    qtbot.mouseClick(button, LEFT)
    assert wishes == [("train", {})]


def test_runs_are_moved_by_buttons_and_keys(qtbot: QtBot, page: RunsPage, workspace: Workspace) -> None:
    for name in "abc":
        workspace.put(name)
    show(qtbot, page, "queue")
    click_row(qtbot, page, 2)
    qtbot.mouseClick(page.queue.up, LEFT)
    qtbot.waitUntil(lambda: names(page) == ["a", "c", "b"], timeout=5000)
    assert page.queue.selected() is not None
    assert page.queue.selected().run.name == "c", "the run that was moved stays chosen"
    page.queue.table.setFocus()
    qtbot.keyClick(page.queue.table, Qt.Key.Key_Up, Qt.KeyboardModifier.AltModifier)
    qtbot.waitUntil(lambda: names(page) == ["c", "a", "b"], timeout=5000)
    assert not page.queue.up.isEnabled()
    assert not page.queue.first.isEnabled()
    click_row(qtbot, page, 2)
    assert not page.queue.down.isEnabled()
    qtbot.mouseClick(page.queue.first, LEFT)
    qtbot.waitUntil(lambda: names(page) == ["b", "c", "a"], timeout=5000)
    assert [run.name for run in workspace.runs.queue()] == ["b", "c", "a"]


def test_a_row_is_dragged_to_another_place(qtbot: QtBot, page: RunsPage, workspace: Workspace) -> None:
    under_way = workspace.put("now", RunState.PAUSED)
    for name in "abc":
        workspace.put(name)
    show(qtbot, page, "queue")
    assert names(page) == ["now", "a", "b", "c"]
    _drop(page, source=3, below=0)
    qtbot.waitUntil(lambda: names(page) == ["now", "c", "a", "b"], timeout=5000)
    _drop(page, source=1, below=3)
    qtbot.waitUntil(lambda: names(page) == ["now", "a", "b", "c"], timeout=5000)
    model = page.queue.model
    assert not model.flags(model.index(0, 0)) & Qt.ItemFlag.ItemIsDragEnabled
    workspace.repository.save(replace(under_way, state=RunState.CANCELLED))


def _drop(page: RunsPage, source: int, below: int) -> None:
    """Drop a row on the line under another one, as Qt tells it: a drag itself runs in a loop of the platform's."""
    model = page.queue.model
    data = model.mimeData([model.index(source, 0)])
    taken = model.dropMimeData(data, Qt.DropAction.MoveAction, below + 1, 0, model.index(-1, -1))
    assert not taken, "the queue itself moves the run"


def test_hours_are_given_and_taken_back(qtbot: QtBot, page: RunsPage, workspace: Workspace) -> None:
    run = workspace.put("night job")
    show(qtbot, page, "queue")
    click_row(qtbot, page, 0)

    dialog = ask_hours(qtbot, page)
    assert dialog.choice() is Hours.NIGHT
    assert "while this window is open" in dialog.needs.text()
    assert dialog.needs.isVisible()
    qtbot.mouseClick(dialog.confirm, LEFT)
    qtbot.waitUntil(lambda: cell(page, 0, QueueColumn.HOURS) == "22:00–07:00", timeout=5000)
    assert cell(page, 0, QueueColumn.STATE) == "waits until 22:00"

    dialog = ask_hours(qtbot, page)
    qtbot.mouseClick(dialog.cards[Hours.OWN], LEFT)
    dialog.start.setTime(QTime(13, 30))
    qtbot.mouseClick(dialog.ends, LEFT)
    assert not dialog.end.isEnabled()
    qtbot.mouseClick(dialog.confirm, LEFT)
    qtbot.waitUntil(lambda: cell(page, 0, QueueColumn.STATE) == "waits until 13:30", timeout=5000)
    schedule = workspace.runs.get(run.id).schedule
    assert schedule is not None
    assert (schedule.start, schedule.end) == (time(13, 30), None)

    dialog = ask_hours(qtbot, page)
    assert dialog.choice() is Hours.OWN
    assert dialog.start.time() == QTime(13, 30)
    qtbot.mouseClick(dialog.cards[Hours.ANY], LEFT)
    assert not dialog.needs.isVisible()
    qtbot.mouseClick(dialog.confirm, LEFT)
    qtbot.waitUntil(lambda: cell(page, 0, QueueColumn.HOURS) == "any time", timeout=5000)


def test_hours_without_length_are_refused_in_the_dialog(
    qtbot: QtBot, page: RunsPage, workspace: Workspace
) -> None:
    workspace.put("night job")
    show(qtbot, page, "queue")
    click_row(qtbot, page, 0)
    dialog = ask_hours(qtbot, page)
    qtbot.mouseClick(dialog.cards[Hours.OWN], LEFT)
    dialog.end.setTime(dialog.start.time())
    qtbot.mouseClick(dialog.confirm, LEFT)
    assert dialog.isVisible()
    assert "no length" in dialog.message.text()
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)


def ask_hours(qtbot: QtBot, page: RunsPage) -> HoursDialog:
    qtbot.mouseClick(page.queue.hours, LEFT)
    qtbot.waitUntil(lambda: _open_dialog(page) is not None, timeout=5000)
    dialog = _open_dialog(page)
    assert dialog is not None
    return dialog


def _open_dialog(page: RunsPage) -> HoursDialog | None:
    return next((d for d in page.queue.findChildren(HoursDialog) if d.isVisible()), None)


def test_start_now_starts_before_the_others(qtbot: QtBot, page: RunsPage, workspace: Workspace) -> None:
    workspace.put("first")
    second = workspace.put("second")
    workspace.runs.schedule(second.id, time(22, 0))
    show(qtbot, page, "queue")
    click_row(qtbot, page, 1)
    qtbot.mouseClick(page.queue.now, LEFT)
    qtbot.waitUntil(
        lambda: names(page)[:1] == ["second"] and page.queue.model.rows()[0].place == 0, timeout=10_000
    )
    assert cell(page, 0, QueueColumn.PLACE) == "Now"
    click_row(qtbot, page, 0)
    assert not page.queue.now.isEnabled()
    assert not page.queue.hours.isEnabled()


def test_a_run_is_taken_out_and_put_back(qtbot: QtBot, page: RunsPage, workspace: Workspace) -> None:
    workspace.put("a")
    workspace.put("b")
    heard: list[Notice] = []
    page.ctx.notices.posted.connect(heard.append)
    show(qtbot, page, "queue")
    click_row(qtbot, page, 0)
    qtbot.keyClick(page.queue.table, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: names(page) == ["b"] and bool(heard), timeout=5000)
    assert heard[0].action is not None
    heard[0].action()
    qtbot.waitUntil(lambda: names(page) == ["b", "a"], timeout=5000)


def test_a_run_that_has_learned_is_not_dropped_without_a_question(
    qtbot: QtBot, page: RunsPage, workspace: Workspace
) -> None:
    workspace.put("half done", step=40)
    show(qtbot, page, "queue")
    click_row(qtbot, page, 0)

    def refuse() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, AskDialog)
        qtbot.mouseClick(dialog.buttons["no"], LEFT)

    QTimer.singleShot(300, refuse)
    qtbot.mouseClick(page.queue.drop, LEFT)
    assert [run.name for run in workspace.runs.queue()] == ["half done"]


def test_the_run_under_way_shows_how_long_it_still_takes(
    qtbot: QtBot, page: RunsPage, workspace: Workspace
) -> None:
    under_way = workspace.put("now", RunState.PAUSED)
    workspace.put("next")
    show(qtbot, page, "queue")
    assert cell(page, 0, QueueColumn.EXPECTED) == "–"
    page.queue.model.set_left(40)
    assert [cell(page, row, QueueColumn.EXPECTED) for row in (0, 1)] == ["40 seconds left", "–"]
    workspace.repository.save(replace(under_way, state=RunState.CANCELLED))


def test_a_double_click_opens_the_run(qtbot: QtBot, page: RunsPage, workspace: Workspace) -> None:
    run = workspace.put("a")
    show(qtbot, page, "queue")
    with qtbot.waitSignal(page.queue.opened, timeout=5000) as opened:
        place = page.queue.table.visualRect(page.queue.model.index(0, QueueColumn.NAME)).center()
        qtbot.mouseClick(page.queue.table.viewport(), LEFT, pos=place)
        qtbot.mouseDClick(page.queue.table.viewport(), LEFT, pos=place)
    assert opened.args == [run.id]
    assert page.views.current() == "current"


# Folds


def fold(workspace: Workspace, folds_id: str, number: int, loss: float | None) -> Run:
    state = RunState.QUEUED if loss is None else RunState.DONE
    run = workspace.put(f"Sorter · fold {number} of 2", state, folds_id=folds_id, plan={"fold": (number, 2)})
    if loss is not None:
        check = EvalMetrics(5, 1.0, loss, 2.0, 9, True, {"accuracy": 1 - loss})
        workspace.repository.apply(RunUpdate(run, evals=(check,)))
    return run


def test_folds_are_a_group_with_mean_and_deviation(
    qtbot: QtBot, page: RunsPage, workspace: Workspace
) -> None:
    folds_id = new_id()
    first = fold(workspace, folds_id, 1, 0.2)
    fold(workspace, folds_id, 2, 0.4)
    show(qtbot, page, "folds")
    (card,) = page.folds.cards
    tiles = [tile.accessibleName() for tile in card.findChildren(_tile_type(page))]
    assert tiles == ["Validation loss: 0.3000 ± 0.14", "Accuracy: 0.7000 ± 0.14"]
    with qtbot.waitSignal(page.folds.opened, timeout=5000) as opened:
        qtbot.mouseClick(card.open_buttons[0], LEFT)
    assert opened.args == [first.id]


def _tile_type(page: RunsPage) -> type:
    from studio.gui.widgets import MetricTile

    return MetricTile


def test_a_k_fold_is_begun_in_the_window(qtbot: QtBot, page: RunsPage, workspace: Workspace) -> None:
    workspace.put("Sorter", RunState.DONE)
    show(qtbot, page, "folds")
    qtbot.mouseClick(page.folds.empty.primary, LEFT)
    dialog = page.folds.dialog
    assert dialog is not None
    qtbot.keyClick(dialog.number, Qt.Key.Key_Down)
    assert dialog.k() == 4
    qtbot.mouseClick(dialog.confirm, LEFT)
    qtbot.waitUntil(lambda: len(workspace.runs.queue()) == 4, timeout=5000)
    qtbot.waitUntil(lambda: len(page.folds.cards) == 1, timeout=5000)
    assert [run.plan.fold for run in workspace.runs.queue()] == [(n, 4) for n in (1, 2, 3, 4)]
