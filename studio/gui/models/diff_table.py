"""The rows that differ between two versions: before and after, with the changed words told apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any

from PySide6.QtCore import Qt

from studio.domain.datasets import RowChange, Split, title
from studio.gui.models.cells import CellKind, kind_of, shown_text
from studio.gui.models.paged_table import Index, PagedTable
from studio.gui.models.word_diff import Piece, from_first_change, word_diff
from studio.i18n import _
from studio.words import listed
from studio.words_data import column_title

PIECES_ROLE = Qt.ItemDataRole.UserRole + 20  # list[Piece] of a before or after cell
_META = ("row", "key", "origin")
_NO_TEXT: dict[str, str] = {}


class DiffColumn(IntEnum):
    """Columns in their order on the screen."""

    ROW = 0
    WHAT = 1
    BEFORE = 2
    AFTER = 3


class DiffTable(PagedTable):
    """Pages of RowChange; one table row each."""

    def show_changes(
        self, count: int, page: Callable[[int, int], list[RowChange]], first: Sequence[RowChange] = ()
    ) -> None:
        """Show ``count`` changes; ``page(offset, limit)`` gives them and is called in a thread.

        first: the changes of the first page, where they are known already.
        """

        def fetch(offset: int, limit: int) -> list[list[str]]:
            known = first if not offset and len(first) >= limit else page(offset, limit)
            return [_cells(change) for change in known[:limit]]

        self.show_source([_("Row"), _("Change"), _("Before"), _("After")], count, fetch)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if role != PIECES_ROLE or not index.isValid():
            return super().data(index, role)
        before = self._cell(index.row(), DiffColumn.BEFORE)
        after = self._cell(index.row(), DiffColumn.AFTER)
        if before is None or after is None:
            return None
        return pieces_of(before, after)[0 if index.column() == DiffColumn.BEFORE else 1]


def pieces_of(before: str, after: str) -> tuple[list[Piece], list[Piece]]:
    """Both sides of a change in pieces, from a little before the first change on."""
    if (
        not before or not after
    ):  # a row that came or left is changed as a whole; marking all of it says nothing
        return [Piece(before, False)], [Piece(after, False)]
    left, right = word_diff(before, after)
    return from_first_change(left), from_first_change(right)


def _cells(change: RowChange) -> list[str]:
    before, after = change.before or _NO_TEXT, change.after or _NO_TEXT
    if change.before is None or change.after is None:
        what = _("Added") if change.before is None else _("Removed")
        columns = [name for name in (*before, *after) if name not in _META and name != "split"]
    else:
        columns = [name for name in after if name not in _META and before.get(name) != after.get(name)]
        what = listed(column_title(name) for name in columns)
    return [f"{change.row:,}", what, _side(before, columns), _side(after, columns)]


def _side(cells: dict[str, str], columns: list[str]) -> str:
    parts = [_shown(name, cells[name]) for name in columns if cells.get(name)]
    return "  ·  ".join(parts)


def _shown(name: str, text: str) -> str:
    if name == "split" and text in list(Split):
        return title(Split(text))
    return text if kind_of(name) is CellKind.TEXT else shown_text(kind_of(name), text)
