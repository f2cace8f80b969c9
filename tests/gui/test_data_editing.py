"""Rows of a dataset edited by mouse and keyboard: cells, new rows, removed rows, find, jump, find and replace."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

import pytest
from PySide6.QtCore import QEvent, QObject, QPoint, QRect, Qt, QUrl
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QComboBox, QDialog, QLineEdit, QMenu, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from studio.domain.recipes import FindingKind, FixAction, FixStep, ReplaceStep, SplitStep, TextOperator
from studio.domain.shapes import Shape
from studio.errors import StudioError
from studio.gui import playing
from studio.gui.context import GuiContext
from studio.gui.dialogs.ask import AskDialog
from studio.gui.models.cell_rules import check_cell
from studio.gui.models.cells import CellKind, shown_text
from studio.gui.models.row_places import place_of
from studio.gui.pages.data.dataset_view import TABS
from studio.gui.pages.data.editing import step_dialog
from studio.gui.pages.data.editing.add_row import AddRowDialog
from studio.gui.pages.data.editing.augment_dialog import AugmentDialog
from studio.gui.pages.data.editing.cell_editors import QuestionEditor
from studio.gui.pages.data.editing.conversation_dialog import ConversationDialog
from studio.gui.pages.data.editing.draft_bar import SaveDialog
from studio.gui.pages.data.editing.finder import JumpDialog
from studio.gui.pages.data.editing.replace_dialog import ReplaceDialog
from studio.gui.pages.data.editing.split_dialog import SplitDialog
from studio.gui.widgets import BodyText
from studio.services.draft_journal import Journal
from studio.services.drafts import Draft
from tests.gui.dataset_shown import LEFT, Shown
from tests.helpers.shown_data import ShownWorkspace

CTRL, SHIFT = Qt.KeyboardModifier.ControlModifier, Qt.KeyboardModifier.ShiftModifier
CHAT = [{"prompt": f"Where is order {n}?", "response": f"It comes on day {n}."} for n in range(1, 41)]


@pytest.fixture
def workspace(tmp_path: Path) -> ShownWorkspace:
    return ShownWorkspace(tmp_path)


@pytest.fixture
def shown(qtbot: QtBot, make_context: Callable[..., GuiContext], workspace: ShownWorkspace) -> Shown:
    return Shown(qtbot, make_context(**workspace.services()), workspace)


@pytest.fixture
def chat(shown: Shown, workspace: ShownWorkspace) -> Shown:
    shown.open(workspace.add_rows(Shape.PROMPT_RESPONSE, CHAT))
    return shown


def edit(shown: Shown, row: int, column: str) -> QPlainTextEdit:
    """Double click a text cell; its editor."""
    table, index = shown.view.rows_view, shown.cell(row, column)
    place = table.visualRect(index).center()
    shown.qtbot.mouseClick(table.viewport(), LEFT, pos=place)
    shown.qtbot.mouseDClick(table.viewport(), LEFT, pos=place)
    shown.qtbot.waitUntil(lambda: bool(table.viewport().findChildren(QPlainTextEdit)))
    return table.viewport().findChildren(QPlainTextEdit)[-1]


def test_a_cell_is_typed_kept_marked_and_undone(chat: Shown, qtbot: QtBot) -> None:
    editor = edit(chat, 0, "response")
    assert editor.accessibleName() == "Answer"
    editor.selectAll()
    qtbot.keyClicks(editor, "Tomorrow.")
    qtbot.keyClick(editor, Qt.Key.Key_Return, SHIFT)
    qtbot.keyClicks(editor, "Promised.")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    panel = chat.view.rows_panel
    assert chat.cell(0, "response").data() == "Tomorrow. Promised."
    assert chat.view.rows.draft() is not None
    assert panel.pending() == 1
    assert panel.bar.isVisible()
    assert panel.bar.accessibleName() == "1 unsaved change"
    assert not chat.view.doctor.findings.isEnabled()  # it works on saved rows
    chat.view.rows_view.setFocus()
    chat.press(Qt.Key.Key_Z, CTRL)
    assert chat.cell(0, "response").data() == "It comes on day 1."
    assert not panel.bar.isVisible()
    assert chat.view.doctor.findings.isEnabled()
    chat.press(Qt.Key.Key_Z, CTRL, SHIFT)
    assert chat.cell(0, "response").data() == "Tomorrow. Promised."


def test_what_is_read_stands_before_what_is_often_empty(shown: Shown, workspace: ShownWorkspace) -> None:
    rows = [{"origin": "", "system": "", "prompt": "Hi", "context": "", "response": "Hello"}]
    shown.open(workspace.add_rows(Shape.PROMPT_RESPONSE, rows))
    names = [name for name in shown.view.rows.names() if name not in ("row", "split")]
    assert names == ["prompt", "response", "origin", "system", "context"]


def test_keys_work_wherever_the_focus_is(chat: Shown, qtbot: QtBot) -> None:
    chat.view.header.more.setFocus()
    qtbot.keyClick(chat.view.header.more, Qt.Key.Key_H, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: bool(chat.view.findChildren(ReplaceDialog)))


def test_the_answer_is_read_while_its_question_is_written(
    shown: Shown, workspace: ShownWorkspace, qtbot: QtBot
) -> None:
    passage = "Returns are free within thirty days. " * 20
    shown.open(workspace.add_rows(Shape.PROMPT_RESPONSE, [{"prompt": "", "response": passage}]))
    editor = edit(shown, 0, "prompt")
    assert isinstance(editor, QuestionEditor)
    assert editor.answer.toPlainText() == passage
    assert editor.answer.isVisible()
    assert not editor.viewport().geometry().intersects(editor.answer.geometry())
    qtbot.keyClicks(editor, "May I send it back?")
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert shown.cell(0, "prompt").data() == "May I send it back?"
    assert not isinstance(edit(shown, 0, "response"), QuestionEditor)


def test_f2_edits_and_escape_leaves_the_cell_as_it_was(chat: Shown, qtbot: QtBot) -> None:
    table = chat.view.rows_view
    table.setCurrentIndex(chat.cell(1, "prompt"))
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_F2)
    qtbot.waitUntil(lambda: bool(table.viewport().findChildren(QPlainTextEdit)))
    editor = table.viewport().findChildren(QPlainTextEdit)[-1]
    qtbot.keyClicks(editor, " more")
    qtbot.waitUntil(lambda: chat.view.rows_panel.pending() == 1)  # what is typed is kept while it is typed
    qtbot.keyClick(editor, Qt.Key.Key_Escape)
    assert chat.view.rows_panel.pending() == 0
    assert chat.cell(1, "prompt").data() == "Where is order 2?"


def test_half_typed_text_is_on_the_disk_within_two_seconds(
    chat: Shown, qtbot: QtBot, workspace: ShownWorkspace
) -> None:
    editor = edit(chat, 2, "prompt")
    began = time.monotonic()
    qtbot.keyClicks(editor, " It is late")
    assert chat.view.dataset is not None
    path = workspace.paths.drafts / f"{chat.view.dataset.id}.jsonl"

    def kept() -> bool:
        return path.is_file() and "It is late" in path.read_text(encoding="utf-8")

    qtbot.waitUntil(kept, timeout=2_000)
    assert time.monotonic() - began < 2
    left = Draft(Journal(path))  # what the next start finds when this one is killed now
    assert left.cells == {3: {"prompt": "Where is order 3? It is late"}}
    qtbot.keyClick(editor, Qt.Key.Key_Escape)


def test_a_needed_cell_cannot_be_emptied(chat: Shown, qtbot: QtBot) -> None:
    editor = edit(chat, 0, "prompt")
    editor.selectAll()
    qtbot.keyClick(editor, Qt.Key.Key_Delete)
    qtbot.keyClick(editor, Qt.Key.Key_Return)
    assert chat.cell(0, "prompt").data() == "Where is order 1?"
    assert chat.view.problem.isVisible()
    assert "cannot be empty" in chat.view.problem.text.text()
    assert chat.view.problem.hint.text()


def test_rows_are_added_removed_and_saved_as_a_version(
    chat: Shown, qtbot: QtBot, workspace: ShownWorkspace
) -> None:
    panel, table = chat.view.rows_panel, chat.view.rows_view
    qtbot.mouseClick(panel.add, LEFT)
    form = chat.dialog(AddRowDialog)
    qtbot.mouseClick(form.confirm, LEFT)
    assert form.message.text() == "“Question” must be filled in."
    assert form.focusWidget() is form.fields["prompt"]
    for name, text in (("prompt", "Do you ship abroad?"), ("response", "Yes.")):
        field = form.fields[name]
        assert isinstance(field, QPlainTextEdit)
        qtbot.keyClicks(field, text)
    qtbot.mouseClick(form.confirm, LEFT)
    assert chat.view.rows.rowCount() == 41
    assert chat.cell(40, "prompt").data() == "Do you ship abroad?"
    assert chat.cell(40, "row").data() == "new"
    table.selectRow(4)
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_Delete)
    assert "will be removed" in chat.cell(4, "prompt").data(Qt.ItemDataRole.AccessibleTextRole)
    assert panel.bar.accessibleName() == "2 unsaved changes"
    qtbot.mouseClick(panel.bar.save, LEFT)
    save = chat.dialog(SaveDialog)
    qtbot.keyClicks(save.field, "More countries")
    qtbot.mouseClick(save.confirm, LEFT)
    qtbot.waitUntil(lambda: chat.view.dataset is not None and chat.view.dataset.number == 2)
    assert chat.view.dataset is not None
    assert chat.view.dataset.note == "More countries"
    rows = workspace.memory.rows_of[chat.view.dataset.id]
    assert [row["row"] for row in rows] == [str(n) for n in range(1, 42) if n != 5]
    assert panel.pending() == 0


def test_a_new_row_begins_with_what_is_needed(chat: Shown, qtbot: QtBot) -> None:
    qtbot.mouseClick(chat.view.rows_panel.add, LEFT)
    form = chat.dialog(AddRowDialog)
    qtbot.waitUntil(form.fields["prompt"].hasFocus)  # not the instruction above it, which is optional
    assert form.fields["system"].accessibleName().endswith("(optional)")
    assert form.fields["prompt"].accessibleName() == "Question"
    form.reject()


def test_other_data_is_shown_from_its_first_row(chat: Shown, qtbot: QtBot, workspace: ShownWorkspace) -> None:
    bar = chat.view.rows_view.verticalScrollBar()
    first = chat.view.dataset
    assert first is not None
    bar.setValue(bar.maximum())
    place = bar.value()
    assert place > 0
    chat.open(workspace.versions.derive(first.id, [ReplaceStep(find="order", replacement="parcel")], ""))
    assert bar.value() == place  # the same rows in another version
    chat.view.show_dataset(workspace.add_rows(Shape.PROMPT_RESPONSE, CHAT), ["row", "prompt", "response"])
    assert bar.value() == 0


def test_a_removed_row_can_stay_after_all(chat: Shown, qtbot: QtBot) -> None:
    panel, table = chat.view.rows_panel, chat.view.rows_view
    table.selectRow(3)
    qtbot.mouseClick(panel.remove, LEFT)
    assert panel.pending() == 1
    qtbot.mouseClick(panel.remove, LEFT)
    assert panel.pending() == 0


def test_discard_asks_first(chat: Shown, qtbot: QtBot) -> None:
    chat.view.rows.put(chat.cell(0, "prompt"), "Other")
    panel = chat.view.rows_panel
    qtbot.mouseClick(panel.bar.discard, LEFT)
    question = chat.dialog(AskDialog)
    qtbot.waitUntil(question.buttons["keep"].hasFocus)
    qtbot.mouseClick(question.buttons["keep"], LEFT)
    assert panel.pending() == 1
    qtbot.mouseClick(panel.bar.discard, LEFT)
    qtbot.mouseClick(chat.dialog(AskDialog).buttons["discard"], LEFT)
    qtbot.waitUntil(lambda: chat.view.rows.draft() is not None)
    assert panel.pending() == 0
    assert chat.cell(0, "prompt").data() == "Where is order 1?"


def test_find_steps_from_hit_to_hit(chat: Shown, qtbot: QtBot) -> None:
    chat.view.rows_view.setFocus()
    chat.press(Qt.Key.Key_F, CTRL)
    finder = chat.view.rows_panel.finder
    assert finder.field.hasFocus()
    qtbot.keyClicks(finder.field, "order 3")
    qtbot.waitUntil(lambda: finder.count.text() == "1 of 11")  # 3, 30–39
    table = chat.view.rows_view
    qtbot.waitUntil(lambda: table.currentIndex().row() == 2)
    qtbot.keyClick(finder.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: table.currentIndex().row() == 29)
    qtbot.keyClick(finder.field, Qt.Key.Key_Return, SHIFT)
    qtbot.waitUntil(lambda: table.currentIndex().row() == 2)
    finder.field.clear()
    qtbot.keyClicks(finder.field, "zebra")
    qtbot.waitUntil(lambda: finder.count.text() == "Not found")


def test_jump_to_a_row_also_from_another_part(shown: Shown, qtbot: QtBot, workspace: ShownWorkspace) -> None:
    rows = [{**row, "split": "test" if n % 4 == 0 else "train"} for n, row in enumerate(CHAT, 1)]
    shown.open(workspace.add_rows(Shape.PROMPT_RESPONSE, rows))
    part = shown.view.rows_panel.part
    part.setCurrentIndex(part.findData("test"))
    assert shown.view.rows.rowCount() == 10
    qtbot.waitUntil(lambda: shown.cell(0, "row").data() == "4")
    shown.view.rows_view.setFocus()
    shown.press(Qt.Key.Key_G, CTRL)
    jump = shown.dialog(JumpDialog)
    qtbot.keyClicks(jump.field, "8")
    qtbot.keyClick(jump.field, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shown.view.rows_view.currentIndex().row() == 1)
    shown.view.rows_panel.go_to(39)  # a training row: the filter gives way
    qtbot.waitUntil(lambda: part.currentIndex() == 0 and shown.view.rows_view.currentIndex().row() == 38)
    shown.view.rows_panel.go_to(999)
    qtbot.waitUntil(shown.view.problem.isVisible)
    assert "no row 999" in shown.view.problem.text.text()


def test_an_example_of_the_doctor_leads_to_its_row(chat: Shown, qtbot: QtBot) -> None:
    chat.tab("versions")
    chat.view.doctor.example_chosen.emit(17)
    assert chat.view.beside.isVisible()
    qtbot.waitUntil(lambda: chat.view.rows_view.currentIndex().row() == 16)


def test_find_and_replace_shows_what_would_change_first(
    chat: Shown, qtbot: QtBot, workspace: ShownWorkspace
) -> None:
    chat.view.rows_view.setFocus()
    chat.press(Qt.Key.Key_H, CTRL)
    form = chat.dialog(ReplaceDialog)
    qtbot.waitUntil(form.wanted.hasFocus)
    assert not form.confirm.isEnabled()
    qtbot.keyClicks(form.wanted, "order")
    qtbot.keyClicks(form.replacement, "parcel")
    qtbot.mouseClick(form.columns["response"], LEFT, pos=form.columns["response"].rect().center() * 0.2)
    qtbot.waitUntil(form.confirm.isEnabled)
    assert form.preview.summary.text() == "40 rows change."
    assert workspace.shown_job.tried[-1] == ReplaceStep(
        find="order", replacement="parcel", columns=("prompt",)
    )
    qtbot.mouseClick(form.confirm, LEFT)
    qtbot.waitUntil(lambda: chat.view.dataset is not None and chat.view.dataset.number == 2)
    qtbot.waitUntil(lambda: chat.cell(0, "prompt").data() == "Where is parcel 1?")


def test_a_step_with_unsaved_changes_asks_to_save_them(chat: Shown, qtbot: QtBot) -> None:
    chat.view.rows.put(chat.cell(0, "prompt"), "Other")
    chat.view.header.actions_by_name["replace"].trigger()
    question = chat.dialog(AskDialog)
    qtbot.mouseClick(question.buttons["save"], LEFT)
    qtbot.mouseClick(chat.dialog(SaveDialog).confirm, LEFT)
    qtbot.waitUntil(lambda: chat.view.dataset is not None and chat.view.dataset.number == 2)


def test_split_and_balance(shown: Shown, qtbot: QtBot, workspace: ShownWorkspace) -> None:
    rows = [{"text": f"t{n}", "label": "Refund" if n % 5 else "Other"} for n in range(20)]
    shown.open(workspace.add_rows(Shape.TEXT_LABEL, rows))
    qtbot.mouseClick(shown.view.header.resplit, LEFT)
    form = shown.dialog(SplitDialog)
    form.editor.validation.setFocus()
    qtbot.keyClick(form.editor.validation, Qt.Key.Key_Right)
    form.together.setCurrentIndex(form.together.findData("near-duplicates"))
    form.stratify.click()
    qtbot.waitUntil(form.confirm.isEnabled)
    assert workspace.shown_job.tried[-1] == SplitStep(
        validation=0.11, test=0.1, group_by="near-duplicates", stratify=True
    )
    form.editor.validation.setValue(50)
    form.editor.test.setValue(50)
    assert "No row is left" in form.preview.problem.text.text()
    assert not form.confirm.isEnabled()
    form.part.choose("balance")
    form.remedies[FixAction.WEIGHTS].click()
    qtbot.waitUntil(form.confirm.isEnabled)
    step = FixStep(finding=FindingKind.CLASS_IMBALANCE, action=FixAction.WEIGHTS)
    assert workspace.shown_job.tried[-1] == step
    qtbot.mouseClick(form.confirm, LEFT)
    qtbot.waitUntil(lambda: workspace.shown_job.steps == [step])


@pytest.mark.parametrize(
    ("others", "words"),
    [(4, "“Refund” has 4.0 times as many rows as “Other”."), (1, "The labels are spread evenly")],
)
def test_the_balance_is_told(
    shown: Shown, qtbot: QtBot, workspace: ShownWorkspace, others: int, words: str
) -> None:
    rows = [{"text": f"t{n}", "label": "Other" if n < 5 else "Refund"} for n in range(5 + 5 * others)]
    shown.open(workspace.add_rows(Shape.TEXT_LABEL, rows))
    qtbot.mouseClick(shown.view.header.resplit, LEFT)
    form = shown.dialog(SplitDialog)
    assert any(words in label.text() for label in form.findChildren(BodyText))
    form.reject()


def test_changed_copies_are_tried_first(chat: Shown, qtbot: QtBot, workspace: ShownWorkspace) -> None:
    chat.view.header.actions_by_name["augment"].trigger()
    form = chat.dialog(AugmentDialog)
    assert not form.confirm.isEnabled()
    boxes = list(form.operators.values())
    assert all(box.accessibleDescription() for box in boxes)
    assert "Chinese characters" in form.operators[TextOperator.TYPOS].accessibleDescription()
    boxes[0].click()
    form.copies.setValue(3)
    qtbot.waitUntil(form.confirm.isEnabled)
    assert workspace.shown_job.tried[-1].copies == 3
    form.reject()


def test_dialogs_of_steps_fit_the_screen_and_keep_their_height(
    shown: Shown, qtbot: QtBot, workspace: ShownWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [{"text": f"t{n}", "label": f"Label {n % 9}"} for n in range(20)]
    shown.open(workspace.add_rows(Shape.TEXT_LABEL, rows))
    shown.view.augment()
    copies = shown.dialog(AugmentDialog)
    height = copies.height()
    next(iter(copies.operators.values())).click()
    qtbot.waitUntil(copies.confirm.isEnabled)
    assert copies.height() == height
    assert in_sight(copies, copies.confirm)
    low = copies.screen().availableGeometry().height() - 600
    copies.reject()
    monkeypatch.setattr(step_dialog, "_FRAME", low)  # as on a screen of 600 px
    shown.view.split()
    parts = shown.dialog(SplitDialog)
    assert in_sight(parts, parts.confirm)
    parts.part.choose("balance")
    qtbot.waitUntil(lambda: parts.choices.verticalScrollBar().maximum() > 0)
    assert parts.height() <= 600
    assert in_sight(parts, parts.confirm)
    parts.reject()


def in_sight(dialog: QDialog, button: QWidget) -> bool:
    """Whether the button is on the dialog, and all of the dialog on the screen."""
    inside = QRect(button.mapTo(dialog, QPoint(0, 0)), button.size())
    screen = dialog.screen().availableGeometry()
    return dialog.rect().contains(inside) and screen.contains(dialog.frameGeometry())


def test_a_choice_is_as_wide_as_what_can_be_clicked(chat: Shown, qtbot: QtBot) -> None:
    chat.view.augment()
    form = chat.dialog(AugmentDialog)
    for box in form.operators.values():
        qtbot.mouseClick(box, LEFT, pos=QPoint(box.width() - 4, box.height() // 2))
    assert all(box.isChecked() for box in form.operators.values())
    form.reject()


def test_labels_and_thumbs_are_chosen(shown: Shown, qtbot: QtBot, workspace: ShownWorkspace) -> None:
    shown.open(
        workspace.add_rows(Shape.TEXT_LABEL, [{"text": "a", "label": "Refund"}, {"text": "b", "label": ""}])
    )
    table = shown.view.rows_view
    table.setCurrentIndex(shown.cell(1, "label"))
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_F2)
    qtbot.waitUntil(lambda: bool(table.viewport().findChildren(QComboBox)))
    choice = table.viewport().findChildren(QComboBox)[-1]
    line = choice.lineEdit()
    assert line is not None
    qtbot.keyClicks(line, "Delivery")
    qtbot.keyClick(line, Qt.Key.Key_Return)
    qtbot.waitUntil(lambda: shown.cell(1, "label").data() == "Delivery")


def test_a_conversation_is_edited_message_by_message(
    shown: Shown, qtbot: QtBot, workspace: ShownWorkspace
) -> None:
    talk = [{"role": "user", "content": "Hello"}, {"role": "assistant", "content": "Hi"}]
    shown.open(workspace.add_rows(Shape.MESSAGES, [{"messages": json.dumps(talk)}]))
    index = shown.cell(0, "messages")
    assert index.data() == "User: Hello  →  Model: Hi"
    table = shown.view.rows_view
    table.setCurrentIndex(index)
    table.setFocus()
    qtbot.keyClick(table, Qt.Key.Key_F2)
    form = shown.dialog(ConversationDialog)
    form.turns[1].words.selectAll()
    qtbot.keyClicks(form.turns[1].words, "Good day")
    qtbot.mouseClick(form.add, LEFT)
    qtbot.keyClicks(form.turns[2].words, "Thanks")
    qtbot.mouseClick(form.confirm, LEFT)
    assert shown.cell(0, "messages").data() == "User: Hello  →  Model: Good day  …  1 more message"


def test_thumbnails_come_when_they_are_in_sight(
    shown: Shown, qtbot: QtBot, workspace: ShownWorkspace
) -> None:
    name = "ab" * 32 + ".png"
    path = workspace.datasets.image_path(name)
    path.parent.mkdir(parents=True)
    image = QImage(300, 200, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.red)
    assert image.save(str(path))
    shown.open(workspace.add_rows(Shape.IMAGE_LABEL, [{"image": name, "label": "Red"}]))
    thumbnails = shown.view.rows_panel.thumbnails

    def there() -> bool:
        picture = thumbnails.get(name)
        return picture is not None and picture.width() == 128

    qtbot.waitUntil(there)
    assert not shown.view.rows_panel.add.isVisible()  # pictures come by import


def test_a_recording_is_played_and_never_typed(
    shown: Shown, qtbot: QtBot, workspace: ShownWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [f"{n:064x}.wav" for n in (1, 2)]
    path = workspace.datasets.recording_path(names[0])
    path.parent.mkdir(parents=True)
    path.write_bytes(b"RIFF")
    opened: list[str] = []

    def player(url: QUrl) -> bool:
        opened.append(url.toLocalFile())
        return True

    monkeypatch.setattr(playing.QDesktopServices, "openUrl", player)
    shown.open(workspace.add_rows(Shape.AUDIO_LABEL, [{"audio": name, "label": "stop"} for name in names]))
    table, first, second = shown.view.rows_view, shown.cell(0, "audio"), shown.cell(1, "audio")
    assert (first.data(), first.data(Qt.ItemDataRole.ToolTipRole)) == (
        "Listen", "Opens the recording in the player of your computer"
    )  # fmt: skip
    assert not first.flags() & Qt.ItemFlag.ItemIsEditable
    assert not shown.view.rows_panel.add.isVisible()
    place = table.visualRect(first).center()
    qtbot.mouseClick(table.viewport(), LEFT, pos=place)
    qtbot.mouseDClick(table.viewport(), LEFT, pos=place)  # the second half of a double click
    qtbot.mouseRelease(table.viewport(), LEFT, pos=place)
    qtbot.mouseClick(table.viewport(), LEFT, CTRL, pos=place)
    assert opened == [str(path)]
    problems: list[StudioError | None] = []
    shown.view.rows_panel.problem.connect(problems.append)
    table.setCurrentIndex(second)
    qtbot.keyClick(table, Qt.Key.Key_F2)  # its file is gone
    assert opened == [str(path)]
    assert problems[0] is not None
    assert problems[0].message == "The recording is no longer there"


@pytest.mark.parametrize(
    ("column", "good", "bad"),
    [("number", "3.5", "3,5"), ("thumb", "up", "maybe"), ("messages", "[]", "no"), ("prompt", "x", " ")],
)
def test_what_may_stand_in_a_cell(column: str, good: str, bad: str) -> None:
    from studio.errors import StudioError

    if good != "[]":
        check_cell(column, good)
    with pytest.raises(StudioError) as refused:
        check_cell(column, bad)
    assert refused.value.hint


def test_rows_out_of_order_are_found_too() -> None:
    numbers = [1, 900, 2, 901, 3, 902]

    def page(offset: int, limit: int) -> list[dict[str, str]]:
        return [{"row": str(number)} for number in numbers[offset : offset + limit]]

    assert [place_of(page, len(numbers), number) for number in (1, 2, 3, 901, 7)] == [0, 2, 4, 3, None]


def test_ten_million_rows_are_searched_by_a_few_looks() -> None:
    asked = []

    def page(offset: int, limit: int) -> list[dict[str, str]]:
        asked.append(limit)
        return [{"row": str(n * 2)} for n in range(offset, offset + limit)]

    assert place_of(page, 10_000_000, 8_765_432) == 4_382_716
    assert sum(asked) < 30


def test_folded_conversations_and_damaged_cells_are_shown() -> None:
    assert shown_text(CellKind.TURNS, "not json") == "not json"
    assert shown_text(CellKind.LABELS, '["b", "a"]') == "b, a"
    assert shown_text(CellKind.THUMB, "up") == "Good"


def test_no_part_is_a_window_of_its_own_for_a_moment(
    qapp: QApplication, qtbot: QtBot, chat: Shown, workspace: ShownWorkspace
) -> None:
    class Watch(QObject):
        strays: ClassVar[list[str]] = []

        def eventFilter(self, seen: QObject, event: QEvent) -> bool:
            if event.type() == QEvent.Type.Show and isinstance(seen, QWidget) and seen.isWindow():
                kind = type(seen).__name__
                if not isinstance(seen, QDialog | QMenu):
                    self.strays.append(kind)
            return False

    watch = Watch()
    qapp.installEventFilter(watch)
    chat.open(
        workspace.add_rows(Shape.TEXT_LABEL, [{"text": "a", "label": "x"}, {"text": "b", "label": "y"}])
    )
    qtbot.waitUntil(lambda: chat.view.doctor.report is not None)
    for deed in (chat.view.split, chat.view.replace, chat.view.augment, chat.view.export, chat.view.label):
        deed()
    chat.view.labeller.leave()
    for name in TABS:
        chat.tab(name)
    qtbot.waitUntil(lambda: chat.view.statistics.statistics is not None)
    qapp.removeEventFilter(watch)
    assert watch.strays == []


def test_controls_have_names(chat: Shown) -> None:
    panel = chat.view.rows_panel
    named = [
        panel.part,
        panel.finder.field,
        panel.finder.next,
        panel.add,
        panel.remove,
        chat.view.header.more,
    ]
    assert all(widget.accessibleName() for widget in [*named, chat.view.beside.toggle, chat.view.rows_view])
    assert isinstance(panel.finder.field, QLineEdit)


def test_in_a_small_window_the_split_is_in_the_menu(shown: Shown, workspace: ShownWorkspace) -> None:
    shown.open(workspace.add_rows(Shape.TEXT_LABEL, [{"text": "Hi", "label": "a"}]))
    header = shown.view.header
    shown.view.resize(1000, 660)
    assert (header.resplit.isVisible(), header.actions_by_name["split"].isVisible()) == (True, False)
    shown.view.resize(600, 660)
    assert (header.resplit.isVisible(), header.actions_by_name["split"].isVisible()) == (False, True)
    assert header.actions_by_name["split"].text() == "Split and balance…"


def test_in_a_small_window_texts_are_labelled_from_the_menu(shown: Shown, workspace: ShownWorkspace) -> None:
    shown.open(workspace.add_rows(Shape.TEXT, [{"text": "Hi"}]))
    header = shown.view.header
    shown.view.resize(1000, 660)
    assert (header.label.isVisible(), header.actions_by_name["label"].isVisible()) == (True, False)
    shown.view.resize(600, 660)
    assert (header.label.isVisible(), header.actions_by_name["label"].isVisible()) == (False, True)


def test_a_folded_doctor_says_how_much_it_found(chat: Shown) -> None:
    view = chat.view
    view.doctor.reported.emit(3)
    assert view.beside.toggle.text() == "", "the findings themselves are in sight"
    view.resize(600, 660)
    assert view.beside.toggle.text() == "3 findings"
    view.doctor.reported.emit(0)
    assert view.beside.toggle.text() == ""


def test_the_doctor_folds_where_there_is_little_room(chat: Shown, qtbot: QtBot) -> None:
    view = chat.view
    assert view.doctor.isVisible()
    view.resize(600, 660)
    assert not view.doctor.isVisible()
    qtbot.mouseClick(view.beside.toggle, LEFT)
    assert view.doctor.isVisible()
    view.resize(1050, 660)
    qtbot.mouseClick(view.beside.toggle, LEFT)
    assert not view.doctor.isVisible()
    settings = chat.workspace.settings
    qtbot.waitUntil(lambda: not settings.current.data_doctor_open)
