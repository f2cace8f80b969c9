"""The home page by mouse and keyboard, over real services with in-memory ports."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QFontMetrics, QMouseEvent
from PySide6.QtWidgets import QApplication, QWidget
from pytestqt.qtbot import QtBot

from studio.domain.products import LinkKind, Product, Purpose, Role, SynergyLink
from studio.domain.runs import RunState
from studio.gui.app import first_run
from studio.gui.context import GuiContext
from studio.gui.dialogs.first_run import FirstRunDialog
from studio.gui.dialogs.link import LinkDialog
from studio.gui.dialogs.product import ProductDialog
from studio.gui.dialogs.product_matrix import MatrixDialog
from studio.gui.models.matrix_table import MatrixCell, MatrixColumn, MatrixRole
from studio.gui.notices import Notice
from studio.gui.pages.matrix import MatrixPage
from studio.gui.pages.matrix.cell_delegate import PADDING
from studio.gui.theme import current_tokens, ui_font
from tests.helpers.matrix_data import Workspace, finished_run, verdict

LEFT = Qt.MouseButton.LeftButton


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    return Workspace(tmp_path)


@pytest.fixture
def context(workspace: Workspace, make_context: Callable[..., GuiContext]) -> GuiContext:
    return make_context(**workspace.services())


@pytest.fixture
def page(qtbot: QtBot, context: GuiContext) -> Iterator[MatrixPage]:
    made = MatrixPage(context)
    qtbot.addWidget(made)
    made.resize(1000, 640)
    context.changes.changed.connect(made.refresh)
    made.show()
    made.enter()
    qtbot.waitUntil(lambda: made.shown is not None)
    yield made
    context.changes.changed.disconnect(made.refresh)
    made.dispose()


def dialog(page: QWidget, kind: type[QWidget]) -> Any:
    """The open dialog of a kind."""
    found = [each for each in page.findChildren(kind) if each.isVisible()]
    assert len(found) == 1
    return found[0]


def sample(qtbot: QtBot, page: MatrixPage) -> None:
    """Open the example by its button, and wait for its rows."""
    qtbot.mouseClick(page.no_matrix.secondary, LEFT)
    qtbot.waitUntil(lambda: page.table_view.model.rowCount() == 3)


def click_cell(qtbot: QtBot, page: MatrixPage, row: int, column: MatrixColumn) -> None:
    """Click the middle of what a cell paints as its button."""
    table = page.table_view.table
    index = page.table_view.model.index(row, column)
    cell: MatrixCell = index.data(MatrixRole.CELL)
    place = table._delegate.button_rect(table.visualRect(index), cell).center()
    qtbot.mouseClick(table.viewport(), LEFT, pos=place)


def test_create_a_matrix_from_the_empty_page(qtbot: QtBot, page: MatrixPage, context: GuiContext) -> None:
    assert page.no_matrix.isVisible()
    qtbot.mouseClick(page.no_matrix.primary, LEFT)
    form: MatrixDialog = dialog(page, MatrixDialog)
    qtbot.mouseClick(form.confirm, LEFT)
    assert form.isVisible()
    assert "no name" in form.message.text()
    qtbot.keyClicks(form.name, "Clinic")
    qtbot.keyClicks(form.core, "Triage assistant")
    qtbot.keyClick(form, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: page.table_view.model.rowCount() == 1)
    assert page.table_view.model.product(0).name == "Triage assistant"
    assert page.header.switcher.text() == "Clinic"
    assert context.navigator.current_product_id == page.table_view.model.product(0).id


def test_whoever_starts_empty_is_asked_for_the_first_product(
    qtbot: QtBot, page: MatrixPage, context: GuiContext
) -> None:
    context.navigator.requested.connect(lambda asked: page.enter(**asked[1]))
    first_run(context, page)  # type: ignore[arg-type]
    beginning = page.findChild(FirstRunDialog)
    beginning._on_beginning("empty")
    form: MatrixDialog = dialog(page, MatrixDialog)
    assert form.isVisible()


def test_add_product_with_purposes(qtbot: QtBot, page: MatrixPage) -> None:
    sample(qtbot, page)
    qtbot.mouseClick(page.header.add, LEFT)
    form: ProductDialog = dialog(page, ProductDialog)
    assert form.role.currentData() == Role.AUXILIARY  # there is a core already
    qtbot.keyClicks(form.name, "Survey bot")
    form.purposes[Purpose.DATA_COLLECTION].click()
    qtbot.mouseClick(form.confirm, LEFT)
    qtbot.waitUntil(lambda: page.table_view.model.rowCount() == 4)
    added = page.table_view.model.product(3)
    assert (added.name, added.purposes) == ("Survey bot", (Purpose.DATA_COLLECTION,))
    qtbot.waitUntil(lambda: page.table_view.table.chosen() == added.id)


def test_a_second_core_product_is_refused_in_the_dialog(qtbot: QtBot, page: MatrixPage) -> None:
    sample(qtbot, page)
    qtbot.mouseClick(page.header.add, LEFT)
    form: ProductDialog = dialog(page, ProductDialog)
    qtbot.keyClicks(form.name, "Another core")
    form.role.setCurrentIndex(form.role.findData(Role.CORE))
    qtbot.mouseClick(form.confirm, LEFT)
    assert form.isVisible()
    assert "core" in form.message.text()


def test_edit_by_keyboard_keeps_the_dataset(qtbot: QtBot, page: MatrixPage, workspace: Workspace) -> None:
    data = workspace.add_dataset()
    matrix = workspace.matrices.create("M", "Core")
    assert matrix.core is not None
    workspace.matrices.set_dataset(matrix.core.id, data.id)
    qtbot.waitUntil(lambda: page.table_view.model.rowCount() == 1)
    page.table_view.table.setFocus()
    qtbot.keyClick(page.table_view.table, Qt.Key.Key_F2)
    form: ProductDialog = dialog(page, ProductDialog)
    form.name.selectAll()
    qtbot.keyClicks(form.name, "Renamed")
    qtbot.mouseClick(form.confirm, LEFT)
    qtbot.waitUntil(lambda: page.table_view.model.product(0).name == "Renamed")
    assert page.table_view.model.product(0).dataset_id == data.id


def test_remove_and_undo(qtbot: QtBot, page: MatrixPage, context: GuiContext) -> None:
    sample(qtbot, page)
    posted: list[Notice] = []
    context.notices.posted.connect(posted.append)
    page.table_view.table.choose(page.table_view.model.product(1).id)
    page.table_view.table.setFocus()
    qtbot.keyClick(page.table_view.table, Qt.Key.Key_Delete)
    qtbot.waitUntil(lambda: page.table_view.model.rowCount() == 2)
    qtbot.waitUntil(lambda: bool(posted))
    assert posted[0].action_label == "Undo"
    assert posted[0].action is not None
    posted[0].action()
    qtbot.waitUntil(lambda: page.table_view.model.rowCount() == 3)


def test_an_empty_cell_is_a_button_that_leads_on(qtbot: QtBot, page: MatrixPage, context: GuiContext) -> None:
    sample(qtbot, page)
    core = page.table_view.model.product(0)
    with qtbot.waitSignal(context.navigator.requested) as went:
        click_cell(qtbot, page, 0, MatrixColumn.DATA)
    assert went.args == [("data", {"product_id": core.id})]


def test_the_same_button_by_keyboard(qtbot: QtBot, page: MatrixPage, context: GuiContext) -> None:
    sample(qtbot, page)
    table = page.table_view.table
    table.setFocus()
    table.setCurrentIndex(page.table_view.model.index(0, MatrixColumn.STAGE))
    qtbot.keyClick(table, Qt.Key.Key_Right)
    with qtbot.waitSignal(context.navigator.requested) as went:
        qtbot.keyClick(table, Qt.Key.Key_Return)
    assert went.args[0][0] == "data"


def test_a_trained_product_shows_verdict_costs_and_try(
    qtbot: QtBot, page: MatrixPage, workspace: Workspace, context: GuiContext
) -> None:
    matrix = workspace.matrices.create("M", "Core")
    assert matrix.core is not None
    run = finished_run(matrix.core.id)
    workspace.run_store.runs[matrix.core.id] = run
    workspace.run_store.verdicts[run.id] = verdict()
    page.reload()
    model = page.table_view.model
    qtbot.waitUntil(lambda: model.rowCount() == 1 and model.cell(0, MatrixColumn.VERDICT).badge == "success")
    cost = model.cell(0, MatrixColumn.ANSWER_COST)
    assert cost.tone == "warning"  # the prices are assumed
    assert "price" in cost.tooltip
    with qtbot.waitSignal(context.navigator.requested) as went:
        click_cell(qtbot, page, 0, MatrixColumn.NEXT)
    assert went.args == [("playground", {"run_id": run.id})]


def test_a_running_run_shows_its_share(qtbot: QtBot, page: MatrixPage, workspace: Workspace) -> None:
    matrix = workspace.matrices.create("M", "Core")
    assert matrix.core is not None
    workspace.run_store.runs[matrix.core.id] = finished_run(matrix.core.id, state=RunState.RUNNING)
    page.reload()
    model = page.table_view.model
    qtbot.waitUntil(lambda: model.rowCount() == 1 and model.cell(0, MatrixColumn.RUN).detail == "40%")


def test_link_by_dialog(qtbot: QtBot, page: MatrixPage, context: GuiContext) -> None:
    sample(qtbot, page)
    before = len(page.shown.matrix.links)  # type: ignore[union-attr]
    first, second = page.table_view.model.product(1), page.table_view.model.product(2)
    context.navigator.set_product(first.id)
    qtbot.mouseClick(page.header.link, LEFT)
    form: LinkDialog = dialog(page, LinkDialog)
    assert form.source.currentData() == first.id
    form.target.setCurrentIndex(form.target.findData(second.id))
    form.kind.setCurrentIndex(form.kind.findData(LinkKind.FEATURE))
    form.payload.setText("question，answer")  # a full-width comma; QTest types ASCII only
    qtbot.keyClicks(form.note, "weekly")
    qtbot.mouseClick(form.confirm, LEFT)
    qtbot.waitUntil(lambda: len(page.shown.matrix.links) == before + 1)  # type: ignore[union-attr]
    made = page.shown.matrix.links[-1]  # type: ignore[union-attr]
    assert (made.source_id, made.target_id, made.kind) == (first.id, second.id, LinkKind.FEATURE)
    assert made.payload == ("question", "answer")


def test_a_link_to_itself_is_refused(qtbot: QtBot, page: MatrixPage) -> None:
    sample(qtbot, page)
    qtbot.mouseClick(page.header.link, LEFT)
    form: LinkDialog = dialog(page, LinkDialog)
    form.target.setCurrentIndex(form.source.currentIndex())
    qtbot.mouseClick(form.confirm, LEFT)
    assert form.isVisible()
    assert "itself" in form.message.text()


def drag(viewport: QWidget, start: QPoint, end: QPoint) -> None:
    """Press, move and release the left button, as a person does (QTest.mouseMove holds no button)."""

    def send(kind: QMouseEvent.Type, place: QPoint, held: Qt.MouseButton) -> None:
        button = Qt.MouseButton.NoButton if kind == QMouseEvent.Type.MouseMove else LEFT
        there = viewport.mapToGlobal(place)
        event = QMouseEvent(
            kind, place.toPointF(), there.toPointF(), button, held, Qt.KeyboardModifier.NoModifier
        )
        QApplication.sendEvent(viewport, event)

    send(QMouseEvent.Type.MouseButtonPress, start, LEFT)
    send(QMouseEvent.Type.MouseMove, (start + end) / 2, LEFT)
    send(QMouseEvent.Type.MouseMove, end, LEFT)
    send(QMouseEvent.Type.MouseButtonRelease, end, Qt.MouseButton.NoButton)


def test_link_by_dragging_in_the_graph(qtbot: QtBot, page: MatrixPage) -> None:
    sample(qtbot, page)
    page.header.views.choose("synergy")
    graph = page.synergy_view.graph
    qtbot.waitUntil(graph.isVisible)
    first, second = page.table_view.model.product(1), page.table_view.model.product(2)
    drag(graph.viewport(), graph.node_centre(first.id), graph.node_centre(second.id))
    form: LinkDialog = dialog(page, LinkDialog)
    assert (form.source.currentData(), form.target.currentData()) == (first.id, second.id)
    before = page.synergy_view.links.count()
    qtbot.mouseClick(form.confirm, LEFT)
    qtbot.waitUntil(lambda: page.synergy_view.links.count() == before + 1)


def test_a_drag_that_ends_nowhere_asks_nothing(qtbot: QtBot, page: MatrixPage) -> None:
    sample(qtbot, page)
    page.header.views.choose("synergy")
    graph = page.synergy_view.graph
    start = graph.node_centre(page.table_view.model.product(1).id)
    drag(graph.viewport(), start, QPoint(3, 3))
    assert not [each for each in page.findChildren(LinkDialog) if each.isVisible()]


def test_remove_a_link_from_the_list_and_undo(qtbot: QtBot, page: MatrixPage, context: GuiContext) -> None:
    sample(qtbot, page)
    posted: list[Notice] = []
    context.notices.posted.connect(posted.append)
    page.header.views.choose("synergy")
    view = page.synergy_view
    count = view.links.count()
    assert count > 0
    view.links.setCurrentRow(0)
    qtbot.mouseClick(view.remove, LEFT)
    qtbot.waitUntil(lambda: view.links.count() == count - 1)
    qtbot.waitUntil(lambda: bool(posted))
    assert posted[0].action is not None
    posted[0].action()
    qtbot.waitUntil(lambda: view.links.count() == count)


def test_graph_by_keyboard(qtbot: QtBot, page: MatrixPage, context: GuiContext) -> None:
    sample(qtbot, page)
    page.header.views.choose("synergy")
    graph = page.synergy_view.graph
    graph.setFocus()
    qtbot.keyClick(graph, Qt.Key.Key_Right)
    qtbot.keyClick(graph, Qt.Key.Key_Right)
    assert context.navigator.current_product_id == page.shown.matrix.products[1].id  # type: ignore[union-attr]
    qtbot.keyClick(graph, Qt.Key.Key_L)
    assert dialog(page, LinkDialog).source.currentData() == context.navigator.current_product_id


def test_switch_between_matrices_and_delete_with_undo(
    qtbot: QtBot, page: MatrixPage, workspace: Workspace, context: GuiContext
) -> None:
    first, second = workspace.matrices.create("One", "A"), workspace.matrices.create("Two", "B")
    qtbot.waitUntil(lambda: page.header.switcher.text() == "One")
    texts = [action.text() for action in page.header.switcher.menu().actions()]
    assert texts[:2] == ["One", "Two"]
    page.header.switcher.menu().actions()[1].trigger()
    qtbot.waitUntil(lambda: page.header.switcher.text() == "Two")
    posted: list[Notice] = []
    context.notices.posted.connect(posted.append)
    page.header.delete_wanted.emit()
    qtbot.waitUntil(lambda: page.header.switcher.text() == "One")
    qtbot.waitUntil(lambda: bool(posted))
    assert posted[0].action is not None
    posted[0].action()
    qtbot.waitUntil(lambda: page.header.switcher.text() == "Two")
    assert context.navigator.current_matrix_id == second.id
    assert first.id != second.id


def test_screen_readers_hear_column_value_and_button(qtbot: QtBot, page: MatrixPage) -> None:
    sample(qtbot, page)
    index = page.table_view.model.index(0, MatrixColumn.DATA)
    assert index.data(Qt.ItemDataRole.AccessibleTextRole) == "Data, Import data, button"
    assert "→" in page.synergy_view.graph.accessibleDescription()


def test_selection_survives_a_refresh(qtbot: QtBot, page: MatrixPage, workspace: Workspace) -> None:
    sample(qtbot, page)
    second = page.table_view.model.product(1)
    page.table_view.table.choose(second.id)
    matrix = page.shown.matrix  # type: ignore[union-attr]
    assert matrix is not None
    renamed = Product(second.name + "!", second.role, second.purposes, id=second.id)
    workspace.matrices.update_product(matrix.id, renamed)
    qtbot.waitUntil(lambda: page.table_view.model.product(1).name.endswith("!"))
    assert page.table_view.table.chosen() == second.id


def test_edge_width_grows_with_rows() -> None:
    from studio.gui.pages.matrix.graph_items import edge_width

    widths = [edge_width(rows) for rows in (0, 10, 1_000, 100_000)]
    assert widths == sorted(widths)
    assert widths[0] < widths[1]
    assert edge_width(10**12) == 9.0


def test_link_words_name_what_flows() -> None:
    from studio.gui.pages.matrix.graph_items import link_words

    link = SynergyLink("a", "b", payload=("question", "answer"), rows_flowed=1200)
    assert link_words(link) == "Data flows · question, answer · 1,200 rows"


@pytest.mark.parametrize(
    "width", [1024 - 56, 1280 - 56, 1920 - 200]
)  # of the smallest window, with the rail folded
def test_all_columns_are_in_sight_and_words_have_room_where_there_is_any(
    qtbot: QtBot, page: MatrixPage, width: int
) -> None:
    sample(qtbot, page)
    page.resize(width, 624)
    table = page.table_view.table
    qtbot.waitUntil(lambda: width - 80 < table.viewport().width() < width)
    qtbot.waitUntil(lambda: table.horizontalScrollBar().maximum() == 0)
    if width > 1200:
        header = table.horizontalHeader()
        for column in MatrixColumn:
            assert header.sectionSize(column) >= header.sectionSizeHint(column)
        words = QFontMetrics(ui_font(current_tokens().fonts.body))
        assert header.sectionSize(MatrixColumn.STAGE) >= words.horizontalAdvance("Research") + 2 * PADDING
