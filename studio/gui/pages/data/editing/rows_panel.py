"""The rows of one dataset: looked through, found, edited; the edits wait in a draft until they become a version."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QModelIndex, QSignalBlocker, Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QAbstractItemView, QHBoxLayout, QVBoxLayout, QWidget

from studio.domain.datasets import DatasetVersion, Split, title
from studio.domain.shapes import Shape
from studio.errors import StudioError
from studio.gui.context import GuiContext
from studio.gui.dialogs.ask import Answer, AskDialog
from studio.gui.models.cells import turns_of
from studio.gui.models.paged_table import CellRole
from studio.gui.models.row_places import Page, place_of
from studio.gui.models.rows_table import RowRole, RowsTable
from studio.gui.models.thumbnails import Thumbnails
from studio.gui.pages.data.editing.add_row import AddRowDialog, can_add
from studio.gui.pages.data.editing.cell_editors import RowDelegate
from studio.gui.pages.data.editing.conversation_dialog import ConversationDialog
from studio.gui.pages.data.editing.draft_bar import DraftBar, SaveDialog
from studio.gui.pages.data.editing.finder import Finder, JumpDialog
from studio.gui.pages.data.editing.rows_view import BEHIND, RowsView
from studio.gui.pages.data.work_dialog import WorkDialog
from studio.gui.playing import play
from studio.gui.tasks import Task
from studio.gui.theme import current_tokens
from studio.gui.widgets import DropDown, IconButton
from studio.i18n import _
from studio.services.drafts import Draft


class RowsPanel(QWidget):
    """``show_dataset`` opens a dataset at once. ``tools`` and ``bar`` are placed over it by whoever shows it.

    made: the DatasetVersion that the draft became. edits: number (int) of rows with unsaved changes. problem: a
    StudioError to be said over the rows, None when all is well again.
    """

    made = Signal(object)
    edits = Signal(int)
    problem = Signal(object)

    def __init__(self, ctx: GuiContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._ctx = ctx
        self.dataset: DatasetVersion | None = None
        self._columns: list[str] = []
        self._jump: Task | None = None
        self._opening: Task | None = None
        self.rows = RowsTable(ctx.tasks, self)
        self.view = RowsView(self.rows, _("Rows of the data"))
        # asked when used: the services may be a stand-in without pictures
        self.thumbnails = Thumbnails(ctx.tasks, lambda name: ctx.services.datasets.image_path(name), self)
        self.view.setItemDelegate(RowDelegate(self.thumbnails, self._labels, self.view))
        self.part = DropDown()
        self.finder = Finder(ctx)
        self.add = IconButton("plus", _("Add a row"), self.add_row)
        self.remove = IconButton("trash", _("Remove the chosen rows (Delete)"), self.remove_rows)
        self.bar = DraftBar()
        self._arrange()
        self._connect()

    def show_dataset(self, dataset: DatasetVersion, columns: Sequence[str]) -> None:
        """Show a dataset; its rows are read when they come into sight."""
        same = self.dataset is not None and self.dataset.id == dataset.id
        version = self.dataset is not None and self.dataset.family_id == dataset.family_id
        self.dataset = dataset
        self.add.setVisible(can_add(dataset.shape))
        if same:
            return
        self._columns = sorted(columns, key=lambda name: name in BEHIND)
        self.rows.show_draft(None)
        self._fill_parts()
        self._show_part()
        if not version:  # a version of the same data stays where it was
            self.view.verticalScrollBar().setValue(0)
            self.view.horizontalScrollBar().setValue(0)
        self.finder.show_dataset(dataset.id)
        self._open_draft(dataset)

    def clear(self) -> None:
        """Show nothing and forget the pages."""
        self.dataset = None
        self.rows.show_draft(None)
        self.rows.clear()

    def pending(self) -> int:
        """Rows with unsaved changes."""
        draft = self.rows.draft()
        return draft.count if draft is not None else 0

    def go_to(self, number: int) -> None:
        """Bring the row with this number into sight and mark it."""
        if self.dataset is None:
            return
        if self._jump is not None:
            self._jump.abandon()
        page, count = self._page(), self.rows.stored_count()
        self._jump = self._ctx.tasks.run(
            lambda: place_of(page, count, number),
            partial(self._on_place, number),
            self._ctx.notices.error_from,
        )

    def ask_row(self) -> None:
        """Ask for a row number and go there."""
        dialog = JumpDialog(self)
        dialog.accepted.connect(lambda: self.go_to(dialog.number()))
        dialog.open()

    def add_row(self) -> None:
        """Ask for a new row; it stands at the end."""
        if self.dataset is None or self.rows.draft() is None:
            return
        if self.dataset.shape is Shape.MESSAGES:
            talk = ConversationDialog([("user", ""), ("assistant", "")], "messages", self)
            talk.accepted.connect(lambda: self._add({"messages": talk.text()}))
            talk.open()
            return
        dialog = AddRowDialog(self.dataset.shape, self._labels(), self)
        dialog.accepted.connect(lambda: self._add(dialog.cells()))
        dialog.open()

    def remove_rows(self) -> None:
        """Let the chosen rows leave, or let them stay when all of them were to leave."""
        draft, chosen = self.rows.draft(), self.view.chosen_numbers()
        if draft is None or not chosen:
            return
        back = all(number in draft.removed for number in chosen)
        for number in chosen:
            draft.keep_row(number) if back else draft.remove_row(number)
        self.rows.edits_changed()

    def undo(self) -> None:
        """Take the last edit back."""
        draft = self.rows.draft()
        if draft is not None and draft.undo():
            self.rows.edits_changed()

    def redo(self) -> None:
        """Make the edit again that was taken back."""
        draft = self.rows.draft()
        if draft is not None and draft.redo():
            self.rows.edits_changed()

    def save(self) -> None:
        """Ask for a note, then make a version of the draft."""
        dialog = SaveDialog(self.pending(), self)
        dialog.accepted.connect(lambda: self._save(dialog.note()))
        dialog.open()

    def ask_discard(self) -> None:
        """Throw the draft away, after a question: this cannot be undone."""
        question = AskDialog(
            _("Discard the changes?"), _("What you typed since the last version is gone then."),
            [Answer("keep", _("Keep them")), Answer("discard", _("Discard"), "danger")], self,
        )  # fmt: skip
        question.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        question.accepted.connect(lambda: self._discard() if question.answer == "discard" else None)
        question.buttons["keep"].setFocus()
        question.open()

    # Building

    def _arrange(self) -> None:
        space = current_tokens().space
        self.part.setAccessibleName(_("Which rows are shown"))
        self.part.setSizeAdjustPolicy(DropDown.SizeAdjustPolicy.AdjustToContents)
        self.tools = QHBoxLayout()
        self.tools.setSpacing(space.s)
        self.tools.addWidget(self.part)
        self.tools.addWidget(self.finder, 1)
        self.tools.addWidget(self.add)
        self.tools.addWidget(self.remove)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.view, 1)

    def _connect(self) -> None:
        self.part.currentIndexChanged.connect(self._show_part)
        self.finder.row_wanted.connect(self.go_to)
        self.thumbnails.arrived.connect(self.view.viewport().update)
        self.view.turns_wanted.connect(self._open_turns)
        self.view.listened.connect(self._play)
        self.view.selectionModel().selectionChanged.connect(self._show_remove)
        self.rows.edited.connect(self._on_edited)
        self.rows.refused.connect(self.problem)
        self.rows.page_failed.connect(self._on_page_failed)
        self.bar.save_wanted.connect(self.save)
        self.bar.discard_wanted.connect(self.ask_discard)
        self.bar.undo_wanted.connect(self.undo)
        self.bar.redo_wanted.connect(self.redo)

    def bind_keys(self, place: QWidget) -> None:
        """Let the keys of the rows work in all of ``place``."""
        for keys, deed in (
            ("Ctrl+F", self.finder.start), ("Ctrl+G", self.ask_row), ("Ctrl+Z", self.undo),
            ("Ctrl+Shift+Z", self.redo), ("Ctrl+Y", self.redo),
        ):  # fmt: skip
            shortcut = QShortcut(
                QKeySequence(keys), place
            )  # wherever the focus is, while ``place`` is in sight
            shortcut.activated.connect(deed)
        leave = QShortcut(QKeySequence(Qt.Key.Key_Delete), self.view)
        leave.setContext(Qt.ShortcutContext.WidgetShortcut)
        leave.activated.connect(self.remove_rows)

    # The rows that are shown

    def _fill_parts(self) -> None:
        assert self.dataset is not None
        blocked = QSignalBlocker(self.part)
        self.part.clear()
        self.part.addItem(_("All rows"), "")
        for split in Split:
            rows = self.dataset.splits.get(split, 0)
            if rows:
                self.part.addItem(f"{title(split)} ({rows:,})", split.value)
        blocked.unblock()

    def _show_part(self) -> None:
        if self.dataset is None:
            return
        split = self.part.currentData()
        count = self.dataset.splits.get(Split(split), 0) if split else self.dataset.rows
        self.rows.show_dataset(self._columns, count, self._page(), whole=not split)

    def _page(self) -> Page:
        assert self.dataset is not None
        service, dataset_id, split = self._ctx.services.datasets, self.dataset.id, self.part.currentData()
        if split:
            return lambda offset, limit: service.page(dataset_id, offset, limit, Split(split))
        return lambda offset, limit: service.page(dataset_id, offset, limit)

    def _on_place(self, number: int, place: int | None) -> None:
        if place is None and self.part.currentIndex() > 0:
            self.part.setCurrentIndex(0)  # it is in another part
            self.go_to(number)
        elif place is None:
            words = _("There is no row {n} in this version.").format(n=f"{number:,}")
            self.problem.emit(StudioError("row.unknown", words))
        else:
            self.problem.emit(None)
            self.view.selectRow(place)
            index = self.rows.index(place, max(self.view.currentIndex().column(), 0))
            self.view.setCurrentIndex(index)
            self.view.scrollTo(index, QAbstractItemView.ScrollHint.PositionAtCenter)

    def _on_page_failed(self, problem: Exception) -> None:
        if isinstance(problem, StudioError):
            self.problem.emit(problem)
        else:
            self._ctx.notices.error_from(problem)

    def _labels(self) -> list[str]:
        return [name for name in self.dataset.labels if name] if self.dataset is not None else []

    # The draft

    def _open_draft(self, dataset: DatasetVersion) -> None:
        if self._opening is not None:
            self._opening.abandon()
        if dataset.deleted:
            return
        drafts, dataset_id = self._ctx.services.drafts, dataset.id
        self._opening = self._ctx.tasks.run(
            lambda: drafts.open(dataset_id), partial(self._on_draft, dataset_id), self._ctx.notices.error_from
        )

    def _on_draft(self, dataset_id: str, draft: Draft) -> None:
        if self.dataset is not None and self.dataset.id == dataset_id:
            self.rows.show_draft(draft)

    def _on_edited(self) -> None:
        self.bar.show_draft(self.rows.draft())
        self.problem.emit(None)
        self._show_remove()
        self.edits.emit(self.pending())

    def _show_remove(self) -> None:
        draft = self.rows.draft()
        self.add.setEnabled(draft is not None)
        self.remove.setEnabled(draft is not None and self.view.selectionModel().hasSelection())

    def _add(self, cells: dict[str, str | None]) -> None:
        draft = self.rows.draft()
        if draft is None:
            return
        draft.add_row(cells)
        self.part.setCurrentIndex(0)
        self.rows.edits_changed()
        last = self.rows.index(self.rows.rowCount() - 1, 0)
        self.view.selectRow(last.row())
        self.view.scrollTo(last)

    def _play(self, name: str) -> None:
        try:
            failed = play(str(self._ctx.services.datasets.recording_path(name)))
        except StudioError as error:
            return self.problem.emit(error)
        self.problem.emit(StudioError("dataset.not_played", failed) if failed else None)

    def _open_turns(self, index: QModelIndex) -> None:
        text, column = index.data(CellRole.TEXT), index.data(RowRole.COLUMN)
        if text is None:
            return
        dialog = ConversationDialog(turns_of(text), column, self, editable=self.rows.draft() is not None)
        number, section = index.data(RowRole.NUMBER), index.column()
        place = index.row()

        def keep() -> None:
            if self.rows.number_at(place) == number:  # nothing moved meanwhile
                self.rows.put(self.rows.index(place, section), dialog.text())

        dialog.accepted.connect(keep)
        dialog.open()

    def _save(self, note: str) -> None:
        if self.dataset is None:
            return
        drafts, dataset_id = self._ctx.services.drafts, self.dataset.id
        WorkDialog(
            self._ctx,
            _("Saving a new version"),
            lambda on_event, cancel: drafts.save(dataset_id, note, on_event, cancel),
            self.made.emit,
            self,
            failed=self.problem.emit,
        ).start()

    def _discard(self) -> None:
        if self.dataset is None:
            return
        dataset, drafts = self.dataset, self._ctx.services.drafts
        self.rows.show_draft(None)

        def thrown(_changes: object) -> None:
            if self.dataset is not None:
                self._open_draft(self.dataset)

        self._ctx.tasks.run(lambda: drafts.discard(dataset.id), thrown, self._ctx.notices.error_from)
