"""The table of rows: fixed heights, so that ten million open at once; edited by double click or F2."""

from __future__ import annotations

from PySide6.QtCore import QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from studio.gui.models.cells import CellKind, kind_of
from studio.gui.models.paged_table import CellRole, PagedTable
from studio.gui.models.rows_table import RowsTable, kind_at
from studio.gui.pages.data.editing.row_delegate import IMAGE_ROW_HEIGHT, ROW_HEIGHT

_WIDTHS = {
    CellKind.LABEL: 112, CellKind.LABELS: 200, CellKind.THUMB: 100, CellKind.NUMBER: 100, CellKind.IMAGE: 96,
    CellKind.AUDIO: 120,
}  # fmt: skip
_NARROW = {
    "split": 88, "origin": 110, "system": 160, "context": 160, "history": 200, "user": 140, "item": 140, "time": 150,
}  # fmt: skip
BEHIND = ("origin", "history", "system", "context")  # often empty: they stand behind what is always there
_LEAST, _ROOMY = 130, 240  # px of a text
_ROW_EDGES, _DIGIT = 24, 9


class RowsView(QTableView):
    """turns_wanted: QModelIndex of a conversation cell that was opened. listened: name (str) of a recording."""

    turns_wanted = Signal(object)
    listened = Signal(str)

    def __init__(self, model: RowsTable, name: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = model
        prepare(self, model, name)
        self.setEditTriggers(
            QAbstractItemView.EditTrigger.DoubleClicked | QAbstractItemView.EditTrigger.EditKeyPressed
        )
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setMouseTracking(True)
        model.modelReset.connect(self.fit)

    def fit(self) -> None:
        """Give each column the width of its kind; texts share what is left before the columns behind."""
        names = self._rows.names()
        image = any(kind_of(name) is CellKind.IMAGE for name in names)
        self.verticalHeader().setDefaultSectionSize(IMAGE_ROW_HEIGHT if image else ROW_HEIGHT)
        widths = [_NARROW.get(name) or _WIDTHS.get(kind_of(name), 0) for name in names]
        if "row" in names:
            widths[names.index("row")] = _ROW_EDGES + _DIGIT * max(len(str(self._rows.rowCount())), 3)
        if "split" in names:  # the filter over the table says the part too
            part = names.index("split")
            tight = self.viewport().width() < sum(widths) + _ROOMY * widths.count(0)
            self.setColumnHidden(part, tight)
            widths[part] = 0 if tight else widths[part]
        texts = [
            section for section, width in enumerate(widths) if not width and not self.isColumnHidden(section)
        ]
        behind = sum(width for name, width in zip(names, widths, strict=True) if name in BEHIND)
        room = self.viewport().width() - sum(widths)
        if room < _ROOMY * len(texts):  # the texts are what is read: the others are scrolled to
            room += behind
        share = max(_LEAST, room // max(len(texts), 1))
        for section, width in enumerate(widths):
            if not self.isColumnHidden(section):
                self.setColumnWidth(section, width or share)

    def chosen_numbers(self) -> list[int]:
        """Numbers of the chosen rows."""
        found = [self._rows.number_at(index.row()) for index in self.selectionModel().selectedRows()]
        return [number for number in found if number is not None]

    def keyPressEvent(self, event: QKeyEvent) -> None:
        index = self.currentIndex()
        if event.key() == Qt.Key.Key_F2 and (self._open_turns(index) or self._listen(index)):
            return
        super().keyPressEvent(event)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        super().mousePressEvent(event)
        plain = event.modifiers() == Qt.KeyboardModifier.NoModifier  # with others several rows are chosen
        if event.button() == Qt.MouseButton.LeftButton and plain:
            self._listen(self.indexAt(event.position().toPoint()))

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        if not self._open_turns(self.indexAt(event.position().toPoint())):
            super().mouseDoubleClickEvent(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self.fit()

    def _open_turns(self, index: QModelIndex) -> bool:
        if not index.isValid() or kind_at(index) is not CellKind.TURNS:
            return False
        self.turns_wanted.emit(index)
        return True

    def _listen(self, index: QModelIndex) -> bool:
        if not index.isValid() or kind_at(index) is not CellKind.AUDIO:
            return False
        if name := index.data(CellRole.TEXT):
            self.listened.emit(str(name))
        return True


def prepare(view: QTableView, model: PagedTable, name: str) -> None:
    """What all paged tables of the page have in common."""
    view.setModel(model)
    view.setAccessibleName(name)
    view.setShowGrid(False)
    view.setWordWrap(False)
    view.setTabKeyNavigation(False)
    view.setAlternatingRowColors(True)
    view.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
    view.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
    view.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerItem)
    view.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
    # Fixed heights: Qt then computes where a row is instead of remembering it for each.
    view.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
    view.verticalHeader().setDefaultSectionSize(ROW_HEIGHT)
    view.verticalHeader().hide()
    view.horizontalHeader().setStretchLastSection(True)
    view.horizontalHeader().setHighlightSections(False)
    view.horizontalHeader().setSectionsClickable(False)
