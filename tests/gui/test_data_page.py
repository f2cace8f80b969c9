"""The data page by mouse, keyboard and drop, over real services with in-memory ports."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from studio.domain.products import Task
from studio.domain.shapes import ColumnRole, Shape
from studio.errors import StudioError
from studio.gui.context import GuiContext
from studio.gui.notices import Notice
from studio.gui.pages.data import DataPage
from studio.gui.pages.data.suiting import SuitDialog
from tests.helpers.data_jobs import DataWorkspace
from tests.helpers.matrix_data import Workspace

LEFT = Qt.MouseButton.LeftButton
CSV = "question,answer,comment\nWhere is it?,On its way.,x\nCan I return it?,Yes.,y\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return DataWorkspace(tmp_path)


@pytest.fixture
def context(workspace: Workspace, make_context: Callable[..., GuiContext]) -> GuiContext:
    return make_context(**workspace.services())


@pytest.fixture
def make_page(qtbot: QtBot, context: GuiContext) -> Iterator[Callable[[], DataPage]]:
    made: list[DataPage] = []

    def make() -> DataPage:
        page = DataPage(context)
        qtbot.addWidget(page)
        page.resize(1050, 660)
        context.changes.changed.connect(page.refresh)
        page.show()
        made.append(page)
        return page

    yield make
    for page in made:
        context.changes.changed.disconnect(page.refresh)
        page.dispose()


@pytest.fixture
def page(make_page: Callable[[], DataPage]) -> DataPage:
    made = make_page()
    made.enter()
    return made


@pytest.fixture
def notices(context: GuiContext) -> list[Notice]:
    posted: list[Notice] = []
    context.notices.posted.connect(posted.append)
    return posted


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    path = tmp_path / "shop.csv"
    path.write_text(CSV, encoding="utf-8")
    return path


def open_form(qtbot: QtBot, page: DataPage, path: Path) -> None:
    page.open_file(path)
    qtbot.waitUntil(page.form.isVisible)


def test_import_a_file_to_its_report(
    qtbot: QtBot, page: DataPage, workspace: Workspace, csv_file: Path
) -> None:
    assert page.start.isVisible()
    open_form(qtbot, page, csv_file)
    assert page.form.name.text() == "shop"
    page.form.name.setText("Shop")
    page.form.split.test.setValue(20)
    qtbot.mouseClick(page.form.start, LEFT)
    qtbot.waitUntil(page.dataset_view.isVisible)
    spec = workspace.job.specs[0]
    assert (spec.name, spec.shape, spec.shares.test) == ("Shop", Shape.PROMPT_RESPONSE, 0.2)
    assert spec.roles == {"question": ColumnRole.PROMPT, "answer": ColumnRole.RESPONSE}
    assert page.list.shown() == ["Shop"]
    assert page.dataset_view.rows_view.isVisible()  # with the doctor beside them
    page.dataset_view.tabs.setCurrentIndex(2)
    assert page.dataset_view.report.isVisible()
    assert page.dataset_view.report._rows.accessibleName() == "Rows: 1,000"


def drop(page: DataPage, paths: list[Path]) -> bool:
    """Drag files in and drop them, as the system's file manager does. True when the place took them."""
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    zone, action = page.start.zone, Qt.DropAction.CopyAction
    place = zone.rect().center()
    keys = Qt.KeyboardModifier.NoModifier
    enter = QDragEnterEvent(place, action, mime, LEFT, keys)
    QApplication.sendEvent(zone, enter)
    if not enter.isAccepted():
        return False
    QApplication.sendEvent(zone, QDropEvent(QPointF(place), action, mime, LEFT, keys))
    return True


def test_drop_files_on_the_start_page(qtbot: QtBot, page: DataPage, csv_file: Path) -> None:
    second = csv_file.with_name("second.csv")
    second.write_text(CSV, encoding="utf-8")
    assert not drop(page, [])
    assert drop(page, [csv_file, second])
    qtbot.waitUntil(page.form.isVisible)
    assert page.form.contents.accessibleName() == "shop.csv and 1 more"


def test_the_role_of_a_column_is_chosen_in_its_header(qtbot: QtBot, page: DataPage, csv_file: Path) -> None:
    open_form(qtbot, page, csv_file)
    combo = page.form.header.combo(2)
    assert combo.isVisible()
    assert combo.accessibleName() == "Use of column “comment”"
    assert combo.currentData() == ColumnRole.IGNORE
    combo.setFocus()
    for _step in range(combo.currentIndex() - combo.findData(ColumnRole.RESPONSE)):
        qtbot.keyClick(combo, Qt.Key.Key_Up)
    assert page.form.table.role(2) is ColumnRole.RESPONSE
    assert page.form.table.role(1) is ColumnRole.IGNORE  # it had been the answer
    assert page.form.header.combo(1).currentData() == ColumnRole.IGNORE


def test_import_says_what_is_missing(qtbot: QtBot, page: DataPage, csv_file: Path) -> None:
    open_form(qtbot, page, csv_file)
    page.form.table.set_role(1, ColumnRole.IGNORE)
    assert not page.form.start.isEnabled()
    assert page.form.missing.text() == "Choose the column with the answer."
    page.form.table.set_role(0, ColumnRole.TEXT)
    assert page.form.start.isEnabled()
    assert page.form.spec().shape is Shape.TEXT


def test_another_delimiter_reads_again_and_keeps_the_name(
    qtbot: QtBot, page: DataPage, tmp_path: Path
) -> None:
    path = tmp_path / "semi.csv"
    path.write_text("question;answer\na;b\n", encoding="utf-8")
    open_form(qtbot, page, path)
    assert page.form.table.columnCount() == 1
    page.form.name.setText("Mine")
    combo = page.form.contents.delimiter
    combo.setCurrentIndex(combo.findData(";"))
    combo.activated.emit(combo.currentIndex())
    qtbot.waitUntil(lambda: page.form.table.columnCount() == 2)
    qtbot.waitUntil(page.form.isVisible)
    assert page.form.name.text() == "Mine"
    assert page.form.spec().delimiter == ";"


def test_cancel_an_import(
    qtbot: QtBot, page: DataPage, workspace: Workspace, csv_file: Path, notices: list[Notice]
) -> None:
    workspace.job.gate = threading.Event()
    open_form(qtbot, page, csv_file)
    qtbot.mouseClick(page.form.start, LEFT)
    qtbot.waitUntil(lambda: "1 / 4" in page.working.panel._figures.text())
    assert "2 rows/s" in page.working.panel._figures.text()
    qtbot.mouseClick(page.working.panel.cancel, LEFT)
    qtbot.waitUntil(page.form.isVisible)
    assert "Nothing of it was kept" in notices[-1].text
    assert workspace.dataset_store.stored == {}
    assert list(workspace.paths.datasets.iterdir()) == []


def test_an_import_survives_a_change_of_language(
    qtbot: QtBot,
    page: DataPage,
    make_page: Callable[[], DataPage],
    workspace: Workspace,
    csv_file: Path,
) -> None:
    workspace.job.gate = threading.Event()
    open_form(qtbot, page, csv_file)
    qtbot.mouseClick(page.form.start, LEFT)
    other = make_page()
    other.restore(page.state())
    assert other.working.isVisible()
    workspace.job.gate.set()
    qtbot.waitUntil(other.dataset_view.isVisible)


def test_what_was_typed_survives_a_change_of_language(
    qtbot: QtBot, page: DataPage, make_page: Callable[[], DataPage], csv_file: Path
) -> None:
    open_form(qtbot, page, csv_file)
    page.form.name.setText("Typed")
    page.form.table.set_role(2, ColumnRole.SYSTEM)
    other = make_page()
    other.restore(page.state())
    qtbot.waitUntil(other.form.isVisible)
    assert other.form.name.text() == "Typed"
    assert other.form.table.role(2) is ColumnRole.SYSTEM


@pytest.mark.parametrize("name", ["photo.png", "gone.csv"])
def test_a_wrong_file_is_explained_in_place(qtbot: QtBot, page: DataPage, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    if name == "photo.png":
        path.write_bytes(b"\x89PNG")
    page.open_file(path)
    qtbot.waitUntil(page.problem.isVisible)
    assert page.problem.line.text.text()
    assert page.problem.line.hint.text()  # what to do
    assert page.problem.other.isEnabled()
    page.abandon()
    qtbot.waitUntil(page.start.isVisible)


class Watch:
    """The window does not freeze: little work in its thread, and nothing that it waits for. Other programs may take the
    processor away for a while, hence the two limits."""

    def __init__(self) -> None:
        self._work, self._clock = time.thread_time(), time.monotonic()

    def check(self) -> None:
        assert time.thread_time() - self._work < 0.1
        assert time.monotonic() - self._clock < 2


def test_ten_million_rows_open_at_once_and_page(qtbot: QtBot, page: DataPage, workspace: Workspace) -> None:
    made = workspace.add_dataset(rows=10_000_000)
    view = page.dataset_view
    watch = Watch()
    view.show_dataset(made, workspace.datasets.columns(made.id))
    watch.check()
    page.show_dataset(made.id)
    qtbot.waitUntil(view.isVisible)
    table, model = view.rows_view, view.rows
    assert model.rowCount() == 10_000_000
    assert model.index(0, 2).data() in ("…", "q0")
    qtbot.waitUntil(lambda: model.index(0, 2).data() == "q0")
    table.setFocus()
    watch = Watch()
    qtbot.keyClick(table, Qt.Key.Key_End, Qt.KeyboardModifier.ControlModifier)
    watch.check()
    qtbot.waitUntil(lambda: model.index(9_999_999, 2).data() == "q9999999")
    assert table.rowAt(table.viewport().height() - 12) == 9_999_999  # the last row can really be reached
    assert threading.get_ident() not in workspace.pages.threads


def test_a_flying_scroll_bar_reads_few_pages_and_keeps_few(
    qtbot: QtBot, page: DataPage, workspace: Workspace
) -> None:
    made = workspace.add_dataset(rows=1_000_000)
    page.show_dataset(made.id)
    qtbot.waitUntil(page.dataset_view.isVisible)
    bar = page.dataset_view.rows_view.verticalScrollBar()
    for value in range(0, 1_000_000, 5_000):
        bar.setValue(value)
        page.dataset_view.rows_view.viewport().repaint()
    last = page.dataset_view.rows.index(995_000, 2)
    qtbot.waitUntil(lambda: last.data() == "q995000")
    assert len(workspace.pages.asked) < 60  # of 200 places that were passed
    assert page.dataset_view.rows.loaded_pages() <= 24


def test_a_page_that_cannot_be_read_is_said_once(qtbot: QtBot, page: DataPage, workspace: Workspace) -> None:
    workspace.pages.problem = StudioError(
        "dataset.gone", "The rows are not on the disk any more.", "Import again."
    )
    made = workspace.add_dataset(rows=50)
    page.show_dataset(made.id)
    qtbot.waitUntil(page.dataset_view.problem.isVisible)
    asked = len(workspace.pages.asked)
    page.dataset_view.rows_view.viewport().repaint()
    qtbot.wait(50)
    assert len(workspace.pages.asked) == asked
    workspace.pages.problem = None
    page.dataset_view.rows.retry()
    qtbot.waitUntil(lambda: page.dataset_view.rows.index(0, 2).data() == "q0")


def test_put_aside_rows_say_why(qtbot: QtBot, page: DataPage, workspace: Workspace) -> None:
    made = workspace.add_dataset(rejected=250)
    page.show_dataset(made.id)
    qtbot.waitUntil(page.dataset_view.isVisible)
    page.dataset_view.tabs.setCurrentIndex(1)
    model = page.dataset_view.rejected
    assert model.rowCount() == 250
    qtbot.waitUntil(lambda: model.index(0, 1).data() == "The answer is empty.")
    assert model.index(0, 0).data() == "7"
    assert page.dataset_view.tabs.tabText(1) == "Put aside (250)"


def test_use_for_the_chosen_product(
    qtbot: QtBot, page: DataPage, workspace: Workspace, context: GuiContext
) -> None:
    matrix = workspace.matrices.create("M", "Assistant")
    assert matrix.core is not None
    made = workspace.add_dataset()
    context.navigator.set_product(matrix.core.id)
    page.show_dataset(made.id)
    view = page.dataset_view
    qtbot.waitUntil(lambda: view.header.use.isVisible() and view.header.use.text() == "Use for Assistant")
    qtbot.mouseClick(view.header.use, LEFT)
    qtbot.waitUntil(view.header.train.isVisible)
    assert not view.header.use.isVisible()
    assert workspace.matrices.get(matrix.id).core.dataset_id == made.id  # type: ignore[union-attr]
    with qtbot.waitSignal(context.navigator.requested) as went:
        qtbot.mouseClick(view.header.train, LEFT)
    assert went.args == [("train", {})]


def test_data_that_does_not_suit_the_product_is_not_given_without_a_word(
    qtbot: QtBot, page: DataPage, workspace: Workspace, context: GuiContext
) -> None:
    matrix = workspace.matrices.create("M", "Assistant")
    assert matrix.core is not None
    made = workspace.add_dataset(shape=Shape.IMAGE_LABEL)
    context.navigator.set_product(matrix.core.id)
    page.show_dataset(made.id)
    use = page.dataset_view.header.use
    qtbot.waitUntil(use.isVisible)
    qtbot.mouseClick(use, LEFT)
    dialog = page.findChild(SuitDialog)
    assert isinstance(dialog, SuitDialog)
    assert "“Assistant”" in dialog.advice.text.text()
    assert [offer.text() for offer in dialog.advice.offers] == [
        "Change the product: Recognises pictures",
        "Change the product: Draws pictures",
    ]
    needed = dialog.advice.text.heightForWidth(dialog.advice.text.width())
    qtbot.waitUntil(lambda: dialog.advice.text.height() >= needed)  # no line is cut off
    assert workspace.matrices.get(matrix.id).core == matrix.core  # nothing yet
    qtbot.mouseClick(dialog.advice.offers[0], LEFT)
    qtbot.waitUntil(page.dataset_view.header.train.isVisible)
    core = workspace.matrices.get(matrix.id).core
    assert core is not None
    assert (core.task, core.dataset_id) == (Task.CLASSIFY_IMAGES, made.id)


def test_bin_undo_and_restore(
    qtbot: QtBot, page: DataPage, workspace: Workspace, notices: list[Notice]
) -> None:
    made = workspace.add_dataset()
    page.show_dataset(made.id)
    qtbot.waitUntil(page.dataset_view.isVisible)
    page.dataset_view.header.actions_by_name["bin"].trigger()
    qtbot.waitUntil(lambda: page.list.shown() == [] and bool(notices))
    qtbot.waitUntil(page.list.bin.isVisible)
    assert notices[0].action_label == "Undo"
    qtbot.mouseClick(page.list.bin, LEFT)
    qtbot.waitUntil(page.dataset_view.header.restore.isVisible)
    qtbot.mouseClick(page.dataset_view.header.restore, LEFT)
    qtbot.waitUntil(lambda: not page.list.bin.isVisible() and page.list.shown() == [made.name])
    assert notices[0].action is not None
    notices[0].action()  # harmless when it is back already
    qtbot.waitUntil(lambda: not workspace.datasets.get(made.id).deleted)


def test_the_list_is_walked_by_keyboard(qtbot: QtBot, page: DataPage, workspace: Workspace) -> None:
    first, second = workspace.add_dataset(name="First"), workspace.add_dataset(name="Second")
    page.reload()
    qtbot.waitUntil(lambda: page.list.shown() == ["Second", "First"])
    page.list.list.setFocus()
    page.list.list.setCurrentRow(0)
    qtbot.waitUntil(
        lambda: page.dataset_view.dataset is not None and page.dataset_view.dataset.id == second.id
    )
    qtbot.keyClick(page.list.list, Qt.Key.Key_Down)
    qtbot.waitUntil(
        lambda: page.dataset_view.dataset is not None and page.dataset_view.dataset.id == first.id
    )


def test_entering_for_a_product_without_data_offers_the_drop_zone(
    qtbot: QtBot, page: DataPage, workspace: Workspace
) -> None:
    matrix = workspace.matrices.create("M", "Assistant")
    assert matrix.core is not None
    made = workspace.add_dataset()
    page.show_dataset(made.id)
    qtbot.waitUntil(page.dataset_view.isVisible)
    page.enter(product_id=matrix.core.id)
    qtbot.waitUntil(page.start.isVisible)
    assert page.start.zone.accessibleName()
