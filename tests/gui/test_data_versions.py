"""Versions of a dataset on show: the list in words, undo and redo, restore, and the difference of any two."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from PySide6.QtCore import QItemSelectionModel, Qt
from pytestqt.qtbot import QtBot

from studio.domain.datasets import RowChange, VersionDiff
from studio.domain.recipes import (
    AugmentStep,
    EditStep,
    FindingKind,
    FixAction,
    FixStep,
    ReplaceStep,
    SplitStep,
    StepOutcome,
    StepPreview,
    TextOperator,
)
from studio.domain.shapes import Shape
from studio.gui.context import GuiContext
from studio.gui.models.diff_table import PIECES_ROLE, DiffColumn
from studio.gui.models.versions_table import VersionColumn
from studio.gui.models.word_diff import Piece, from_first_change, word_diff
from studio.gui.pages.data.editing.step_preview import preview_words
from studio.gui.pages.data.versions.compare_view import CompareView
from studio.gui.pages.data.versions.diff_delegate import elided
from studio.gui.pages.data.work_dialog import WorkDialog
from studio.gui.widgets import BodyText
from studio.words_versions import outcome_words, step_words, version_words
from tests.gui.dataset_shown import LEFT, Shown
from tests.helpers.matrix_data import dataset
from tests.helpers.shown_data import ShownWorkspace

ROWS = [{"prompt": f"Where is order {n}?", "response": f"It comes on day {n}."} for n in range(1, 6)]


@pytest.fixture
def workspace(tmp_path: Path) -> ShownWorkspace:
    return ShownWorkspace(tmp_path)


@pytest.fixture
def shown(qtbot: QtBot, make_context: Callable[..., GuiContext], workspace: ShownWorkspace) -> Shown:
    """A dataset of two versions, its versions tab open."""
    made = Shown(qtbot, make_context(**workspace.services()), workspace)
    first = workspace.add_rows(Shape.PROMPT_RESPONSE, ROWS)
    step = EditStep(cells={2: {"response": "It comes on day two."}}, removed=[4])
    made.open(workspace.versions.derive(first.id, [step], "Numbers in words"))
    made.tab("versions")
    qtbot.waitUntil(lambda: made.view.versions.table.rowCount() == 2)
    return made


def words(shown: Shown, row: int) -> list[str]:
    """A row of the list."""
    table = shown.view.versions.table
    return [table.index(row, column).data() for column in VersionColumn]


def test_versions_say_what_was_done(shown: Shown) -> None:
    assert words(shown, 0)[:2] == ["2", "Numbers in words · Edited by hand"]
    assert words(shown, 0)[2:4] == ["~1", "4"]
    assert words(shown, 1)[:2] == ["1", "Imported"]
    table = shown.view.versions.table
    assert table.index(0, VersionColumn.CHANGE).data(Qt.ItemDataRole.ToolTipRole).endswith("1 changed")


def test_undo_and_redo_of_the_last_step(shown: Shown, qtbot: QtBot) -> None:
    view = shown.view.versions
    assert not view.redo.isVisible()
    qtbot.mouseClick(view.undo, LEFT)
    qtbot.waitUntil(lambda: shown.view.dataset is not None and shown.view.dataset.number == 1)
    qtbot.waitUntil(view.redo.isVisible)
    assert not view.undo.isEnabled()  # this is the import
    assert view.table.rowCount() == 1
    qtbot.mouseClick(view.redo, LEFT)
    qtbot.waitUntil(lambda: shown.view.dataset is not None and shown.view.dataset.number == 2)
    qtbot.waitUntil(lambda: view.table.rowCount() == 2 and not view.redo.isVisible())


def test_a_version_that_was_undone_for_another_can_come_back(
    shown: Shown, qtbot: QtBot, workspace: ShownWorkspace
) -> None:
    """The window says that no version is ever lost."""
    view = shown.view.versions
    first = workspace.versions.undo(workspace.versions.newest(shown.view.dataset.id).id)  # type: ignore[union-attr]
    shown.open(workspace.versions.derive(first.id, [ReplaceStep(find="day", replacement="night")]))
    qtbot.waitUntil(lambda: view.table.rowCount() == 3)
    assert [words(shown, row)[0] for row in range(3)] == ["3", "2", "1"]
    assert words(shown, 1)[1] == "Undone: Numbers in words · Edited by hand"
    view.view.selectRow(1)
    assert view.compare.isEnabled()
    qtbot.mouseClick(view.restore, LEFT)
    qtbot.waitUntil(lambda: shown.view.dataset is not None and shown.view.dataset.number == 4)
    assert shown.view.dataset is not None
    assert len(workspace.memory.rows_of[shown.view.dataset.id]) == 4


def test_any_version_can_come_back(shown: Shown, qtbot: QtBot, workspace: ShownWorkspace) -> None:
    view = shown.view.versions
    assert not view.restore.isEnabled()
    view.view.selectRow(1)
    qtbot.mouseClick(view.restore, LEFT)
    qtbot.waitUntil(lambda: shown.view.dataset is not None and shown.view.dataset.number == 3)
    assert shown.view.dataset is not None
    assert len(workspace.memory.rows_of[shown.view.dataset.id]) == 5
    qtbot.waitUntil(lambda: view.table.rowCount() == 3)
    assert words(shown, 0)[1] == "Went back to version 1"
    view.view.selectRow(0)
    assert not view.restore.isEnabled()  # it is the newest


def test_two_versions_are_compared_word_by_word(shown: Shown, qtbot: QtBot) -> None:
    view = shown.view.versions
    select = view.view.selectionModel()
    for row in (0, 1):
        flags = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
        select.select(view.table.index(row, 0), flags)
    assert view.compare.text() == "Compare"
    qtbot.mouseClick(view.compare, LEFT)
    compare = view.comparison
    qtbot.waitUntil(lambda: compare.table.rowCount() == 2)
    assert compare.title.text() == "Version 2 compared with version 1"
    assert compare.counts.text() == "1 row removed  ·  1 row changed"
    cell = compare.table.index
    qtbot.waitUntil(lambda: cell(0, DiffColumn.ROW).data() == "2")
    assert [cell(row, DiffColumn.WHAT).data() for row in (0, 1)] == ["Answer", "Removed"]
    before, after = (cell(0, column).data(PIECES_ROLE) for column in (DiffColumn.BEFORE, DiffColumn.AFTER))
    assert [piece.text for piece in before if piece.changed] == ["2"]
    assert [piece.text for piece in after if piece.changed] == ["two"]
    assert cell(1, DiffColumn.AFTER).data() == ""
    qtbot.mouseClick(compare.back, LEFT)
    assert view.view.isVisible()


def test_a_comparison_says_at_once_that_it_is_made_and_asks_once(
    shown: Shown, qtbot: QtBot, workspace: ShownWorkspace
) -> None:
    view = shown.view.versions
    view.view.selectRow(0)
    qtbot.mouseClick(view.compare, LEFT)
    compare = view.comparison
    assert "Comparing…" in [label.text() for label in compare.stack.currentWidget().findChildren(BodyText)]
    qtbot.waitUntil(lambda: compare.table.index(1, DiffColumn.WHAT).data() == "Removed")
    assert len(workspace.shown_job.compared) == 1
    assert [compare.kind.itemText(n) for n in range(3)] == ["All that differ", "Removed", "Changed"]
    compare.kind.setCurrentIndex(1)
    compare.kind.activated.emit(1)
    assert compare.table.rowCount() == 1
    qtbot.waitUntil(lambda: compare.table.index(0, DiffColumn.WHAT).data() == "Removed")


def test_rows_that_moved_to_another_part_are_among_those_that_differ(
    make_context: Callable[..., GuiContext], workspace: ShownWorkspace, qtbot: QtBot
) -> None:
    view = CompareView(make_context(**workspace.services()))
    qtbot.addWidget(view)
    moved = [
        RowChange(row=n, before={"text": "a", "split": "train"}, after={"text": "a", "split": "test"})
        for n in (1, 2)
    ]
    view._on_counts(VersionDiff(added=0, removed=0, changed=0, moved=2, rows=moved))
    assert view.stack.currentIndex() == 0
    assert view.table.rowCount() == 2


def test_text_without_room_ends_with_an_ellipsis(qtbot: QtBot, theme: object) -> None:
    assert elided("short", 200) == "short"
    assert elided("", 200) == ""
    for text in ("many words " * 40, "没有空格的文字" * 40, "🙂" * 200):
        cut = elided(text, 200)
        assert cut.endswith("…")
        assert text.startswith(cut[:-1])


def test_one_version_is_compared_with_the_one_before(shown: Shown, qtbot: QtBot) -> None:
    view = shown.view.versions
    view.view.selectRow(1)
    assert not view.compare.isEnabled()  # nothing came before the import
    view.view.selectRow(0)
    assert view.compare.text() == "Compare with the one before"
    qtbot.mouseClick(view.compare, LEFT)
    qtbot.waitUntil(lambda: view.comparison.table.rowCount() == 2)


def test_equal_versions_say_so(shown: Shown, qtbot: QtBot, workspace: ShownWorkspace) -> None:
    assert shown.view.dataset is not None
    made = workspace.versions.derive(shown.view.dataset.id, [ReplaceStep(find="zebra")])
    shown.open(made)
    view = shown.view.versions
    qtbot.waitUntil(lambda: view.table.rowCount() == 3)
    view.view.selectRow(0)
    qtbot.mouseClick(view.compare, LEFT)
    qtbot.waitUntil(lambda: view.comparison.counts.text() == "No difference")
    assert view.comparison.stack.currentIndex() == 1


def test_a_step_under_way_can_be_cancelled(shown: Shown, qtbot: QtBot, workspace: ShownWorkspace) -> None:
    workspace.shown_job.gate = threading.Event()
    view = shown.view.versions
    view.view.selectRow(1)
    qtbot.mouseClick(view.restore, LEFT)
    dialog = shown.dialog(WorkDialog)
    qtbot.keyClick(dialog, Qt.Key.Key_Escape)
    qtbot.waitUntil(lambda: not shown.view.findChildren(WorkDialog))
    assert shown.view.dataset is not None
    assert shown.view.dataset.number == 2
    assert len(workspace.versions.versions(shown.view.dataset.id)) == 2


@pytest.mark.parametrize(
    ("step", "expected"),
    [
        (ReplaceStep(find="a", replacement="b"), "Replaced “a” by “b”"),
        (SplitStep(group_by="near-duplicates"), "Split again: 10% validation, 10% test, near-duplicates together"),
        (SplitStep(stratify=True), "Split again: 10% validation, 10% test, each label in equal shares"),
        (SplitStep(validation=0.2, group_by="prompt"), "Split again: 20% validation, 10% test, same Question together"),
        (AugmentStep(text=(TextOperator.TYPOS,)), "Added changed copies: Typing errors"),
        (FixStep(finding=FindingKind.EXACT_DUPLICATES, action=FixAction.KEEP_FIRST),
         "Rows that repeat word for word: Keep one of each"),
    ],
)  # fmt: skip
def test_steps_in_words(step: ReplaceStep, expected: str) -> None:
    assert step_words(step) == expected


def test_a_search_that_did_not_see_all_rows_is_told() -> None:
    step = SplitStep(group_by="near-duplicates")
    words = "only the first 2,000,000 rows were compared"
    part = StepOutcome(step=step, rows_before=9, rows_after=9, details={"compared": 2_000_000})
    assert outcome_words(part) == f"{step_words(step)}; {words}"
    assert words in version_words(dataset(made_by=[part]))
    assert outcome_words(part.model_copy(update={"details": {}})) == step_words(step)
    preview = StepPreview(changed=3, added=0, removed=0, compared=2_000_000)
    assert preview_words(preview) == f"3 rows change; {words}."
    assert "compared" not in preview_words(preview.model_copy(update={"compared": None}))


def test_changed_words_in_english_and_chinese() -> None:
    before, after = word_diff("订单在哪里?", "包裹在哪里?")
    assert before == [Piece("订单", True), Piece("在哪里?", False)]
    assert after == [Piece("包裹", True), Piece("在哪里?", False)]
    left, _right = word_diff("word " * 50 + "old", "word " * 50 + "new")
    shown = from_first_change(left)
    assert shown[0].text.startswith("…")
    assert len(shown[0].text) < 60
    assert shown[1] == Piece("old", True)


def test_a_very_long_text_is_compared_quickly() -> None:
    text = "a b c d e f g " * 20_000
    before, after = word_diff(text, text + "end")
    assert "".join(piece.text for piece in before) == text
    assert "".join(piece.text for piece in after) == text + "end"
