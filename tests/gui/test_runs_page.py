"""The Runs page, driven as a person would: clicks and keys, real signals, services in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from studio.domain.architectures import Architecture, Method, methods_for
from studio.domain.measures import Measure
from studio.domain.runs import Run, RunState
from studio.domain.schedules import NIGHT, make_schedule, read_time
from studio.domain.specs import TrainSpec
from studio.domain.verdicts import judge
from studio.gui.context import GuiContext
from studio.gui.dialogs.ask import AskDialog
from studio.gui.dialogs.close_run import CloseChoice, close_dialog, may_close, waiting_dialog
from studio.gui.models.queue_table import QueueColumn
from studio.gui.models.runs_table import RunColumn, RunRole
from studio.gui.notices import Notice
from studio.gui.pages.runs import RunsPage
from studio.gui.pages.runs.header import RunHeader
from studio.gui.pages.runs.live import LiveRun, Stored
from studio.gui.pages.runs.probes import ProbesCard
from studio.gui.pages.runs.verdict_card import VerdictCard
from studio.gui.worker_host import RunHost
from studio.protocol.events import Failed, Finished, Paused, ProbeAnswered, Resumed
from tests.gui.runs_fakes import FakeRuns, make_run, make_services, make_verdict, step_event

NOON = datetime(2026, 3, 2, 12, 0)
LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def runs() -> FakeRuns:
    return FakeRuns()


@pytest.fixture
def context(make_context: Callable[..., GuiContext], runs: FakeRuns) -> Iterator[GuiContext]:
    made = make_context(**make_services(runs))
    made.jobs = RunHost(runs)
    yield made
    assert made.jobs.shutdown()


@pytest.fixture
def open_page(qtbot: QtBot, context: GuiContext) -> Iterator[Callable[..., RunsPage]]:
    made: list[RunsPage] = []

    def show(**arguments: Any) -> RunsPage:
        page = RunsPage(context)
        made.append(page)
        qtbot.addWidget(page)
        page.resize(1072, 1500)
        page.show()
        history = arguments.get("view") == "history"
        with qtbot.waitSignal(page.history.loaded if history else page.current.shown, timeout=10_000):
            page.enter(**arguments)
        if not history:
            qtbot.waitUntil(lambda: page.current.charts is not None, timeout=10_000)
        return page

    yield show
    for page in made:
        page.leave()
        page.dispose()


def hear(qtbot: QtBot, context: GuiContext, runs: FakeRuns, run_id: str, *events: Any) -> None:
    """The trainer tells something, through the follower thread."""
    context.jobs.start()
    with qtbot.waitSignal(context.jobs.run_events, timeout=5000):
        runs.news = [(run_id, list(events))]


def test_an_empty_page_offers_the_next_step(qtbot: QtBot, context: GuiContext) -> None:
    page = RunsPage(context)
    qtbot.addWidget(page)
    page.show()
    page.enter()
    wishes: list[Any] = []
    context.navigator.requested.connect(wishes.append)
    qtbot.waitUntil(page.current._empty.isVisible, timeout=5000)
    qtbot.mouseClick(page.current._empty.primary, LEFT)
    assert wishes == [("train", {})]
    page.leave()
    page.dispose()


def test_a_run_is_followed_live(
    qtbot: QtBot, context: GuiContext, runs: FakeRuns, open_page: Callable[..., RunsPage]
) -> None:
    run = make_run()
    runs.runs = [run, make_run("Next one", RunState.QUEUED)]
    page = open_page()
    header = page.current.header
    assert header.name.text() == "Customer assistant"
    assert "Next one" in header.waiting.text()
    hear(qtbot, context, runs, run.id, step_event(360))
    live = page.current.live
    assert live is not None
    assert live.curves.loss.x[-1] == 360
    qtbot.waitUntil(lambda: "360" in header.progress.text(), timeout=5000)
    assert header.bar.value() == 500
    assert header.tiles["left"].accessibleName() == "Time left: 14 min 24 s"


def test_plots_without_points_wait_without_numbers(
    qtbot: QtBot, context: GuiContext, runs: FakeRuns, open_page: Callable[..., RunsPage]
) -> None:
    run = make_run(step=0, total_steps=0)
    runs.runs, runs.all_steps = [run], {}
    page = open_page()
    charts = page.current.charts
    assert charts is not None
    axis = charts.loss.canvas.x_axis
    qtbot.waitUntil(charts.loss.empty.isVisible, timeout=5000)
    assert charts.loss.empty.text() == "Waiting for the first update"
    assert axis.tickValues(0, 1, 600) == []
    hear(qtbot, context, runs, run.id, step_event(1, 2))
    qtbot.waitUntil(lambda: not charts.loss.empty.isVisible(), timeout=5000)
    assert axis.tickValues(1, 2, 600) == [(1.0, [1.0, 2.0])]


def test_a_verdict_against_the_simplest_guess_explains_it_and_says_which_way_is_better(qtbot: QtBot) -> None:
    run = make_run(state=RunState.DONE)
    spec = TrainSpec(architecture=Architecture.FACTORS, method=Method.SCRATCH)
    run = replace(run, plan=run.plan.model_copy(update={"spec": spec, "base_dir": None}))
    metrics = {"rmse": 1.0, "r2": 0.5}
    verdict = judge([4.0] * 30, [1.0] * 30, [1] * 30, [], "test", Measure.SQUARED_ERROR, metrics)
    card = VerdictCard()
    qtbot.addWidget(card)
    card.show_verdict(run, verdict, None)
    labels = {label.text(): label.toolTip() for label in card.findChildren(QLabel)}
    assert "most frequent label" in labels["Simplest guess"]
    assert {"Squared error (lower is better)", "Typical error (RMSE) (lower is better)", "50.0%"} <= set(
        labels
    )


def test_one_time_is_told_of_a_finished_run(qtbot: QtBot) -> None:
    run = make_run(state=RunState.DONE)
    assert run.summary is not None
    run = replace(run, summary=replace(run.summary, total_s=1800.0))
    header = RunHeader()
    qtbot.addWidget(header)
    header.show_run(run, LiveRun(Stored(run)))
    assert header.tiles["elapsed"].accessibleName() == "Elapsed: 30 min 0 s"


@pytest.mark.parametrize(
    ("architecture", "title"),
    [(Architecture.VAE, "Sample pictures"), (Architecture.LANGUAGE_MODEL, "Sample answers")],
)
def test_samples_are_called_what_they_are(
    qtbot: QtBot, tmp_path: Path, architecture: Architecture, title: str
) -> None:
    run = make_run()
    spec = TrainSpec(architecture=architecture, method=methods_for(architecture)[0])
    run = replace(run, plan=run.plan.model_copy(update={"spec": spec}))
    card = ProbesCard(lambda _run_id: tmp_path)
    qtbot.addWidget(card)
    card.show_run(LiveRun(Stored(run)))
    assert card.accessibleName() == title


def test_the_plots_draw_what_is_new(
    qtbot: QtBot, context: GuiContext, runs: FakeRuns, open_page: Callable[..., RunsPage]
) -> None:
    run = make_run()
    runs.runs = [run]
    page = open_page()
    charts = page.current.charts
    assert charts is not None
    qtbot.waitUntil(lambda: not any(panel.stale() for panel in charts.panels()), timeout=5000)
    hear(qtbot, context, runs, run.id, step_event(400))
    assert charts.loss.stale()
    qtbot.waitUntil(lambda: not any(panel.stale() for panel in charts.panels()), timeout=5000)
    raw = charts.loss._curves[0][1]
    assert raw.getData()[0][-1] == 400


def test_hover_and_keys_read_values(qtbot: QtBot, runs: FakeRuns, open_page: Callable[..., RunsPage]) -> None:
    runs.runs = [make_run()]
    page = open_page()
    assert page.current.charts is not None
    plot = page.current.charts.loss
    qtbot.waitUntil(lambda: not plot.stale(), timeout=5000)
    with qtbot.waitSignal(plot.read, timeout=5000) as heard:
        centre = plot.canvas.rect().center() - QPoint(160, 0)
        qtbot.mouseMove(plot.canvas.viewport(), centre)
    assert heard.args[0].startswith("Step ")
    assert "Training loss" in heard.args[0]
    assert "smoothed" in heard.args[0]
    with qtbot.waitSignal(plot.read, timeout=5000) as heard:
        qtbot.keyClick(plot.canvas, Qt.Key.Key_Left)
    assert heard.args[0].startswith("Step ")


def test_zoom_stays_until_show_all(qtbot: QtBot, runs: FakeRuns, open_page: Callable[..., RunsPage]) -> None:
    runs.runs = [make_run()]
    charts = open_page().current.charts
    assert charts is not None
    plot = charts.loss
    qtbot.waitUntil(lambda: not plot.stale(), timeout=5000)
    whole = plot.canvas.box.viewRange()
    qtbot.keyClick(plot.canvas, Qt.Key.Key_Plus)
    zoomed = plot.canvas.box.viewRange()
    assert zoomed[0][1] - zoomed[0][0] < whole[0][1] - whole[0][0]
    plot.refresh(force=True)
    assert plot.canvas.box.viewRange() == zoomed
    qtbot.mouseClick(charts.reset, LEFT)
    for shown, wanted in zip(plot.canvas.box.viewRange(), whole, strict=True):
        assert shown == pytest.approx(wanted)


def test_log_axis_and_smoothing(qtbot: QtBot, runs: FakeRuns, open_page: Callable[..., RunsPage]) -> None:
    runs.runs = [make_run()]
    charts = open_page().current.charts
    assert charts is not None
    qtbot.mouseClick(charts.log_axis, LEFT)
    assert charts.loss.canvas.box.viewRange()[1][1] < 1  # log10 of a loss near 3
    rough = charts.loss._curves[0][0].smoothed.values()[-1]
    charts.smoothing.setFocus()
    qtbot.keyClick(charts.smoothing, Qt.Key.Key_Home)
    assert charts.loss._curves[0][0].smoothed.values()[-1] == charts.loss._curves[0][0].series.y[-1]
    assert rough != charts.loss._curves[0][0].series.y[-1]


def test_pictures_and_numbers_are_saved(
    qtbot: QtBot, tmp_path: Path, runs: FakeRuns, open_page: Callable[..., RunsPage]
) -> None:
    runs.runs = [make_run()]
    page = open_page()
    charts = page.current.charts
    assert charts is not None
    qtbot.waitUntil(lambda: not charts.loss.stale(), timeout=5000)
    width = charts.loss.width()
    charts.save_picture(tmp_path / "loss.png")
    charts.save_picture(tmp_path / "loss.svg")
    image = QImage(str(tmp_path / "loss.png"))
    assert image.width() == 2 * width
    assert "<svg" in (tmp_path / "loss.svg").read_text(encoding="utf-8")
    with qtbot.waitSignal(page.ctx.notices.posted, timeout=5000) as heard:
        charts.save_numbers(tmp_path / "metrics.csv")
    assert heard.args[0].kind == "success"
    assert (tmp_path / "metrics.csv").exists()


def test_a_picture_that_cannot_be_written_is_told(
    qtbot: QtBot, tmp_path: Path, runs: FakeRuns, open_page: Callable[..., RunsPage]
) -> None:
    runs.runs = [make_run()]
    page = open_page()
    assert page.current.charts is not None
    with qtbot.waitSignal(page.ctx.notices.posted, timeout=5000) as heard:
        page.current.charts.save_picture(tmp_path / "no such folder" / "loss.svg")
    assert heard.args[0].kind == "error"


def test_pause_stop_and_resume_reach_the_trainer(
    qtbot: QtBot, context: GuiContext, runs: FakeRuns, open_page: Callable[..., RunsPage]
) -> None:
    run = make_run()
    runs.runs = [run]
    header = open_page().current.header
    qtbot.mouseClick(header.pause, LEFT)
    assert not header.pause.isEnabled()
    qtbot.waitUntil(lambda: ("pause", run.id) in runs.calls, timeout=5000)
    hear(qtbot, context, runs, run.id, Paused(step=241))
    assert header.pause.text() == "Resume"
    assert header.badge.text() == "Paused"
    qtbot.mouseClick(header.pause, LEFT)
    qtbot.waitUntil(lambda: ("resume", run.id) in runs.calls, timeout=5000)
    with qtbot.waitSignal(context.jobs.run_events, timeout=5000):
        runs.news = [(run.id, [Resumed(step=241)])]
    assert header.pause.text() == "Pause"
    qtbot.mouseClick(header.stop, LEFT)
    qtbot.waitUntil(lambda: ("stop", run.id) in runs.calls, timeout=5000)


@pytest.mark.parametrize(("answer", "cancelled"), [("yes", True), ("no", False)])
def test_cancel_asks_first(
    qtbot: QtBot, runs: FakeRuns, open_page: Callable[..., RunsPage], answer: str, cancelled: bool
) -> None:
    run = make_run()
    runs.runs = [run]
    page = open_page()

    def reply() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, AskDialog)
        qtbot.mouseClick(dialog.buttons[answer], LEFT)

    QTimer.singleShot(50, page, reply)
    qtbot.mouseClick(page.current.header.cancel, LEFT)
    if cancelled:
        qtbot.waitUntil(lambda: ("cancel", run.id) in runs.calls, timeout=5000)
    page.ctx.tasks.shutdown()
    assert (("cancel", run.id) in runs.calls) is cancelled


def test_an_interrupted_run_can_be_taken_up(
    qtbot: QtBot, runs: FakeRuns, open_page: Callable[..., RunsPage]
) -> None:
    run = make_run(state=RunState.INTERRUPTED)
    runs.runs = [run]
    header = open_page().current.header
    assert header.take_up.isVisible()
    assert not header.pause.isVisible()
    qtbot.mouseClick(header.take_up, LEFT)
    qtbot.waitUntil(lambda: ("resume_interrupted", run.id) in runs.calls, timeout=5000)


def test_after_the_end_stands_the_verdict(
    qtbot: QtBot, context: GuiContext, runs: FakeRuns, open_page: Callable[..., RunsPage]
) -> None:
    run = make_run()
    runs.runs = [run]
    page = open_page()
    assert not page.current.verdict.isVisible()
    done = replace(make_run(state=RunState.DONE), plan=run.plan)
    runs.verdicts[run.id] = make_verdict()
    runs.put(done)
    with qtbot.waitSignal(page.current.shown, timeout=5000):
        hear(qtbot, context, runs, run.id, Finished())
    card = page.current.verdict
    assert card.isVisible()
    assert card.badge.text() == "Better"
    assert card.sentence.text().startswith("Better: on 60 questions")
    assert "95% sure" in card.bar.accessibleName()
    wishes: list[Any] = []
    context.navigator.requested.connect(wishes.append)
    qtbot.mouseClick(card.try_it, LEFT)
    qtbot.mouseClick(card.again, LEFT)
    assert wishes == [("playground", {"run_id": run.id}), ("train", {"from_run": run.id})]


def test_a_failure_says_what_to_do_and_keeps_the_log_behind_details(
    qtbot: QtBot, runs: FakeRuns, open_page: Callable[..., RunsPage]
) -> None:
    runs.runs = [
        make_run(state=RunState.FAILED, error_code="run.out_of_memory", error_message="Memory ran out.")
    ]
    card = open_page().current.failure
    assert card.message.text() == "Memory ran out."
    assert "smaller model" in card.hint.text()
    assert not card.details.isVisible()
    qtbot.mouseClick(card.toggle, LEFT)
    qtbot.waitUntil(lambda: card.details.toPlainText() == runs.details, timeout=5000)
    assert card.details.isVisible()


def test_a_live_failure_brings_its_own_hint_and_details(
    qtbot: QtBot, context: GuiContext, runs: FakeRuns, open_page: Callable[..., RunsPage]
) -> None:
    run = make_run()
    runs.runs = [run]
    page = open_page()
    runs.put(replace(run, state=RunState.FAILED, error_message="It broke."))
    failed = Failed(code="x", message="It broke.", hint="Mend it.", details="line 7")
    with qtbot.waitSignal(page.current.shown, timeout=5000):
        hear(qtbot, context, runs, run.id, failed)
    assert page.current.failure.hint.text() == "Mend it."
    assert page.current.failure.details.toPlainText() == "line 7"


def test_sample_answers_stand_side_by_side(
    qtbot: QtBot, context: GuiContext, runs: FakeRuns, open_page: Callable[..., RunsPage]
) -> None:
    run = make_run()
    runs.runs = [run]
    probes = open_page().current.probes
    assert [probes.moment.itemText(i) for i in range(probes.moment.count())] == ["240", "120"]
    answer = ProbeAnswered(
        step=360, index=0, prompt="How can I return a product?", answer="Now!", tokens=1, seconds=1
    )
    hear(qtbot, context, runs, run.id, answer)
    assert probes.moment.currentText() == "360"
    texts = [label.text() for label in probes._table.findChildren(type(page_label(probes)))]
    assert "Now!" in texts


def page_label(probes: Any) -> Any:
    """Any label of the table, for its type."""
    return probes._table._grid.itemAtPosition(2, 0).widget()


def test_the_newest_figures_survive_a_reload(
    qtbot: QtBot, context: GuiContext, runs: FakeRuns, open_page: Callable[..., RunsPage]
) -> None:
    run = make_run()
    runs.runs = [run]
    page = open_page()
    hear(qtbot, context, runs, run.id, step_event(241), step_event(242))
    with qtbot.waitSignal(page.current.shown, timeout=5000):
        page.current.reload()  # the database still ends at step 240
    assert page.current.live is not None
    assert page.current.live.curves.loss.x[-1] == 242


# History


def test_history_reads_page_by_page(qtbot: QtBot, runs: FakeRuns, open_page: Callable[..., RunsPage]) -> None:
    runs.runs = [make_run(f"Run {i}", RunState.DONE, step=0) for i in range(120)]
    history = open_page(view="history").history
    assert history.model.rowCount() == 50
    assert history.count.text() == "120 runs"
    history.table.scrollToBottom()
    qtbot.waitUntil(lambda: history.model.rowCount() == 100, timeout=5000)
    history.table.scrollToBottom()
    qtbot.waitUntil(lambda: history.model.rowCount() == 120, timeout=5000)
    assert history.model.row(119).run.name == "Run 119"


def test_history_shows_curve_state_and_verdict(
    qtbot: QtBot, runs: FakeRuns, open_page: Callable[..., RunsPage]
) -> None:
    done = make_run(state=RunState.DONE)
    runs.runs = [done]
    runs.verdicts[done.id] = make_verdict()
    model = open_page(view="history").history.model
    qtbot.waitUntil(lambda: model.index(0, RunColumn.VERDICT).data() == "Better", timeout=5000)
    assert len(model.index(0, RunColumn.LOSS).data(RunRole.SPARK)) > 10
    assert model.index(0, RunColumn.STATE).data() == "Finished"
    assert model.index(0, RunColumn.TIME).data() == "29 min 24 s"


def test_history_shows_the_best_check_of_a_fold(
    qtbot: QtBot, runs: FakeRuns, open_page: Callable[..., RunsPage]
) -> None:
    fold = make_run("Customer assistant · fold 2 of 5", RunState.DONE, folds_id="k")
    assert fold.summary is not None
    runs.runs = [replace(fold, summary=replace(fold.summary, base_value=None, tuned_value=None))]
    history = open_page(view="history").history
    cell = history.model.index(0, RunColumn.LOSS)
    assert cell.data() == "1.520"
    assert cell.data(Qt.ItemDataRole.ToolTipRole) == "Best validation loss: 1.520"
    assert history.table.textElideMode() is Qt.TextElideMode.ElideMiddle


def test_history_opens_a_run_by_enter(
    qtbot: QtBot, runs: FakeRuns, open_page: Callable[..., RunsPage]
) -> None:
    runs.runs = [make_run("First", RunState.DONE), make_run("Second", RunState.FAILED)]
    page = open_page(view="history")
    page.history.table.setFocus()
    page.history.table.selectRow(1)
    with qtbot.waitSignal(page.current.shown, timeout=5000):
        qtbot.keyClick(page.history.table, Qt.Key.Key_Return)
    assert page.views.current() == "current"
    assert page.current.header.name.text() == "Second"


def test_history_renames_in_place(qtbot: QtBot, runs: FakeRuns, open_page: Callable[..., RunsPage]) -> None:
    runs.runs = [make_run("Old name", RunState.DONE)]
    history = open_page(view="history").history
    with qtbot.waitSignal(history.loaded, timeout=5000):
        history.model.setData(history.model.index(0, RunColumn.NAME), "New name")
    assert history.model.row(0).run.name == "New name"
    assert not history.model.setData(history.model.index(0, RunColumn.NAME), "   ")


def test_history_deletes_to_the_bin_with_undo(
    qtbot: QtBot, context: GuiContext, runs: FakeRuns, open_page: Callable[..., RunsPage]
) -> None:
    runs.runs = [make_run("Gone", RunState.DONE), make_run("Stays", RunState.DONE)]
    history = open_page(view="history").history
    history.table.selectRow(0)
    notices: list[Notice] = []
    context.notices.posted.connect(notices.append)
    with qtbot.waitSignal(history.loaded, timeout=5000):
        qtbot.mouseClick(history.delete, LEFT)
    assert [run.name for run in runs.runs] == ["Stays"]
    undo = notices[0].action
    assert undo is not None
    with qtbot.waitSignal(history.loaded, timeout=5000):
        undo()
    assert {run.name for run in runs.runs} == {"Gone", "Stays"}


def test_a_running_run_cannot_be_deleted(
    qtbot: QtBot, runs: FakeRuns, open_page: Callable[..., RunsPage]
) -> None:
    runs.runs = [make_run()]
    history = open_page(view="history").history
    history.table.selectRow(0)
    assert not history.delete.isEnabled()
    qtbot.keyClick(history.table, Qt.Key.Key_Delete)
    assert runs.runs


def test_two_runs_are_compared_in_one_plot(
    qtbot: QtBot, runs: FakeRuns, open_page: Callable[..., RunsPage]
) -> None:
    runs.runs = [make_run("A", RunState.DONE), make_run("B", RunState.DONE)]
    history = open_page(view="history").history
    assert not history.compare.isEnabled()
    history.table.selectAll()
    qtbot.mouseClick(history.compare, LEFT)
    qtbot.waitUntil(lambda: history.compare_card is not None, timeout=10_000)
    card = history.compare_card
    assert card is not None
    qtbot.waitUntil(lambda: len(card.plot._curves) == 4, timeout=5000)
    assert {curve.title for curve, _i, _s in card.plot._curves} == {
        "A",
        "B",
        "A, validation",
        "B, validation",
    }


def test_the_view_survives_a_rebuild(
    qtbot: QtBot, runs: FakeRuns, open_page: Callable[..., RunsPage]
) -> None:
    run = make_run("Kept", RunState.DONE)
    runs.runs = [make_run(), run]
    page = open_page(run_id=run.id)
    state = page.state()
    assert state == {"view": "current", "run_id": run.id}


def test_the_queue_knows_the_time_left_as_the_foot_of_the_window_does(
    qtbot: QtBot, context: GuiContext, runs: FakeRuns
) -> None:
    run = replace(make_run(), eta_s=100.0)
    runs.runs = [run]
    with qtbot.waitSignal(context.jobs.status_changed, timeout=5000):
        context.jobs.start()
    page = RunsPage(context)
    qtbot.addWidget(page)
    page.show()
    with qtbot.waitSignal(page.queue.loaded, timeout=5000):
        page.enter(view="queue")
    cell = page.queue.model.index(0, QueueColumn.EXPECTED)
    assert cell.data() == "1 min 40 s left"
    hear(qtbot, context, runs, run.id, step_event(360))
    qtbot.waitUntil(lambda: cell.data() == "14 min 24 s left", timeout=5000)
    page.leave()
    page.dispose()


# Closing


@pytest.mark.parametrize("choice", list(CloseChoice))
def test_closing_over_a_run_asks(qtbot: QtBot, choice: CloseChoice) -> None:
    dialog = close_dialog(make_run())
    qtbot.addWidget(dialog)
    dialog.open()
    qtbot.mouseClick(dialog.buttons[choice], LEFT)
    assert dialog.answer == choice


@pytest.mark.parametrize(
    ("choice", "closes", "stops"),
    [(CloseChoice.LEAVE, True, False), (CloseChoice.STOP, True, True), (CloseChoice.STAY, False, False)],
)
def test_the_answer_decides(
    qtbot: QtBot, context: GuiContext, runs: FakeRuns, choice: CloseChoice, closes: bool, stops: bool
) -> None:
    run = make_run()
    runs.runs = [run]
    with qtbot.waitSignal(context.jobs.active_changed, timeout=5000):
        context.jobs.start()

    def reply() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, AskDialog)
        qtbot.mouseClick(dialog.buttons[choice], LEFT)

    QTimer.singleShot(50, context.jobs, reply)
    assert may_close(context) is closes
    assert (("stop", run.id) in runs.calls) is stops


def test_escape_means_do_not_close(qtbot: QtBot, context: GuiContext, runs: FakeRuns) -> None:
    runs.runs = [make_run()]
    with qtbot.waitSignal(context.jobs.active_changed, timeout=5000):
        context.jobs.start()

    def escape() -> None:
        qtbot.keyClick(QApplication.activeModalWidget(), Qt.Key.Key_Escape)

    QTimer.singleShot(50, context.jobs, escape)
    assert may_close(context) is False


def night_run(name: str = "Night job", state: RunState = RunState.QUEUED) -> Run:
    start, end = (read_time(text) for text in NIGHT)
    return replace(make_run(name, state), schedule=make_schedule(start, end, NOON))


@pytest.mark.parametrize(("choice", "closes"), [(CloseChoice.STAY, False), (CloseChoice.LEAVE, True)])
def test_closing_over_runs_that_only_wait_asks(
    qtbot: QtBot, context: GuiContext, runs: FakeRuns, choice: CloseChoice, closes: bool
) -> None:
    runs.runs = [night_run()]
    asked: list[str] = []

    def reply() -> None:
        dialog = QApplication.activeModalWidget()
        assert isinstance(dialog, AskDialog)
        asked.append(dialog.windowTitle())
        qtbot.mouseClick(dialog.buttons[choice], LEFT)

    QTimer.singleShot(50, context.jobs, reply)
    assert may_close(context) is closes
    assert asked == ["Night job: waits until 22:00"]


def test_several_runs_that_wait_are_counted(qtbot: QtBot) -> None:
    dialog = waiting_dialog([night_run("a"), night_run("b")], "waits until 22:00")
    qtbot.addWidget(dialog)
    assert dialog.windowTitle() == "2 runs wait"


def test_closing_over_a_run_tells_what_the_window_would_have_done(qtbot: QtBot) -> None:
    run = night_run(state=RunState.RUNNING)
    dialog = close_dialog(run, others_wait=True)
    qtbot.addWidget(dialog)
    assert "not paused at 07:00" in dialog.accessibleDescription()
    assert "only when the studio is open again" in dialog.accessibleDescription()
    alone = close_dialog(make_run())
    qtbot.addWidget(alone)
    assert "only when" not in alone.accessibleDescription()


def test_closing_without_a_run_asks_nothing(context: GuiContext) -> None:
    assert may_close(context) is True
