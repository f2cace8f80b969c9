"""Rows of a dataset, with the edits of a draft laid over them.

The pages hold what is stored; edits are looked up by row number when a cell is shown, so that an edit costs nothing
but itself however large the dataset is. New rows stand at the end; rows that leave stay in sight until they are saved.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import TYPE_CHECKING, Any

from PySide6.QtCore import QModelIndex, QObject, Qt, Signal

from studio.domain.datasets import Split
from studio.domain.datasets import title as domain_title
from studio.errors import StudioError
from studio.gui.models.cell_rules import check_cell, kept_text
from studio.gui.models.cells import CellKind, kind_of, shown_text
from studio.gui.models.paged_table import PLACEHOLDER, TOOLTIP_CHARS, Index, PagedTable
from studio.gui.tasks import TaskRunner
from studio.i18n import N_, _
from studio.words_data import column_title

if TYPE_CHECKING:
    from studio.services.drafts import Draft

_ORIGINS = {"added": N_("Added"), "resampled": N_("Repeated"), "augmented": N_("Changed copy")}
_EDITABLE = frozenset(CellKind) - {CellKind.PLAIN, CellKind.IMAGE, CellKind.AUDIO, CellKind.TURNS}
_LONG = 40


class RowRole(IntEnum):
    """Roles beside Qt's own and CellRole."""

    NUMBER = (
        Qt.ItemDataRole.UserRole + 10
    )  # the row's number: int, below 0 for a new row, None until it is there
    COLUMN = Qt.ItemDataRole.UserRole + 11  # the Parquet name of the column
    KIND = Qt.ItemDataRole.UserRole + 12  # see kind_at
    EDITED = Qt.ItemDataRole.UserRole + 13  # bool: the cell has an unsaved text
    LEAVING = Qt.ItemDataRole.UserRole + 14  # bool: the row leaves when the draft is saved


class RowsTable(PagedTable):
    """Columns are those of the Parquet file, in its order.

    edited: something in the draft changed. refused: the StudioError of a text that a cell cannot have.
    """

    edited = Signal()
    refused = Signal(object)

    def __init__(self, tasks: TaskRunner, parent: QObject | None = None) -> None:
        super().__init__(tasks, parent)
        self._names: list[str] = []
        self._draft: Draft | None = None
        self._added: list[int] = []  # numbers of the new rows that are shown, in order
        self._shows_added = True

    def name(self, section: int) -> str:
        """The Parquet name of a column."""
        return self._names[section]

    def names(self) -> Sequence[str]:
        """The Parquet names of all columns shown."""
        return self._names

    def show_dataset(
        self,
        columns: Sequence[str],
        count: int,
        page: Callable[[int, int], list[dict[str, Any]]],
        *,
        whole: bool = True,
    ) -> None:
        """Show ``count`` rows with these column names; ``page(offset, limit)`` gives them as dictionaries.

        whole: these are all rows of the dataset, so new rows stand at their end.
        """
        kept = [name for name in columns if name != "key"]  # a hash tells a person nothing
        self._names = kept
        self._shows_added = whole
        self._added = []

        def fetch(offset: int, limit: int) -> list[list[str]]:
            return [[_text(row.get(name)) for name in kept] for row in page(offset, limit)]

        self.show_source([column_title(name) for name in kept], count, fetch)
        self.edits_changed()

    def show_draft(self, draft: Draft | None) -> None:
        """Lay these edits over the rows; None: the rows cannot be edited."""
        self._draft = draft
        self.edits_changed()

    def draft(self) -> Draft | None:
        """The edits that are shown."""
        return self._draft

    def edits_changed(self) -> None:
        """The draft changed (undo, a new row): show what it says now."""
        wanted = sorted(self._draft.added_rows, reverse=True) if self._draft and self._shows_added else []
        self._show_added(wanted)
        if self.rowCount():
            self.dataChanged.emit(self.index(0, 0), self.index(self.rowCount() - 1, self.columnCount() - 1))
        self.edited.emit()

    def _show_added(self, wanted: list[int]) -> None:
        """New rows come and go at the end; a view keeps its place."""
        first, shown = self.stored_count(), len(self._added)
        if len(wanted) > shown:
            self.beginInsertRows(QModelIndex(), first + shown, first + len(wanted) - 1)
            self._added = wanted
            self.endInsertRows()
        elif len(wanted) < shown:
            self.beginRemoveRows(QModelIndex(), first + len(wanted), first + shown - 1)
            self._added = wanted
            self.endRemoveRows()
        self._added = wanted

    def number_at(self, position: int) -> int | None:
        """The number of the row at a place; None until its page is there."""
        if position >= self.stored_count():
            new = position - self.stored_count()
            return self._added[new] if new < len(self._added) else None
        text = super()._cell(position, self._names.index("row")) if "row" in self._names else None
        return int(text) if text and text.lstrip("-").isdigit() else None

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else self.stored_count() + len(self._added)

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        if (
            self._draft is None
            or not index.isValid()
            or kind_of(self._names[index.column()]) not in _EDITABLE
        ):
            return flags
        return flags | Qt.ItemFlag.ItemIsEditable

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        if role != Qt.ItemDataRole.EditRole or not index.isValid():
            return False
        return self.put(index, str(value))

    def put(self, index: Index, text: str, *, typing: bool = False) -> bool:
        """Give a cell another text. typing: it is still being typed, and nobody is told when it is not right yet."""
        number, column = self.number_at(index.row()), self._names[index.column()]
        if self._draft is None or number is None or text == (self._cell(index.row(), index.column()) or ""):
            return False
        try:
            check_cell(column, text)
            self._draft.set_cell(number, column, kept_text(column, text), typing=typing)
        except StudioError as problem:
            if not typing:
                self.refused.emit(problem)
            return False
        if not typing:
            self.dataChanged.emit(index, index)
        self.edited.emit()
        return True

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.column() >= len(self._names):
            return None
        column = self._names[index.column()]
        if role == RowRole.COLUMN:
            return column
        if role == RowRole.KIND:
            return kind_of(column)
        if role == RowRole.NUMBER:
            return self.number_at(index.row())
        if role == RowRole.EDITED:
            return self._override(index.row(), column) is not None
        if role == RowRole.LEAVING:
            return self._draft is not None and self.number_at(index.row()) in self._draft.removed
        return self._shown(index, column, role)

    def _shown(self, index: Index, column: str, role: int) -> Any:
        if role == Qt.ItemDataRole.EditRole:
            return self._cell(index.row(), index.column()) or ""
        if role not in (
            Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole, Qt.ItemDataRole.ToolTipRole,
        ):  # fmt: skip
            return super().data(index, role)
        text = self._cell(index.row(), index.column())
        if role == Qt.ItemDataRole.ToolTipRole:
            if text and kind_of(column) is CellKind.AUDIO:
                return _("Opens the recording in the player of your computer")
            return text[:TOOLTIP_CHARS] if text and len(text) > _LONG else None
        if text is None:
            return PLACEHOLDER
        if role == Qt.ItemDataRole.AccessibleTextRole and self.data(index, RowRole.LEAVING):
            return _("{text} (will be removed)").format(text=_meta_words(column, text))
        return _meta_words(column, text)

    def _cell(self, row: int, column: int) -> str | None:
        override = self._override(row, self._names[column])
        if override is not None:
            return override
        if row >= self.stored_count():
            return _("new") if self._names[column] == "row" else ""
        return super()._cell(row, column)

    def _override(self, row: int, column: str) -> str | None:
        """The draft's text for a cell ("" for one that was emptied), None where it has none."""
        if self._draft is None:
            return None
        number = self.number_at(row)
        if number is None:
            return None
        edits = (self._draft.added_rows if number < 0 else self._draft.cells).get(number)
        return (edits[column] or "") if edits and column in edits else None


def kind_at(index: Index) -> CellKind:
    """The kind of a cell (Qt hands a StrEnum on as a plain string)."""
    return CellKind(index.data(RowRole.KIND) or CellKind.PLAIN)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _meta_words(column: str, text: str) -> str:
    if column == "split" and text in list(Split):
        return domain_title(Split(text))
    if column == "origin":
        return _(_ORIGINS.get(text, text))
    return shown_text(kind_of(column), text)
