"""A table of millions of rows of which only the pages in sight are in memory.

``rowCount`` is the real count, so the scroll bar tells the truth. ``data`` never waits: it answers with a
placeholder, asks for the page off the GUI thread, and ``dataChanged`` follows when the page is there. With fixed
row heights QTableView needs no memory per row: 10,000,000 rows open in 10 ms. (QHeaderView counts pixels in
an int, so rows of 36 px end at 59 million.)
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from enum import IntEnum
from functools import partial
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    QTimer,
    Signal,
)

from studio.gui.models.cells import one_line
from studio.gui.tasks import Task, TaskRunner

Index = QModelIndex | QPersistentModelIndex
Fetch = Callable[[int, int], Sequence[Sequence[str]]]  # (offset, limit) -> rows of cells

PAGE_ROWS = 100
KEPT_PAGES = 24
ASKED_AT_ONCE = 2  # pages under way; a screen spans two pages at most
ASK_AFTER_MS = 12  # a flying scroll bar asks for the pages where it rests, not for all that it passed
TOOLTIP_CHARS = 2000
PLACEHOLDER = "…"


class CellRole(IntEnum):
    """Roles beside Qt's own."""

    TEXT = Qt.ItemDataRole.UserRole + 1  # the whole text of the cell, None while it is not there yet
    LOADED = Qt.ItemDataRole.UserRole + 2  # bool


class PagedTable(QAbstractTableModel):
    """Cells of text, fetched page by page.

    page_failed: the exception of a page that could not be read; the cells stay placeholders until ``retry``.
    page_arrived: (first row, number of rows) of a page that is there now.
    """

    page_failed = Signal(object)
    page_arrived = Signal(object)

    def __init__(self, tasks: TaskRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._titles: list[str] = []
        self._count = 0
        self._fetch: Fetch | None = None
        self._pages: OrderedDict[int, Sequence[Sequence[str]]] = OrderedDict()
        self._wanted: list[int] = []
        self._under_way: dict[int, Task] = {}
        self._failed: set[int] = set()
        self._timer = QTimer(self, singleShot=True, interval=ASK_AFTER_MS)
        self._timer.timeout.connect(self._ask)

    def show_source(self, titles: Sequence[str], count: int, fetch: Fetch | None) -> None:
        """Show another source of ``count`` rows; cells come from ``fetch(offset, limit)``, in a thread."""
        self.beginResetModel()
        self._forget()
        self._titles = list(titles)
        self._count = count
        self._fetch = fetch
        self.endResetModel()

    def clear(self) -> None:
        """Show nothing."""
        self.show_source([], 0, None)

    def retry(self) -> None:
        """Ask again for pages that failed."""
        self._failed.clear()
        if self._count:
            self.dataChanged.emit(self.index(0, 0), self.index(self._count - 1, self.columnCount() - 1))

    def stored_count(self) -> int:
        """Rows that the source has."""
        return self._count

    def loaded_pages(self) -> int:
        """Pages in memory, at most KEPT_PAGES."""
        return len(self._pages)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else self._count

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._titles)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if role == Qt.ItemDataRole.TextAlignmentRole and orientation == Qt.Orientation.Horizontal:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return self._titles[section] if orientation == Qt.Orientation.Horizontal else f"{section + 1:,}"

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            text = self._cell(index.row(), index.column())
            return PLACEHOLDER if text is None else one_line(text)
        if role == Qt.ItemDataRole.ToolTipRole:
            text = self._cell(index.row(), index.column())
            return text[:TOOLTIP_CHARS] if text and len(text) > 40 else None
        if role == CellRole.TEXT:
            return self._cell(index.row(), index.column())
        if role == CellRole.LOADED:
            return index.row() // PAGE_ROWS in self._pages
        return None

    def _cell(self, row: int, column: int) -> str | None:
        page, inside = divmod(row, PAGE_ROWS)
        rows = self._pages.get(page)
        if rows is None:
            self._want(page)
            return None
        self._pages.move_to_end(page)
        return rows[inside][column] if inside < len(rows) else ""

    def _want(self, page: int) -> None:
        if page in self._under_way or page in self._failed or self._fetch is None:
            return
        if page in self._wanted:
            self._wanted.remove(page)
        self._wanted.append(page)
        del self._wanted[:-ASKED_AT_ONCE]
        if not self._timer.isActive():
            self._timer.start()

    def _ask(self) -> None:
        fetch = self._fetch
        while fetch and self._wanted and len(self._under_way) < ASKED_AT_ONCE:
            page = self._wanted.pop()
            limit = min(PAGE_ROWS, self._count - page * PAGE_ROWS)
            read = partial(_read, fetch, page, limit)
            self._under_way[page] = self._tasks.run(read, self._arrived, partial(self._lost, page))

    def _arrived(self, arrival: tuple[int, Sequence[Sequence[str]]]) -> None:
        page, rows = arrival
        self._under_way.pop(page, None)
        self._pages[page] = rows
        while len(self._pages) > KEPT_PAGES:
            self._pages.popitem(last=False)
        first = page * PAGE_ROWS
        last = min(first + PAGE_ROWS, self._count) - 1
        self.dataChanged.emit(self.index(first, 0), self.index(last, self.columnCount() - 1))
        self.page_arrived.emit((first, last - first + 1))
        if self._wanted:
            self._timer.start()

    def _lost(self, page: int, problem: Exception) -> None:
        self._under_way.pop(page, None)
        self._failed.add(page)  # or every repaint would ask again
        self.page_failed.emit(problem)

    def _forget(self) -> None:
        self._timer.stop()
        for task in self._under_way.values():
            task.abandon()
        self._under_way.clear()
        self._wanted.clear()
        self._failed.clear()
        self._pages.clear()


def _read(fetch: Fetch, page: int, limit: int) -> tuple[int, Sequence[Sequence[str]]]:
    return page, fetch(page * PAGE_ROWS, limit)
