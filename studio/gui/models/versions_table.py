"""The versions of one dataset as a table, newest first; a family has tens of them, so all are in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import IntEnum
from typing import Any

from PySide6.QtCore import (
    QAbstractTableModel,
    QDateTime,
    QLocale,
    QModelIndex,
    QObject,
    QPersistentModelIndex,
    Qt,
)

from studio.domain.datasets import DatasetVersion
from studio.i18n import N_, _
from studio.words import labelled
from studio.words_versions import change_sentence, change_words, version_words

Index = QModelIndex | QPersistentModelIndex


class VersionColumn(IntEnum):
    """Columns in their order on the screen."""

    NUMBER = 0
    WHAT = 1
    CHANGE = 2
    ROWS = 3
    WHEN = 4


VERSION_ROLE = Qt.ItemDataRole.UserRole + 1  # DatasetVersion
_TITLES = {
    VersionColumn.NUMBER: N_("Version"),
    VersionColumn.WHAT: N_("What was done"),
    VersionColumn.CHANGE: N_("Changes"),
    VersionColumn.ROWS: N_("Rows"),
    VersionColumn.WHEN: N_("When"),
}


class VersionsTable(QAbstractTableModel):
    """``show_versions`` takes the family, newest first."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._versions: list[DatasetVersion] = []
        self._replaced: set[str] = set()

    def show_versions(
        self, versions: Sequence[DatasetVersion], replaced: Sequence[DatasetVersion] = ()
    ) -> None:
        """Show another family, or the same after a step. replaced: versions that were undone for others."""
        self.beginResetModel()
        self._versions = sorted([*versions, *replaced], key=lambda version: -version.number)
        self._replaced = {version.id for version in replaced}
        self.endResetModel()

    def version(self, row: int) -> DatasetVersion:
        """The version in a row. Raises IndexError."""
        return self._versions[row]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._versions)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(VersionColumn)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if role == Qt.ItemDataRole.TextAlignmentRole and orientation == Qt.Orientation.Horizontal:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.DisplayRole and orientation == Qt.Orientation.Horizontal:
            return _(_TITLES[VersionColumn(section)])
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        version, column = self._versions[index.row()], VersionColumn(index.column())
        if role == VERSION_ROLE:
            return version
        if role == Qt.ItemDataRole.DisplayRole:
            return self._cell(version, column)
        if role in (Qt.ItemDataRole.ToolTipRole, Qt.ItemDataRole.AccessibleTextRole):
            return change_sentence(version) if column is VersionColumn.CHANGE else self._cell(version, column)
        return None

    def _cell(self, version: DatasetVersion, column: VersionColumn) -> str:
        words = _CELLS[column](version)
        undone = column is VersionColumn.WHAT and version.id in self._replaced
        return labelled(_("Undone"), words) if undone else words


def _when(version: DatasetVersion) -> str:
    moment = QDateTime.fromSecsSinceEpoch(int(version.created_at.timestamp()))
    return QLocale().toString(moment, QLocale.FormatType.ShortFormat)


_CELLS: dict[VersionColumn, Callable[[DatasetVersion], str]] = {
    VersionColumn.NUMBER: lambda version: str(version.number),
    VersionColumn.WHAT: version_words,
    VersionColumn.CHANGE: lambda version: change_words(version) or "–",
    VersionColumn.ROWS: lambda version: f"{version.rows:,}",
    VersionColumn.WHEN: _when,
}
