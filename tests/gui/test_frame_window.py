"""The main window around demo pages: rail, keys, palette, notices, languages, deferred refresh, memory of its size."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from PySide6.QtCore import QMimeData, QObject, QPoint, QPointF, Qt, QUrl, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel, QLineEdit, QMenu, QTableView
from pytestqt.qtbot import QtBot

from studio.gui.context import GuiContext, JobStatus
from studio.gui.dialogs.command_palette import CommandPalette, fuzzy_score
from studio.gui.dialogs.connections import ConnectionsDialog
from studio.gui.dialogs.first_run import BigChoice, FirstRunDialog
from studio.gui.main_window import FOLDS_BELOW, MainWindow
from studio.gui.shell.rail import FOLDED_WIDTH, WIDTH
from studio.i18n import current_language
from studio.services.changes import Changes
from studio.services.ports import OutboundCall
from tests.gui.frame_demo import DemoFacts, DemoPage, demo_entries

Make = Callable[[], MainWindow]


@pytest.fixture
def make_window(ctx: GuiContext, qtbot: QtBot) -> Iterator[Make]:
    made: list[MainWindow] = []

    def make() -> MainWindow:
        window = MainWindow(ctx, demo_entries(), DemoFacts())
        made.append(window)
        window.show()
        qtbot.waitExposed(window)
        return window

    yield make
    for window in made:
        if window.isVisible():
            window.close()
        window.deleteLater()


@pytest.fixture
def window(make_window: Make) -> MainWindow:
    return make_window()


def _page(window: MainWindow, page_id: str) -> DemoPage:
    page = window.pages.page(page_id)
    assert isinstance(page, DemoPage)
    return page


def test_keys_reach_every_page(window: MainWindow, qtbot: QtBot) -> None:
    order = ["matrix", "data", "train", "runs", "playground"]
    for number, page_id in enumerate(order, 1):
        qtbot.keyClick(window, Qt.Key(Qt.Key.Key_0 + number), Qt.KeyboardModifier.ControlModifier)
        assert window.pages.current_page() is window.pages.page(page_id)
        assert window.rail.button(page_id).isChecked()
    qtbot.keyClick(window, Qt.Key.Key_Comma, Qt.KeyboardModifier.ControlModifier)
    assert window.rail.button("settings").isChecked()


def test_pages_are_built_when_needed_and_left_when_another_opens(window: MainWindow, ctx: GuiContext) -> None:
    ctx.navigator.go("data", dataset_id="d1")
    data = _page(window, "data")
    assert data.calls == [("enter", {"dataset_id": "d1"})]
    ctx.navigator.go("runs")
    assert data.calls[-1] == "leave"


def test_pages_nobody_opened_are_built_while_idle(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: window.pages.unbuilt() == [], timeout=10_000)


def test_no_page_is_built_while_a_list_is_open(window: MainWindow, qtbot: QtBot) -> None:
    waiting = [entry.page_id for entry in window.pages.unbuilt()]
    assert waiting
    menu = QMenu(window)
    menu.addAction("One")
    menu.popup(window.mapToGlobal(QPoint(50, 50)))
    qtbot.waitUntil(lambda: QApplication.activePopupWidget() is menu)
    for page_id in waiting:
        window._on_preloaded(page_id)
    assert [entry.page_id for entry in window.pages.unbuilt()] == waiting
    menu.close()
    qtbot.waitUntil(lambda: window.pages.unbuilt() == [], timeout=10_000)


def test_hidden_pages_refresh_once_when_shown(window: MainWindow, ctx: GuiContext, qtbot: QtBot) -> None:
    matrix, data = _page(window, "matrix"), _page(window, "data")
    ctx.services.changes.publish(Changes.RUNS)
    qtbot.waitUntil(lambda: ("refresh", Changes.RUNS) in matrix.calls)
    assert data.calls == []
    ctx.services.changes.publish(Changes.MATRIX | Changes.FEEDBACK)
    qtbot.waitUntil(lambda: ("refresh", Changes.MATRIX) in matrix.calls)
    ctx.navigator.go("data")
    assert data.calls == [("refresh", Changes.RUNS | Changes.MATRIX), ("enter", {})]


def test_rail_folds_by_button_and_when_narrow(window: MainWindow, ctx: GuiContext, qtbot: QtBot) -> None:
    window.resize(1280, 800)
    assert window.rail.width() == WIDTH
    window.resize(FOLDS_BELOW - 1, 700)
    qtbot.waitUntil(lambda: window.rail.folded)
    assert window.rail.width() == FOLDED_WIDTH
    assert window.rail.button("data").toolTip().startswith("Data")
    assert window.rail.button("data").accessibleName() == "Data"
    window.resize(1280, 800)
    assert window.rail.width() == WIDTH
    qtbot.mouseClick(window.rail.fold_button, Qt.MouseButton.LeftButton)
    assert window.rail.width() == FOLDED_WIDTH
    assert ctx.services.settings.current.rail_folded


def test_top_bar_follows_the_chosen_product(window: MainWindow, ctx: GuiContext) -> None:
    assert (ctx.navigator.current_matrix_id, ctx.navigator.current_product_id) == ("m1", "p1")
    window.top_bar.product.chosen.emit("p2")
    assert ctx.navigator.current_product_id == "p2"
    assert window.top_bar.product.text() == "Recommendations"
    window.top_bar.matrix.chosen.emit("m2")
    assert ctx.navigator.current_product_id == "p4"
    window.top_bar.matrix.chosen.emit("m1")
    window.top_bar.product.chosen.emit("p3")
    assert window.top_bar.product.text().endswith("…")
    assert "far too long" in window.top_bar.product.toolTip()


def test_spine_says_its_state_and_opens_the_page(window: MainWindow, qtbot: QtBot) -> None:
    assert window.top_bar.stage("train").accessibleDescription() == "A run is going on."
    qtbot.mouseClick(window.top_bar.stage("try"), Qt.MouseButton.LeftButton)
    assert window.pages.current_page() is window.pages.page("playground")


def test_status_strip_tells_the_job_and_opens_it(window: MainWindow, qtbot: QtBot) -> None:
    strip = window.status_strip
    strip.set_job(JobStatus("r7", "Run seven", fraction=0.5, eta_s=200, loss=2.3141))
    assert strip.job.text() == "Run seven  ·  3 min 20 s left  ·  loss 2.314"
    qtbot.mouseClick(strip.job, Qt.MouseButton.LeftButton)
    assert _page(window, "runs").calls[-1] == ("enter", {"run_id": "r7"})
    strip.set_queue(2)
    assert not strip.queue.isHidden()
    strip.set_job(None)
    assert strip.job.text() == "Nothing is running"


class FakeRuns(QObject):
    """A run host with one job under way."""

    status_changed = Signal(object)
    queue_changed = Signal(object)
    device_changed = Signal(object)

    def status(self) -> JobStatus:
        return JobStatus("r1", "Run one")

    def queue_length(self) -> int:
        return 3

    def device(self) -> str:
        return "CPU"

    def active(self) -> list[object]:
        return []


def test_status_strip_knows_the_runs_again_after_a_rebuild(ctx: GuiContext, make_window: Make) -> None:
    ctx.jobs = FakeRuns()
    ctx.services.runs = SimpleNamespace(queue=list)  # type: ignore[assignment]
    window = make_window()
    window.rebuild()
    strip = window.status_strip
    assert (strip.job.text(), strip.queue.text(), strip.device.text()) == ("Run one", "3 waiting", "CPU")
    ctx.jobs.status_changed.emit(None)
    assert strip.job.text() == "Nothing is running"


def test_offline_chip_lists_every_connection(window: MainWindow, qtbot: QtBot) -> None:
    assert window.status_strip.network.text() == "Offline"
    call = OutboundCall("hub.example", "Model list", datetime(2026, 11, 22, tzinfo=UTC))
    dialog = ConnectionsDialog([call], window)
    qtbot.addWidget(dialog)
    model = dialog.findChild(QTableView).model()
    assert [model.index(0, column).data() for column in (1, 2)] == ["hub.example", "Model list"]


def test_palette_reaches_actions_by_a_few_letters(window: MainWindow, qtbot: QtBot) -> None:
    qtbot.keyClick(window, Qt.Key.Key_K, Qt.KeyboardModifier.ControlModifier)
    palette = window.findChild(CommandPalette)
    assert palette is not None
    qtbot.keyClicks(palette.panel.query, "actruns")
    qtbot.keyClick(palette.panel.query, Qt.Key.Key_Return)
    assert _page(window, "runs").calls == ["acted"]
    assert palette.isHidden()


def test_palette_closes_by_escape_and_gives_the_keyboard_back(window: MainWindow, qtbot: QtBot) -> None:
    window.top_bar.product.setFocus()
    window.open_palette()
    window.open_palette()
    palette = window.findChild(CommandPalette)
    assert palette is not None
    assert len(window.findChildren(CommandPalette)) == 1
    qtbot.keyClick(palette.panel.query, Qt.Key.Key_Escape)
    assert palette.isHidden()
    assert window.focusWidget() is window.top_bar.product


def test_fuzzy_filter_prefers_starts_of_words() -> None:
    assert fuzzy_score("xyz", "Open Data") is None
    assert fuzzy_score("", "Open Data") == 0
    good, poor = fuzzy_score("od", "Open Data"), fuzzy_score("od", "Choose product")
    assert good is not None
    assert poor is not None
    assert good > poor
    assert fuzzy_score("数据", "打开数据") is not None


def test_page_keys_work_on_their_page_only(window: MainWindow, ctx: GuiContext, qtbot: QtBot) -> None:
    ctx.navigator.go("data")
    window.activateWindow()
    window.pages.page("data").setFocus()
    qtbot.keyClick(window.pages.page("data"), Qt.Key.Key_E, Qt.KeyboardModifier.ControlModifier)
    assert _page(window, "data").calls[-1] == "acted"
    assert "acted" not in _page(window, "matrix").calls


def test_notices_stack_fold_details_and_leave(window: MainWindow, ctx: GuiContext, qtbot: QtBot) -> None:
    acted: list[str] = []
    for _again in range(2):
        ctx.notices.error(
            "It broke.", details="Traceback", action_label="Retry", action=lambda: acted.append("x")
        )
    assert len(window.notice_area.cards) == 1
    card = window.notice_area.cards[0]
    retry = next(b for b in card.findChildren(QAbstractButton) if b.text() == "Retry")
    qtbot.mouseClick(retry, Qt.MouseButton.LeftButton)
    assert acted == ["x"]
    assert window.notice_area.cards == []
    for number in range(5):
        ctx.notices.info(f"Message {number}")
    assert [card.notice.text for card in window.notice_area.cards] == ["Message 2", "Message 3", "Message 4"]


def test_language_changes_at_once_and_pages_keep_their_state(
    window: MainWindow, ctx: GuiContext, qtbot: QtBot
) -> None:
    ctx.navigator.go("train")
    old = _page(window, "train")
    old.typed = "half a sentence"
    ctx.services.settings.update(language="zh_CN")
    qtbot.waitUntil(lambda: current_language() == "zh_CN")
    qtbot.waitUntil(lambda: window.pages.current_page() is not old)
    new = _page(window, "train")
    assert window.pages.current_page() is new
    assert new.typed == "half a sentence"
    assert old.calls[-1] == "leave"


def test_theme_follows_the_setting(window: MainWindow, ctx: GuiContext, qtbot: QtBot) -> None:
    ctx.services.settings.update(theme="dark")
    qtbot.waitUntil(lambda: ctx.theme.is_dark)
    ctx.services.settings.update(theme="light")
    qtbot.waitUntil(lambda: not ctx.theme.is_dark)


def test_size_is_remembered(make_window: Make, ctx: GuiContext) -> None:
    first = make_window()
    first.resize(1111, 777)
    first.close()
    assert ctx.services.settings.current.window_geometry
    assert make_window().size() == first.size()


def test_every_control_has_a_name(window: MainWindow, ctx: GuiContext) -> None:
    for page_id in ("matrix", "data", "settings"):
        ctx.navigator.go(page_id)
    controls = [*window.findChildren(QAbstractButton), *window.findChildren(QLineEdit)]
    inner = ("qt_spinbox_lineedit", "qt_toolbar_ext_button")
    nameless = [
        f"{type(each).__name__} in {each.parentWidget()}"
        for each in controls
        if not (each.accessibleName() or each.text()) and each.objectName() not in inner and not _of_qt(each)
    ]
    assert nameless == []


def _of_qt(control: QAbstractButton | QLineEdit) -> bool:
    """Parts that Qt puts inside its own inputs (the clear button, the editor of a spin box)."""
    parent = control.parentWidget()
    return isinstance(parent, QLineEdit) or type(parent).__name__ in ("_IntBox", "_FloatBox")


@pytest.mark.parametrize("language", ["en", "zh_CN"])
def test_nothing_is_cut_in_the_smallest_window(
    language: str, make_window: Make, ctx: GuiContext, qtbot: QtBot
) -> None:
    ctx.services.settings.update(language=language)
    window = make_window()
    qtbot.waitUntil(lambda: current_language() == language)
    window.resize(1024, 680)
    for page_id in ("matrix", "data", "settings"):
        ctx.navigator.go(page_id)
        QApplication.sendPostedEvents()
        page = window.pages.current_page()
        assert page is not None
        cut = [
            label.text()
            for label in page.findChildren(QLabel)
            if label.isVisible() and label.text() and label.height() < label.heightForWidth(label.width()) - 2
        ]
        assert cut == []


def test_first_run_asks_language_then_offers_two_ways(theme: object, qtbot: QtBot) -> None:
    spoken: list[str] = []
    dialog = FirstRunDialog(spoken.append, language="en")
    qtbot.addWidget(dialog)
    dialog.show()
    languages = dialog.steps.widget(0).findChildren(BigChoice)
    assert [choice.accessibleName() for choice in languages] == ["English", "简体中文"]
    qtbot.mouseClick(languages[1], Qt.MouseButton.LeftButton)
    assert spoken == ["zh_CN"]
    ways = dialog.steps.currentWidget().findChildren(BigChoice)
    assert len(ways) == 2
    qtbot.mouseClick(ways[0], Qt.MouseButton.LeftButton)
    assert dialog.choice == "sample"
    assert dialog.isHidden()


def _drop(window: MainWindow, paths: list[Path]) -> bool:
    """Drag files over the window and let go, as the system does. True when the window took them."""
    mime, place = QMimeData(), QPointF(400, 300)
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    action = Qt.DropAction.CopyAction | Qt.DropAction.MoveAction
    left, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.ShiftModifier  # asks for a move
    enter = QDragEnterEvent(place.toPoint(), action, mime, left, keys)
    QApplication.sendEvent(window.windowHandle(), enter)
    if not enter.isAccepted():
        return False
    assert window.drop is not None
    assert window.drop.isVisible()
    drop = QDropEvent(place, action, mime, left, keys)
    QApplication.sendEvent(window.windowHandle(), drop)
    assert (
        drop.dropAction() == Qt.DropAction.CopyAction
    )  # a move may make the file manager delete the original
    assert not window.drop.isVisible()
    return True


def test_files_dropped_on_any_page_lead_to_the_data(window: MainWindow, tmp_path: Path) -> None:
    paths = [tmp_path / "a.csv", tmp_path]
    for page_id in ("runs", "settings", "data"):
        window.go(page_id)
        assert _drop(window, paths)
        assert window.pages.current_page() is window.pages.page("data")
        assert _page(window, "data").calls[-1] == ("enter", {"paths": paths})
    assert not _drop(window, [])


def test_files_are_not_taken_while_a_dialog_asks(window: MainWindow, qtbot: QtBot, tmp_path: Path) -> None:
    window.show_connections()
    qtbot.waitUntil(lambda: QApplication.activeModalWidget() is not None)
    assert not _drop(window, [tmp_path])
    dialog = window.findChild(ConnectionsDialog)
    assert isinstance(dialog, ConnectionsDialog)
    dialog.reject()


def test_a_drop_is_taken_once_after_the_language_changed(
    window: MainWindow, qtbot: QtBot, tmp_path: Path
) -> None:
    window.rebuild()
    qtbot.waitUntil(window.centralWidget().isVisible)
    assert _drop(window, [tmp_path])
    assert _page(window, "data").calls.count(("enter", {"paths": [tmp_path]})) == 1
