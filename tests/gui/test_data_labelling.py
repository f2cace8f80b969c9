"""Labelling by keyboard: choose, skip, back, undo, new labels, several labels, pictures, speed, and the save."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from pytestqt.qtbot import QtBot

from studio.domain.shapes import Shape
from studio.gui.context import GuiContext
from studio.gui.models import label_session
from studio.gui.models.label_session import LabelSession
from studio.gui.pages.data import DataPage
from studio.gui.pages.data.editing.draft_bar import SaveDialog
from studio.gui.pages.data.labelling.labeller import LabelPage
from tests.gui.dataset_shown import LEFT, Shown
from tests.helpers.shown_data import ShownWorkspace

TEXTS = [
    {"text": f"Request {n}", "label": "Refund" if n == 1 else "Delivery" if n == 2 else ""}
    for n in range(1, 9)
]


@pytest.fixture
def workspace(tmp_path: Path) -> ShownWorkspace:
    made = ShownWorkspace(tmp_path)
    made.shown_job.order = [5, 3, 8, 4]
    return made


@pytest.fixture
def context(make_context: Callable[..., GuiContext], workspace: ShownWorkspace) -> GuiContext:
    return make_context(**workspace.services())


@pytest.fixture
def shown(qtbot: QtBot, context: GuiContext, workspace: ShownWorkspace) -> Shown:
    return Shown(qtbot, context, workspace)


def begin(shown: Shown, qtbot: QtBot) -> LabelPage:
    """Press the button in the header; the page with its first row."""
    qtbot.mouseClick(shown.view.header.label, LEFT)
    page = shown.view.labeller
    qtbot.waitUntil(page.hasFocus)
    qtbot.waitUntil(lambda: page.session is not None and page.session.cells() is not None)
    return page


def edits(shown: Shown) -> dict[int, dict[str, str | None]]:
    """What the draft has."""
    draft = shown.view.rows.draft()
    assert draft is not None
    return draft.cells


def test_keys_choose_skip_go_back_and_undo(shown: Shown, qtbot: QtBot, workspace: ShownWorkspace) -> None:
    shown.open(workspace.add_rows(Shape.TEXT_LABEL, TEXTS))
    page = begin(shown, qtbot)
    assert page.text.text() == "Request 5"  # the order that the service gave
    assert page.choices.labels == ["Refund", "Delivery"]
    qtbot.keyClick(page, Qt.Key.Key_2)
    assert page.text.text() == "Request 3"
    qtbot.keyClick(page, Qt.Key.Key_Space)
    assert page.text.text() == "Request 8"
    qtbot.keyClick(page, Qt.Key.Key_1)
    assert edits(shown) == {5: {"label": "Delivery"}, 8: {"label": "Refund"}}
    qtbot.keyClick(page, Qt.Key.Key_Left)
    assert page.text.text() == "Request 8"
    assert [button.isChecked() for button in page.choices.buttons] == [True, False]
    qtbot.keyClick(page, Qt.Key.Key_U)
    assert page.text.text() == "Request 8"
    assert edits(shown) == {5: {"label": "Delivery"}}
    assert page.figures.text().startswith("2 of 8 rows have a label")
    qtbot.keyClick(page, Qt.Key.Key_9)  # there is no ninth label
    assert page.text.text() == "Request 8"


def test_labels_are_typed_and_made(shown: Shown, qtbot: QtBot, workspace: ShownWorkspace) -> None:
    shown.open(workspace.add_rows(Shape.TEXT_LABEL, TEXTS))
    page = begin(shown, qtbot)
    qtbot.keyClicks(page, "d")
    assert page.choices.field.hasFocus()
    qtbot.keyClicks(page.choices.field, "el")
    qtbot.keyClick(page.choices.field, Qt.Key.Key_Return)
    assert edits(shown)[5] == {"label": "Delivery"}
    assert page.hasFocus()  # the keys choose again
    qtbot.keyClick(page, Qt.Key.Key_N)
    qtbot.keyClicks(page.choices.field, "Ref")  # new, although another label begins like it
    qtbot.keyClick(page.choices.field, Qt.Key.Key_Return)
    assert edits(shown)[3] == {"label": "Ref"}
    assert page.choices.labels == ["Refund", "Delivery", "Ref"]
    qtbot.keyClick(page, Qt.Key.Key_3)
    assert edits(shown)[8] == {"label": "Ref"}
    qtbot.keyClick(page, Qt.Key.Key_N)
    qtbot.keyClick(page.choices.field, Qt.Key.Key_Escape)
    assert page.hasFocus()


def test_the_end_is_said_and_the_labels_are_saved(
    shown: Shown, qtbot: QtBot, workspace: ShownWorkspace
) -> None:
    shown.open(workspace.add_rows(Shape.TEXT_LABEL, TEXTS))
    page = begin(shown, qtbot)
    assert not page.save.isEnabled()
    for _row in range(4):
        qtbot.keyClick(page, Qt.Key.Key_1)
    assert page.stack.currentIndex() == 2
    assert page._end.isVisible()
    qtbot.mouseClick(page.save, LEFT)
    qtbot.mouseClick(shown.dialog(SaveDialog).confirm, LEFT)
    qtbot.waitUntil(lambda: shown.view.dataset is not None and shown.view.dataset.number == 2)
    assert not page.isVisible()
    assert shown.view.dataset is not None
    rows = workspace.memory.rows_of[shown.view.dataset.id]
    assert [row["label"] for row in rows] == ["Refund", "Delivery", *["Refund"] * 3, "", "", "Refund"]


def test_most_uncertain_first_is_explained(shown: Shown, qtbot: QtBot, workspace: ShownWorkspace) -> None:
    shown.open(workspace.add_rows(Shape.TEXT_LABEL, TEXTS))
    page = begin(shown, qtbot)
    assert "Rows come in their order" in page.basis.text()
    page.leave()
    assert shown.view.rows_view.isVisible()
    workspace.shown_job.basis = "uncertainty"
    page = begin(shown, qtbot)
    assert "Most uncertain first" in page.basis.text()


def test_labelled_rows_are_gone_through_again(
    shown: Shown, qtbot: QtBot, workspace: ShownWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(label_session, "REVIEWED_AT_ONCE", 2)
    workspace.shown_job.order = []
    rows = [{"text": f"Request {n}", "label": "" if n % 3 else "Refund"} for n in range(1, 8)]
    made = workspace.add_rows(Shape.TEXT_LABEL, rows)
    workspace.dataset_store.stored[made.id] = made = made.model_copy(
        update={"labels": {"Refund": 2, "Delivery": 0}}
    )
    shown.open(made)
    qtbot.mouseClick(shown.view.header.label, LEFT)
    page = shown.view.labeller
    qtbot.waitUntil(page._end.isVisible)
    assert not page.basis.isVisible()  # there is no order to be told about
    qtbot.mouseClick(page._end.primary, LEFT)
    qtbot.waitUntil(lambda: page.text.isVisible() and page.text.text() == "Request 3")
    assert page.hasFocus()
    assert "labelled rows" in page.basis.text()
    assert page._row._subtitle.text() == "Row 3"
    assert [button.isChecked() for button in page.choices.buttons] == [True, False]
    qtbot.keyClick(page, Qt.Key.Key_1)  # as it is
    qtbot.waitUntil(lambda: page.text.text() == "Request 6")
    qtbot.keyClick(page, Qt.Key.Key_2)
    assert edits(shown) == {6: {"label": "Delivery"}}
    qtbot.waitUntil(page._end.isVisible)
    assert page.save.isEnabled()


def test_a_label_from_before_the_review_is_taken_back(
    shown: Shown, qtbot: QtBot, workspace: ShownWorkspace
) -> None:
    workspace.shown_job.order = [8]
    shown.open(workspace.add_rows(Shape.TEXT_LABEL, TEXTS))
    page = begin(shown, qtbot)
    qtbot.keyClick(page, Qt.Key.Key_2)
    qtbot.mouseClick(page._end.primary, LEFT)
    qtbot.waitUntil(lambda: page.text.text() == "Request 1")
    qtbot.keyClick(page, Qt.Key.Key_U)
    assert page.text.text() == "Request 8"
    assert edits(shown) == {}


def test_what_is_chosen_is_marked(shown: Shown, qtbot: QtBot, workspace: ShownWorkspace) -> None:
    shown.open(workspace.add_rows(Shape.TEXT_LABEL, TEXTS))
    page = begin(shown, qtbot)
    plain = page.choices.buttons[1].grab().toImage()
    qtbot.keyClick(page, Qt.Key.Key_2)
    qtbot.keyClick(page, Qt.Key.Key_Left)
    assert not page.choices.buttons[1].icon().isNull()  # not by colour alone
    assert page.choices.buttons[0].icon().isNull()
    marked = page.choices.buttons[1].grab().toImage()
    assert marked.pixelColor(4, marked.height() // 2) != plain.pixelColor(4, marked.height() // 2)


def test_several_labels_are_put_on_and_taken_off(
    shown: Shown, qtbot: QtBot, workspace: ShownWorkspace
) -> None:
    rows = [{"text": f"t{n}", "labels": '["late"]' if n == 5 else ""} for n in range(1, 9)]
    made = workspace.add_rows(Shape.TEXT_LABELS, rows)
    workspace.dataset_store.stored[made.id] = made = made.model_copy(
        update={"labels": {"late": 1, "angry": 0}}
    )
    shown.open(made)
    page = begin(shown, qtbot)
    assert page.choices.buttons[0].isChecked()
    qtbot.keyClick(page, Qt.Key.Key_2)
    assert edits(shown)[5] == {"labels": '["angry", "late"]'}
    assert page.text.text() == "t5"  # stays until Enter
    qtbot.keyClick(page, Qt.Key.Key_1)
    assert edits(shown)[5] == {"labels": '["angry"]'}
    qtbot.keyClick(page, Qt.Key.Key_Return)
    assert page.text.text() == "t3"


def test_pictures_are_labelled(shown: Shown, qtbot: QtBot, workspace: ShownWorkspace) -> None:
    rows = []
    for n in range(1, 9):
        name = f"{n:064x}.png"
        path = workspace.datasets.image_path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        image = QImage(40, 30, QImage.Format.Format_RGB32)
        image.fill(Qt.GlobalColor.blue)
        assert image.save(str(path))
        rows.append({"image": name, "label": "Blue" if n == 1 else ""})
    shown.open(workspace.add_rows(Shape.IMAGE_LABEL, rows))
    page = begin(shown, qtbot)
    assert page.picture.isVisible()
    qtbot.waitUntil(lambda: page.picture._pixmap is not None and page.picture._pixmap.width() == 40)
    qtbot.mouseClick(page.choices.buttons[0], LEFT)
    assert edits(shown) == {5: {"label": "Blue"}}


def test_an_order_that_cannot_be_had_is_said(
    shown: Shown, qtbot: QtBot, workspace: ShownWorkspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    from studio.errors import StudioError

    shown.open(workspace.add_rows(Shape.TEXT_LABEL, TEXTS))

    def fail(dataset_id: str) -> None:
        raise StudioError("label.failed", "The order could not be made.", "Try again.")

    monkeypatch.setattr(workspace.versions, "order_for_labelling", fail)
    qtbot.mouseClick(shown.view.header.label, LEFT)
    page = shown.view.labeller
    qtbot.waitUntil(page.problem.isVisible)
    assert not page._end.isVisible()  # it is not done
    qtbot.keyClick(page, Qt.Key.Key_Escape)
    assert shown.view.rows_view.isVisible()


def test_speed_leaves_pauses_out(qtbot: QtBot, context: GuiContext, workspace: ShownWorkspace) -> None:
    times = iter([0.0, 2.0, 4.0, 400.0, 402.0])
    made = workspace.add_rows(Shape.TEXT_LABEL, [{"text": str(n), "label": ""} for n in range(9)])
    workspace.shown_job.order = list(range(1, 9))
    draft = workspace.drafts.open(made.id)
    session = LabelSession(context.services, context.tasks, made, draft, clock=lambda: next(times))
    session.start()
    qtbot.waitUntil(lambda: session.cells() is not None)
    assert session.per_minute() is None
    for _row in range(5):
        session.choose("x")
    assert session.per_minute() == 30
    session.stop()


def test_unlabelled_shapes_have_no_label_button(shown: Shown, workspace: ShownWorkspace) -> None:
    shown.open(workspace.add_rows(Shape.PROMPT_RESPONSE, [{"prompt": "a", "response": "b"}]))
    assert not shown.view.header.label.isVisible()


def test_labelling_has_the_whole_page(qtbot: QtBot, context: GuiContext, workspace: ShownWorkspace) -> None:
    made = workspace.add_rows(Shape.TEXT_LABEL, TEXTS)
    page = DataPage(context)
    qtbot.addWidget(page)
    context.changes.changed.connect(page.refresh)
    page.resize(1050, 660)
    page.show()
    page.show_dataset(made.id)
    view = page.dataset_view
    qtbot.waitUntil(lambda: view.isVisible() and view.rows.draft() is not None)
    assert page.list.isVisible()
    view.label()
    assert not page.list.isVisible()
    page.reload()
    qtbot.waitUntil(lambda: view.labeller.session is not None and view.labeller.session.cells() is not None)
    assert not page.list.isVisible()
    qtbot.keyClick(view.labeller, Qt.Key.Key_Escape)
    assert page.list.isVisible()
    context.changes.changed.disconnect(page.refresh)
    page.dispose()
