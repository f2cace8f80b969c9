"""Work off the GUI thread, changes, notices and navigation."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from PySide6.QtCore import QThread
from PySide6.QtWidgets import QApplication, QLabel
from pytestqt.qtbot import QtBot

from studio.errors import StudioError
from studio.gui.context import ChangeSignal, Navigator
from studio.gui.notices import Notice, NoticeCenter
from studio.gui.tasks import TaskRunner
from studio.services.changes import ChangeBus, Changes


@pytest.fixture
def problems() -> list[Exception]:
    return []


@pytest.fixture
def runner(qapp: QApplication, problems: list[Exception]) -> Iterator[TaskRunner]:
    made = TaskRunner(problems.append)
    yield made
    assert made.shutdown()


def test_result_arrives_on_the_gui_thread(runner: TaskRunner, qtbot: QtBot) -> None:
    seen: list[tuple[object, bool, bool]] = []
    gui = QThread.currentThread()
    main = threading.current_thread()
    runner.run(
        lambda: threading.current_thread() is main,
        lambda in_main: seen.append((in_main, QThread.currentThread() is gui, True)),
    )
    qtbot.waitUntil(lambda: bool(seen))
    assert seen == [(False, True, True)]


def test_failure_goes_to_the_asker_or_to_the_notices(
    runner: TaskRunner, problems: list[Exception], qtbot: QtBot
) -> None:
    def fail() -> None:
        raise StudioError("test.failed", "It failed.")

    own: list[Exception] = []
    runner.run(fail, lambda _result: None, own.append)
    runner.run(fail, lambda _result: None)
    qtbot.waitUntil(lambda: bool(own) and bool(problems))
    assert [str(problem) for problem in own + problems] == ["It failed.", "It failed."]


def test_abandoned_and_orphaned_results_are_dropped(runner: TaskRunner, qtbot: QtBot) -> None:
    go, done = threading.Event(), []
    label = QLabel()
    runner.run(lambda: go.wait(5), done.append).abandon()
    runner.run(lambda: go.wait(5) and "late", label.setText)
    label.deleteLater()
    qtbot.waitUntil(lambda: not _alive(label))
    with qtbot.waitSignal(runner.active_changed, check_params_cb=lambda _labels: True):
        go.set()
    after = []
    runner.run(lambda: None, after.append)
    qtbot.waitUntil(lambda: bool(after))
    assert done == []


def test_labels_tell_what_is_under_way(runner: TaskRunner, qtbot: QtBot) -> None:
    go, done = threading.Event(), []
    runner.run(lambda: go.wait(5), done.append, label="Reading")
    assert runner.labels() == ["Reading"]
    go.set()
    qtbot.waitUntil(lambda: bool(done))
    assert runner.labels() == []


def test_changes_of_another_thread_arrive_merged(qtbot: QtBot) -> None:
    bus = ChangeBus()
    signal = ChangeSignal(bus)
    heard: list[Changes] = []
    signal.changed.connect(heard.append)

    def burst() -> None:
        bus.publish(Changes.RUNS)
        bus.publish(Changes.MATRIX)

    thread = threading.Thread(target=burst)
    thread.start()
    thread.join()
    assert heard == []
    qtbot.waitUntil(lambda: bool(heard))
    assert heard == [Changes.RUNS | Changes.MATRIX]
    signal.close()
    bus.publish(Changes.RUNS)
    QApplication.sendPostedEvents()
    assert len(heard) == 1


def test_notice_of_a_studio_error_is_in_its_own_words(qtbot: QtBot) -> None:
    center = NoticeCenter()
    heard: list[Notice] = []
    center.posted.connect(heard.append)
    center.error_from(StudioError("a.b", "The file is empty.", "Choose another."))
    center.error_from(ValueError("list index 7"))
    assert heard[0].text == "The file is empty. Choose another."
    assert heard[0].details == ""
    assert "list index 7" not in heard[1].text
    assert "list index 7" in heard[1].details


def test_choosing_a_matrix_clears_the_product(qtbot: QtBot) -> None:
    navigator = Navigator()
    navigator.set_matrix("m1")
    navigator.set_product("p1")
    with qtbot.assertNotEmitted(navigator.product_changed):
        navigator.set_product("p1")
    with qtbot.waitSignals([navigator.product_changed, navigator.matrix_changed]):
        navigator.set_matrix("m2")
    assert navigator.current_product_id is None


def _alive(label: QLabel) -> bool:
    import shiboken6

    return shiboken6.isValid(label)
