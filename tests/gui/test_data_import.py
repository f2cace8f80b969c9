"""Ways for data to come in, and the form before an import, by mouse, keys, clipboard and drop."""

from __future__ import annotations

import threading
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDragLeaveEvent, QDragMoveEvent, QDropEvent, QImage
from PySide6.QtWidgets import QApplication, QComboBox, QFileDialog, QWidget
from pytestqt.qtbot import QtBot

from studio.domain.datasets import ImportSpec, Origin, OriginKind, SourcePreview
from studio.domain.products import Task
from studio.domain.recipes import FindingKind, FixAction, FixStep, Recipe
from studio.domain.shapes import SHAPES, ColumnRole, Shape
from studio.errors import StudioError
from studio.gui.context import GuiContext
from studio.gui.dialogs.ask import AskDialog
from studio.gui.models.rows_table_preview import PreviewTable
from studio.gui.notices import Notice
from studio.gui.pages.data import DataPage
from studio.gui.pages.data.recipes_dialog import RecipesDialog
from studio.gui.pages.data.sources.hub import HubDialog
from studio.gui.pages.data.sources.thumbnails import load_thumbnails
from studio.gui.widgets import DropOverlay
from tests.helpers.data_jobs import DataWorkspace

LEFT = Qt.MouseButton.LeftButton
NO_KEYS = Qt.KeyboardModifier.NoModifier
CSV = "question,answer,comment\nWhere is it?,On its way.,x\nCan I return it?,Yes.,y\n"


@pytest.fixture
def workspace(tmp_path: Path) -> DataWorkspace:
    return DataWorkspace(tmp_path)


@pytest.fixture
def context(workspace: DataWorkspace, make_context: Callable[..., GuiContext]) -> GuiContext:
    return make_context(**workspace.services())


@pytest.fixture
def page(qtbot: QtBot, context: GuiContext) -> Iterator[DataPage]:
    made = DataPage(context)
    qtbot.addWidget(made)
    made.resize(1050, 660)
    context.changes.changed.connect(made.refresh)
    made.show()
    made.enter()
    yield made
    context.changes.changed.disconnect(made.refresh)
    made.dispose()


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


def open_form(qtbot: QtBot, page: DataPage, *paths: Path) -> None:
    page.open_paths(list(paths))
    qtbot.waitUntil(page.form.isVisible)


def choose(qtbot: QtBot, combo: QComboBox, wanted: object) -> None:
    """Walk a drop-down by keys to an entry, as a person does."""
    combo.setFocus()
    target = combo.findData(wanted)
    assert target >= 0, wanted
    for _step in range(combo.count()):
        if combo.currentIndex() == target:
            return
        before = combo.currentIndex()
        qtbot.keyClick(combo, Qt.Key.Key_Down if target > before else Qt.Key.Key_Up)
        assert combo.currentIndex() != before
    raise AssertionError(wanted)


def files_of(paths: list[Path]) -> QMimeData:
    mime = QMimeData()
    mime.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return mime


# Ways in


def test_the_start_page_offers_every_way_in_with_one_primary_button(page: DataPage) -> None:
    start = page.start
    assert start.isVisible()
    assert start.choose.isVisible()
    for button in (start.folder, start.paste, start.hub, start.sample):
        assert button.isVisible()
        assert button.accessibleName()
    assert start.zone.focusPolicy() == Qt.FocusPolicy.NoFocus  # its button is reached instead


def test_several_files_are_chosen_in_one_dialog(
    qtbot: QtBot, page: DataPage, csv_file: Path, tmp_path: Path
) -> None:
    second = tmp_path / "more.csv"
    second.write_text(CSV, encoding="utf-8")
    qtbot.mouseClick(page.start.choose, LEFT)
    dialog = page.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    assert dialog.fileMode() == QFileDialog.FileMode.ExistingFiles
    kinds = dialog.nameFilters()[0]
    assert all(f"*.{ending}" in kinds for ending in ("csv", "xlsx", "pdf", "sqlite", "zip", "png"))
    dialog.filesSelected.emit([str(csv_file), str(second)])
    dialog.close()
    qtbot.waitUntil(page.form.isVisible)
    assert page.form.spec().more_sources == (str(second),)
    assert page.form.contents.accessibleName() == "shop.csv and 1 more"


def test_a_folder_is_chosen(qtbot: QtBot, page: DataPage, workspace: DataWorkspace, tmp_path: Path) -> None:
    qtbot.mouseClick(page.start.folder, LEFT)
    dialog = page.findChild(QFileDialog)
    assert isinstance(dialog, QFileDialog)
    assert dialog.fileMode() == QFileDialog.FileMode.Directory
    workspace.data_job.preview_problem = StudioError(
        "import.empty", "The folder is empty.", "Choose another."
    )
    dialog.fileSelected.emit(str(tmp_path))
    dialog.close()
    qtbot.waitUntil(page.problem.isVisible)
    assert workspace.data_job.previews[0].source == str(tmp_path)
    assert page.problem.line.text.text() == "The folder is empty."


def test_copied_text_is_pasted_by_key(qtbot: QtBot, page: DataPage, workspace: DataWorkspace) -> None:
    QApplication.clipboard().setText("question\tanswer\na\tb\n")
    actions = {action.id: action for action in page.palette_actions()}
    assert actions["data.paste"].shortcut == "Ctrl+V"
    workspace.data_job.preview_problem = StudioError("import.broken", "It cannot be read.", "Copy it again.")
    actions["data.paste"].callback()
    qtbot.waitUntil(page.problem.isVisible)
    spec = workspace.data_job.previews[0]
    assert spec.origin.kind is OriginKind.CLIPBOARD
    assert Path(spec.source).read_text(encoding="utf-8") == "question\tanswer\na\tb\n"
    assert page.problem.file.text() == "Pasted text"


def test_copied_files_are_opened_as_files(qtbot: QtBot, page: DataPage, csv_file: Path) -> None:
    QApplication.clipboard().setMimeData(files_of([csv_file]))
    qtbot.mouseClick(page.start.paste, LEFT)
    qtbot.waitUntil(page.form.isVisible)
    assert page.form.spec().source == str(csv_file)


@pytest.mark.parametrize("text", ["", "  \n "])
def test_an_empty_clipboard_is_said(
    qtbot: QtBot, page: DataPage, workspace: DataWorkspace, notices: list[Notice], text: str
) -> None:
    QApplication.clipboard().setText(text)
    qtbot.mouseClick(page.start.paste, LEFT)
    assert "no text to paste" in notices[0].text
    assert page.start.isVisible()
    assert workspace.data_job.previews == []


def test_a_copied_image_is_to_be_saved_into_a_folder(
    qtbot: QtBot, page: DataPage, workspace: DataWorkspace, notices: list[Notice]
) -> None:
    QApplication.clipboard().setImage(QImage(8, 8, QImage.Format.Format_RGB32))
    qtbot.mouseClick(page.start.paste, LEFT)
    assert "into a folder" in notices[0].text
    assert workspace.data_job.previews == []


def test_pasted_text_has_no_encoding_and_no_size(qtbot: QtBot, page: DataPage, csv_file: Path) -> None:
    open_form(qtbot, page, csv_file)
    assert page.form.contents.encoding.isVisible()
    page.intake.read(ImportSpec(source=str(csv_file), origin=Origin(kind=OriginKind.CLIPBOARD)))
    qtbot.waitUntil(lambda: page.form.isVisible() and page.form.spec().origin.kind is OriginKind.CLIPBOARD)
    assert not page.form.contents.encoding.isVisible()
    assert "kB" not in page.form.contents._subtitle.text()


def test_import_data_leads_back_to_the_ways_in(
    qtbot: QtBot, page: DataPage, workspace: DataWorkspace
) -> None:
    made = workspace.add_dataset()
    page.show_dataset(made.id)
    qtbot.waitUntil(page.dataset_view.isVisible)
    qtbot.mouseClick(page.list.add, LEFT)
    assert page.start.isVisible()
    page.reload()
    qtbot.waitUntil(lambda: page.list.chosen() is None)
    assert page.start.isVisible()  # news of the workspace do not take it away
    page.list.list.setCurrentRow(0)
    qtbot.waitUntil(page.dataset_view.isVisible)


# A hub


def test_nothing_is_fetched_before_consent(
    qtbot: QtBot, page: DataPage, workspace: DataWorkspace, context: GuiContext
) -> None:
    qtbot.mouseClick(page.start.hub, LEFT)
    dialog = page.findChild(HubDialog)
    assert isinstance(dialog, HubDialog)
    assert "Nothing was downloaded so far" in dialog.consent.text()
    assert "huggingface.co" in dialog.consent.text()
    assert dialog.get.text() == "Allow and download"
    assert not dialog.get.isEnabled()
    choose(qtbot, dialog.hub, "modelscope")
    assert "modelscope.cn" in dialog.consent.text()
    qtbot.keyClicks(dialog.repository, "someone/questions")
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    assert not context.services.settings.current.hub_consent
    assert workspace.data_job.fetched == []


def test_a_failed_fetch_is_said_in_the_dialog(qtbot: QtBot, page: DataPage) -> None:
    qtbot.mouseClick(page.start.hub, LEFT)
    dialog = page.findChild(HubDialog)
    assert isinstance(dialog, HubDialog)
    qtbot.keyClicks(dialog.repository, "someone/questions")
    qtbot.keyClick(dialog.repository, Qt.Key.Key_Return)  # this workspace has no hub behind it
    qtbot.waitUntil(dialog.problem.isVisible)
    assert "not allowed" in dialog.problem.text.text()
    assert dialog.get.isEnabled()
    dialog.reject()


# Dropped on the window


def drag(handle: object, paths: list[Path]) -> bool:
    """Drag files over a window, as the system does. True when the window took them."""
    mime, place = files_of(paths), QPointF(300, 300)
    enter = QDragEnterEvent(place.toPoint(), Qt.DropAction.CopyAction, mime, LEFT, NO_KEYS)
    QApplication.sendEvent(handle, enter)  # type: ignore[arg-type]
    if enter.isAccepted():
        move = QDragMoveEvent(place.toPoint(), Qt.DropAction.CopyAction, mime, LEFT, NO_KEYS)
        QApplication.sendEvent(handle, move)  # type: ignore[arg-type]
        assert move.isAccepted()
    return enter.isAccepted()


def test_the_overlay_takes_files_for_a_whole_window(qtbot: QtBot, theme: object, csv_file: Path) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.setAcceptDrops(True)
    window.resize(600, 500)
    overlay = DropOverlay(window, "Drop to import")
    taken: list[list[Path]] = []
    overlay.dropped.connect(taken.append)
    window.show()
    handle = window.windowHandle()
    overlay.watch(handle)
    assert not drag(handle, [])
    assert drag(handle, [csv_file])
    assert overlay.isVisible()
    QApplication.sendEvent(handle, QDragLeaveEvent())
    assert not overlay.isVisible()
    assert drag(handle, [csv_file])
    place = QPointF(300, 300)
    mime = files_of([csv_file, csv_file.parent])
    drop = QDropEvent(place, Qt.DropAction.CopyAction, mime, LEFT, NO_KEYS)
    QApplication.sendEvent(handle, drop)
    assert taken == [[csv_file, csv_file.parent]]
    assert not overlay.isVisible()


def test_files_given_by_the_window_are_opened(qtbot: QtBot, page: DataPage, csv_file: Path) -> None:
    page.enter(paths=[csv_file])
    qtbot.waitUntil(page.form.isVisible)
    page.enter(paths=[csv_file.parent / "gone.csv"])
    qtbot.waitUntil(page.problem.isVisible)
    assert "gone.csv" in page.problem.line.text.text()


# The form


def test_the_form_says_what_it_is_and_why(qtbot: QtBot, page: DataPage, csv_file: Path) -> None:
    open_form(qtbot, page, csv_file)
    contents = page.form.contents
    assert contents.shape.currentData() == Shape.PROMPT_RESPONSE
    assert contents.shape.count() == len(Shape)
    assert contents.reason.text() == "Columns “question” and “answer” look like questions and answers."
    assert contents.shape.accessibleName() == "What a row is"


def test_another_shape_guesses_the_roles_anew(
    qtbot: QtBot, page: DataPage, workspace: DataWorkspace, csv_file: Path
) -> None:
    open_form(qtbot, page, csv_file)
    page.form.name.setText("Mine")
    shape = page.form.contents.shape
    choose(qtbot, shape, Shape.TEXT_LABEL)  # past three others
    assert page.form.isVisible()  # it is read again behind the form
    assert not page.form.start.isEnabled()
    qtbot.waitUntil(lambda: page.form.table.role(1) is ColumnRole.LABEL)
    assert page.form.start.isEnabled()
    assert [each.shape for each in workspace.data_job.previews] == [None, Shape.TEXT_LABEL]
    assert page.form.name.text() == "Mine"
    assert page.form.spec().shape is Shape.TEXT_LABEL


def test_a_shape_that_the_file_cannot_be_read_as_is_said_in_the_form(
    qtbot: QtBot, page: DataPage, workspace: DataWorkspace, csv_file: Path
) -> None:
    open_form(qtbot, page, csv_file)
    workspace.data_job.preview_problem = StudioError(
        "import.columns", "There is one column only.", "Choose text."
    )
    page.form.contents.choose_shape(Shape.RATINGS)
    qtbot.waitUntil(page.form.contents.problem.isVisible)
    assert page.form.isVisible()
    assert page.form.contents.problem.text.text() == "There is one column only."
    assert page.form.start.isEnabled()  # what is on show can still be imported


@pytest.mark.parametrize(
    ("shape", "words"),
    [
        (Shape.TEXT_NUMBER, "Choose the column with the number."),
        (Shape.RATINGS, "Choose the columns with the user, the item and the rating."),
    ],
)
def test_what_is_missing_is_named(
    qtbot: QtBot, page: DataPage, csv_file: Path, shape: Shape, words: str
) -> None:
    open_form(qtbot, page, csv_file)
    table = page.form.table
    table.set_roles({"question": ColumnRole.TEXT} if shape is Shape.TEXT_NUMBER else {}, shape)
    assert page.form.missing.text() == words
    assert not page.form.start.isEnabled()
    assert page.form.start.toolTip() == words


def test_what_is_left_to_do_by_hand_is_said(qtbot: QtBot, page: DataPage, csv_file: Path) -> None:
    open_form(qtbot, page, csv_file)
    page.form.table.set_role(0, ColumnRole.IGNORE)
    assert page.form.start.isEnabled()
    assert "you write the questions" in page.form.missing.text()


def test_roles_of_other_shapes_stand_under_a_heading_and_change_the_shape(
    qtbot: QtBot, page: DataPage, csv_file: Path
) -> None:
    open_form(qtbot, page, csv_file)
    combo = page.form.header.combo(1)
    listed = [combo.itemData(place) for place in range(combo.count())]
    heading = listed.index(None)
    assert {ColumnRole.PROMPT, ColumnRole.RESPONSE, ColumnRole.IGNORE} <= set(listed[:heading])
    assert ColumnRole.LABEL in listed[heading:]
    assert ColumnRole.IMAGE not in listed  # no cell looks like the name of an image
    assert ColumnRole.RATING not in listed  # nor like a number
    choose(qtbot, combo, ColumnRole.LABEL)
    assert page.form.table.shape() is Shape.TEXT_LABEL
    assert page.form.table.role(0) is ColumnRole.IGNORE  # a question is no part of it
    assert page.form.missing.text() == "Choose the column with the text."


def test_members_and_left_out_files_are_listed(
    qtbot: QtBot, page: DataPage, workspace: DataWorkspace, csv_file: Path
) -> None:
    workspace.data_job.members = ["a.csv", "deep/b.csv"]
    workspace.data_job.skipped = ["notes.exe: not a kind that can be read"]
    open_form(qtbot, page, csv_file)
    line = page.form.contents.members
    assert line.words() == "2 files are read  ·  1 file is left out"
    assert not line.names.isVisible()
    qtbot.mouseClick(line.unfold, LEFT)
    assert line.names.isVisible()
    assert "notes.exe: not a kind that can be read" in line.names.toPlainText()
    assert "deep/b.csv" in line.names.toPlainText()


def test_a_recipe_is_done_again_after_the_import(
    qtbot: QtBot, page: DataPage, workspace: DataWorkspace, csv_file: Path
) -> None:
    step = FixStep(finding=FindingKind.MARKUP, action=FixAction.STRIP)
    roles = {"comment": ColumnRole.PROMPT, "answer": ColumnRole.RESPONSE}
    workspace.recipe_store.add(Recipe(name="Shop", steps=[step], roles=roles))
    page.reload()
    open_form(qtbot, page, csv_file)
    combo = page.form.recipe_choice
    qtbot.waitUntil(combo.isVisible)
    assert combo.itemText(1) == "Clean like last time: Shop"
    choose(qtbot, combo, combo.itemData(1))
    combo.activated.emit(combo.currentIndex())
    assert page.form.table.role(2) is ColumnRole.PROMPT  # as the recipe knows the columns
    qtbot.mouseClick(page.form.start, LEFT)
    qtbot.waitUntil(page.dataset_view.isVisible)
    assert workspace.data_job.steps == [step]
    assert page.dataset_view.dataset is not None
    assert page.dataset_view.dataset.number == 2


def test_recipes_are_renamed_and_deleted_beside_their_choice(
    qtbot: QtBot, page: DataPage, workspace: DataWorkspace, csv_file: Path
) -> None:
    step = FixStep(finding=FindingKind.MARKUP, action=FixAction.STRIP)
    for name in ("Old", "Shop"):
        workspace.recipe_store.add(Recipe(name=name, steps=[step]))
    page.reload()
    open_form(qtbot, page, csv_file)
    qtbot.waitUntil(page.form.manage_recipes.isVisible)
    qtbot.mouseClick(page.form.manage_recipes, LEFT)
    dialog = next(iter(page.findChildren(RecipesDialog)))
    qtbot.waitUntil(lambda: dialog.list.count() == 2)
    assert dialog.steps.text() == "1. Left-over HTML and chat marks: Clean the text"
    dialog.name.selectAll()
    qtbot.keyClicks(dialog.name, "shop")
    qtbot.mouseClick(dialog.rename, LEFT)
    qtbot.waitUntil(dialog.message.isVisible)
    dialog.name.selectAll()
    qtbot.keyClicks(dialog.name, "Cleaning")
    qtbot.mouseClick(dialog.rename, LEFT)
    qtbot.waitUntil(lambda: dialog.list.item(0).text() == "Cleaning")
    qtbot.mouseClick(dialog.delete, LEFT)
    question = next(iter(dialog.findChildren(AskDialog)))
    qtbot.mouseClick(question.buttons["delete"], LEFT)
    qtbot.waitUntil(lambda: dialog.list.count() == 1)
    assert [recipe.name for recipe in workspace.recipes.list()] == ["Shop"]
    combo = page.form.recipe_choice
    page.reload()
    qtbot.waitUntil(lambda: combo.count() == 2 and combo.itemText(1).endswith("Shop"))
    dialog.reject()


def test_without_recipes_nothing_is_asked(qtbot: QtBot, page: DataPage, csv_file: Path) -> None:
    open_form(qtbot, page, csv_file)
    assert not page.form.recipe_choice.isVisible()


def test_data_that_does_not_suit_the_product_comes_with_a_way_out(
    qtbot: QtBot, page: DataPage, workspace: DataWorkspace, csv_file: Path
) -> None:
    open_form(qtbot, page, csv_file)
    form = page.form
    form.set_product("Assistant", Task.CHAT)
    assert not form.contents.advice.isVisible()
    form.table.set_roles({"question": ColumnRole.TEXT, "answer": ColumnRole.LABEL}, Shape.TEXT_LABEL)
    assert form.contents.advice.isVisible()
    assert "“Assistant”" in form.contents.advice.text.text()
    offer, other_task = form.contents.advice.offers
    assert offer.accessibleDescription()
    assert other_task.text() == "Change the product: Sorts texts"
    qtbot.mouseClick(offer, LEFT)
    qtbot.waitUntil(lambda: form.table.shape() is Shape.PROMPT_RESPONSE)
    assert workspace.data_job.previews[-1].shape is Shape.PROMPT_RESPONSE
    assert not form.contents.advice.isVisible()


def test_a_header_alone_is_no_matter_for_advice(qtbot: QtBot, page: DataPage, tmp_path: Path) -> None:
    bare = tmp_path / "bare.csv"
    bare.write_text("author,date\n", encoding="utf-8")
    open_form(qtbot, page, bare)
    form = page.form
    form.set_product("Assistant", Task.CHAT)
    form.table.set_roles({"author": ColumnRole.TEXT}, Shape.TEXT)
    assert not form.contents.advice.isVisible()
    assert form.missing.text() == "There are no rows in what is shown."


def test_a_problem_is_shown_with_all_its_lines(
    qtbot: QtBot, page: DataPage, workspace: DataWorkspace, csv_file: Path
) -> None:
    """The card is narrower than the page; its height was that of a card as wide as the page."""
    path = "/tmp/" + "a long folder/" * 8 + "video.mp4"
    workspace.data_job.preview_problem = StudioError("import.binary", f"No table: {path}.", "Save it. " * 20)
    page.resize(1600, 660)
    page.open_paths([csv_file])
    qtbot.waitUntil(page.problem.isVisible)
    QApplication.processEvents()  # what is shown is laid out
    for label in (page.problem.line.text, page.problem.line.hint):
        assert label.height() >= label.heightForWidth(label.width())


def test_the_product_is_made_to_suit_the_data(
    qtbot: QtBot, page: DataPage, workspace: DataWorkspace, csv_file: Path
) -> None:
    matrix = workspace.matrices.create("Shop", "Assistant")
    product = matrix.products[0]
    notices: list[Notice] = []
    page.ctx.notices.posted.connect(notices.append)
    page.ctx.navigator.set_product(product.id)
    qtbot.waitUntil(lambda: page._product is not None)
    open_form(qtbot, page, csv_file)
    form = page.form
    form.table.set_roles({"question": ColumnRole.USER, "answer": ColumnRole.ITEM}, Shape.RATINGS)
    assert "there is no text to answer" in form.contents.advice.text.text()
    (offer,) = form.contents.advice.offers
    qtbot.mouseClick(offer, LEFT)
    assert workspace.matrices.get(matrix.id).products[0].task is Task.RECOMMEND
    assert not form.contents.advice.isVisible()
    undo = notices[-1].action
    assert undo is not None
    undo()
    assert workspace.matrices.get(matrix.id).products[0].task is Task.CHAT
    assert form.contents.advice.isVisible()


def test_advice_is_given_once_for_a_choice_that_stands(qtbot: QtBot, page: DataPage, csv_file: Path) -> None:
    open_form(qtbot, page, csv_file)
    form = page.form
    form.set_product("Assistant", Task.CHAT)
    form.contents._format = "pdf"
    form.table.set_roles({"question": ColumnRole.TEXT}, Shape.TEXT)
    stay = next(offer for offer in form.contents.advice.offers if "language modelling" in offer.text())
    qtbot.mouseClick(stay, LEFT)
    assert not form.contents.advice.isVisible()
    assert form.table.shape() is Shape.TEXT


def test_another_source_is_shown_from_its_beginning(qtbot: QtBot, page: DataPage, csv_file: Path) -> None:
    page.resize(1050, 360)
    open_form(qtbot, page, csv_file)
    form = page.intake.form
    bar = form._page.verticalScrollBar()
    qtbot.waitUntil(lambda: bar.maximum() > 0)
    bar.setValue(bar.maximum())
    form.abandoned.emit()
    open_form(qtbot, page, csv_file)
    assert bar.value() == 0


def test_reading_again_is_cancelled_with_the_form(
    qtbot: QtBot, page: DataPage, workspace: DataWorkspace, csv_file: Path
) -> None:
    open_form(qtbot, page, csv_file)
    page.form.contents.choose_shape(Shape.TEXT)
    page.abandon()
    qtbot.waitUntil(page.start.isVisible)
    qtbot.waitUntil(lambda: len(workspace.data_job.previews) == 2)
    qtbot.wait(50)
    assert page.start.isVisible()  # the late answer is dropped


def test_cancel_during_an_import_leads_back_to_the_form(
    qtbot: QtBot, page: DataPage, workspace: DataWorkspace, csv_file: Path, notices: list[Notice]
) -> None:
    workspace.data_job.gate = threading.Event()
    open_form(qtbot, page, csv_file)
    qtbot.mouseClick(page.form.start, LEFT)
    qtbot.waitUntil(lambda: "1 / 4" in page.working.panel._figures.text())
    page.open_paths([csv_file])
    assert "One import at a time" in notices[-1].text
    qtbot.mouseClick(page.working.panel.cancel, LEFT)
    qtbot.waitUntil(page.form.isVisible)
    assert "Nothing of it was kept" in notices[-1].text
    assert workspace.dataset_store.stored == {}


# The table of the preview


def preview(columns: list[str], rows: list[list[str]], shape: Shape, **roles: ColumnRole) -> PreviewTable:
    table = PreviewTable()
    source = SourcePreview(
        format="csv", encoding="utf-8", delimiter=",", columns=columns, rows=rows, shape=shape, roles=roles, reason="",
    )  # fmt: skip
    table.show_preview(source)
    return table


def test_a_conversation_is_shown_as_it_is_told() -> None:
    told = '[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]'
    strange = '[{"from": "human", "value": "Hi"}]'
    table = preview(["chat"], [[told], [strange]], Shape.MESSAGES, chat=ColumnRole.MESSAGES)
    assert [table.index(row, 0).data() for row in range(2)] == ["User: Hi  →  Model: Hello", strange]


def test_values_that_come_again_are_offered_as_a_label_first() -> None:
    rows = [[f"a sentence {n}", ("good", "bad")[n % 2]] for n in range(8)]
    table = preview(["review", "mood"], rows, Shape.TEXT, review=ColumnRole.TEXT)
    assert table.other_roles(1)[0] is ColumnRole.LABEL
    assert table.other_roles(0)[0] is not ColumnRole.LABEL


def test_turns_may_repeat_and_others_may_not() -> None:
    table = preview(["a", "b", "c"], [["x", "y", "z"]], Shape.MESSAGES, a=ColumnRole.USER_TURN)
    table.set_role(1, ColumnRole.ASSISTANT_TURN)
    table.set_role(2, ColumnRole.USER_TURN)
    assert [table.role(place) for place in range(3)] == [
        ColumnRole.USER_TURN, ColumnRole.ASSISTANT_TURN, ColumnRole.USER_TURN,
    ]  # fmt: skip
    assert table.missing() == []
    table.set_role(2, ColumnRole.MESSAGES)  # a whole conversation in one column: turns do not go with it
    assert [table.role(place) for place in range(3)] == [
        ColumnRole.IGNORE, ColumnRole.IGNORE, ColumnRole.MESSAGES,
    ]  # fmt: skip
    table.set_role(1, ColumnRole.MESSAGES)
    assert table.role(2) is ColumnRole.IGNORE


@pytest.mark.parametrize("shape", list(Shape))
def test_each_shape_can_be_completed_by_its_own_roles(shape: Shape) -> None:
    needed = sorted(SHAPES[shape].needed[0])
    names = [f"c{place}" for place in range(len(needed))]
    table = preview(names, [["x"] * len(needed)], shape)
    assert table.missing()
    for section, role in enumerate(needed):
        assert role in table.own_roles()
        table.set_role(section, role)
    assert table.missing() == []
    assert table.shape() is shape


def test_roles_are_offered_as_the_cells_look() -> None:
    rows = [["cat.png", "4.5", "[]"], ["dog.JPG", "3,0", "[1]"]]
    table = preview(["a", "b", "c"], rows, Shape.TEXT)
    assert ColumnRole.IMAGE in table.other_roles(0)
    assert ColumnRole.NUMBER not in table.other_roles(0)
    assert ColumnRole.NUMBER in table.other_roles(1)
    assert ColumnRole.IMAGE not in table.other_roles(1)
    assert ColumnRole.MESSAGES in table.other_roles(2)
    assert ColumnRole.MESSAGES not in table.other_roles(0)
    empty = preview(["a"], [], Shape.TEXT)
    assert ColumnRole.IMAGE in empty.other_roles(0)


# Pictures


def picture(path: Path) -> Path:
    image = QImage(300, 120, QImage.Format.Format_RGB32)
    image.fill(QColor("teal"))
    path.parent.mkdir(parents=True, exist_ok=True)
    assert image.save(str(path))
    return path


def test_pictures_are_read_small_from_folders_and_archives(
    qtbot: QtBot, context: GuiContext, tmp_path: Path
) -> None:
    folder = tmp_path / "animals"
    first = picture(folder / "cat" / "1.png")
    (folder / "broken.png").write_bytes(b"\x89PNG no picture")
    outside = picture(tmp_path / "outside.png")
    packed = tmp_path / "animals.zip"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.write(first, "dog/2.png")
    names = ["cat/1.png", "broken.png", "../outside.png", "missing.png", "dog/2.png"]
    found: list[tuple[str, QImage]] = []
    load_thumbnails(context.tasks, [str(folder), str(packed)], names, 1.0, found.extend)
    qtbot.waitUntil(lambda: bool(found))
    assert [name for name, _image in found] == ["cat/1.png", "dog/2.png"]
    assert all(max(image.width(), image.height()) <= 56 for _name, image in found)
    assert outside.exists()


def test_an_image_column_shows_its_pictures(
    qtbot: QtBot, page: DataPage, workspace: DataWorkspace, tmp_path: Path
) -> None:
    picture(tmp_path / "cat.png")
    path = tmp_path / "labels.csv"
    path.write_text("question,answer\ncat.png,cat\n", encoding="utf-8")
    open_form(qtbot, page, path)
    page.form.table.set_roles({"question": ColumnRole.IMAGE, "answer": ColumnRole.LABEL})
    assert page.form.table.shape() is Shape.IMAGE_LABEL
    table = page.form.table
    qtbot.waitUntil(lambda: table.index(0, 0).data(Qt.ItemDataRole.DecorationRole) is not None)
    rows = page.form.view.verticalHeader()
    assert rows.defaultSectionSize() > 56
    page.form.table.set_role(0, ColumnRole.TEXT)
    assert rows.defaultSectionSize() < 56
    page.form.table.set_role(0, ColumnRole.IMAGE)
    other = tmp_path / "shop.csv"
    other.write_text(CSV, encoding="utf-8")
    open_form(qtbot, page, other)
    qtbot.waitUntil(lambda: page.form.table.columnCount() == 3)
    assert rows.defaultSectionSize() < 56


def test_a_second_source_with_fewer_columns_takes_the_place_of_the_first(
    qtbot: QtBot, page: DataPage, csv_file: Path, tmp_path: Path
) -> None:
    open_form(qtbot, page, csv_file)
    narrow = tmp_path / "narrow.csv"
    narrow.write_text("question\na\n", encoding="utf-8")
    page.open_paths([narrow])
    qtbot.waitUntil(lambda: page.form.isVisible() and page.form.table.columnCount() == 1)
    assert list(page.form.header._combos) == [0]
    assert page.form.name.text() == "narrow"


def test_tab_goes_through_the_form_as_it_is_read(qtbot: QtBot, page: DataPage, csv_file: Path) -> None:
    open_form(qtbot, page, csv_file)
    page.activateWindow()
    page.form.contents.other.setFocus()
    names = [page.form.contents.other.accessibleName()]
    for _step in range(13):
        qtbot.keyClick(page.focusWidget(), Qt.Key.Key_Tab)
        names.append(page.focusWidget().accessibleName())
    assert names == [
        "Choose another file…", "What a row is", "Text encoding", "Columns are separated by",
        "Use of column “question”", "Use of column “answer”", "Use of column “comment”", "First rows of the file",
        "Name", "Licence", "Validation", "Test", "Cancel", "Import",
    ]  # fmt: skip


def test_tab_goes_through_the_ways_in(qtbot: QtBot, page: DataPage) -> None:
    page.activateWindow()
    page.start.choose.setFocus()
    names = [page.start.choose.accessibleName()]
    for _step in range(4):
        qtbot.keyClick(page.focusWidget(), Qt.Key.Key_Tab)
        names.append(page.focusWidget().accessibleName())
    assert names == ["Choose files…", "Folder…", "Paste", "From a hub…", "Try an example…"]
