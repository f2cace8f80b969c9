"""The run under way and those that wait, in order; rows that wait can be dragged to another place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QByteArray,
    QMimeData,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
    Signal,
)

from studio.domain.runs import Run, RunState
from studio.domain.schedules import window_words
from studio.gui.icons import icon
from studio.gui.models.runs_words import state_words
from studio.i18n import N_, _
from studio.words import duration_words

Index = QModelIndex | QPersistentModelIndex
_MIME = "application/x-studio-queue-row"


class QueueColumn(IntEnum):
    """Columns in their order on the screen."""

    PLACE = 0
    NAME = 1
    DATA = 2
    STATE = 3
    HOURS = 4
    EXPECTED = 5


_TITLES = {
    QueueColumn.PLACE: N_("Place"),
    QueueColumn.NAME: N_("Name"),
    QueueColumn.DATA: N_("Data"),
    QueueColumn.STATE: N_("State"),
    QueueColumn.HOURS: N_("Hours"),
    QueueColumn.EXPECTED: N_("Expected time"),
}


@dataclass(frozen=True)
class QueueRow:
    """A run and why it waits. place: from 1 among those that wait; 0: under way."""

    run: Run
    place: int
    waits: str = ""


class QueueTable(QAbstractTableModel):
    """moved: (run id, new place from 1), dropped there by the mouse."""

    moved = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows: list[QueueRow] = []
        self._left_s: float | None = None

    def show(self, rows: Sequence[QueueRow]) -> None:
        """Show these rows."""
        self.beginResetModel()
        self._rows = list(rows)
        self.endResetModel()

    def set_left(self, seconds: float | None) -> None:
        """Seconds that the run under way still needs; None: unknown."""
        self._left_s = seconds
        for number, row in enumerate(self._rows):
            if not row.place:
                cell = self.index(number, QueueColumn.EXPECTED)
                self.dataChanged.emit(cell, cell)

    def rows(self) -> list[QueueRow]:
        """The rows as shown."""
        return list(self._rows)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(QueueColumn)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return _(_TITLES[QueueColumn(section)])
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid() or index.row() >= len(self._rows):
            return None
        row, column = self._rows[index.row()], QueueColumn(index.column())
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            if column is QueueColumn.EXPECTED and not row.place and self._left_s is not None:
                return _("{time} left").format(time=duration_words(self._left_s))
            return _text(row, column)
        if role == Qt.ItemDataRole.DecorationRole and column is QueueColumn.STATE:
            name, tone = _picture(row)
            return icon(name, tone)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        flags = super().flags(index)
        if not index.isValid():
            return flags | Qt.ItemFlag.ItemIsDropEnabled
        waits = self._rows[index.row()].place > 0
        return flags | Qt.ItemFlag.ItemIsDragEnabled if waits else flags

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def mimeTypes(self) -> list[str]:
        return [_MIME]

    def mimeData(self, indexes: Sequence[QModelIndex]) -> QMimeData:
        data = QMimeData()
        data.setData(_MIME, QByteArray(str(indexes[0].row()).encode()))
        return data

    def dropMimeData(
        self, data: QMimeData, action: Qt.DropAction, row: int, column: int, parent: Index
    ) -> bool:
        """A row was dropped between two others: tell it, and change nothing until the queue itself has changed."""
        if not data.hasFormat(_MIME):
            return False
        source = int(bytes(data.data(_MIME).data()).decode())
        target = row if row >= 0 else parent.row() if parent.isValid() else len(self._rows)
        ahead = len(
            [each for each in self._rows[:target] if each.place > 0 and each is not self._rows[source]]
        )
        self.moved.emit((self._rows[source].run.id, ahead + 1))
        return False  # so that the view does not remove the row by itself


def _text(row: QueueRow, column: QueueColumn) -> str:
    run = row.run
    match column:
        case QueueColumn.PLACE:
            return str(row.place) if row.place else _("Now")
        case QueueColumn.NAME:
            return run.name
        case QueueColumn.DATA:
            return run.plan.dataset_name
        case QueueColumn.STATE:
            return (
                state_words(run.state)
                if run.state is not RunState.QUEUED
                else row.waits or _("waits for its turn")
            )
        case QueueColumn.HOURS:
            return window_words(run.schedule) if run.schedule else _("any time")
        case QueueColumn.EXPECTED:
            return duration_words(run.estimate.seconds) if run.estimate else "–"


def _picture(row: QueueRow) -> tuple[str, str]:
    if row.run.state is RunState.PAUSED:
        return "pause", "warning"
    if row.run.state is RunState.RUNNING:
        return "play", "accent_text"
    return ("clock", "text_muted") if row.waits else ("queue", "text_muted")
