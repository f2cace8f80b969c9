"""The first rows of a file that may be imported, with the part that each column will play."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor

from studio.domain.datasets import SourcePreview
from studio.domain.shapes import ColumnRole, Shape
from studio.gui.theme import current_tokens

Index = QModelIndex | QPersistentModelIndex

_CELL_CHARS = 300
_TOOLTIP_CHARS = 1500
_SHAPES = {
    Shape.MESSAGES: frozenset({ColumnRole.MESSAGES}),
    Shape.TEXT: frozenset({ColumnRole.TEXT}),
    Shape.PROMPT_RESPONSE: frozenset(
        {ColumnRole.SYSTEM, ColumnRole.PROMPT, ColumnRole.CONTEXT, ColumnRole.RESPONSE}
    ),
}


class PreviewTable(QAbstractTableModel):
    """Rows as they stand in the file. ``roles_changed``: the roles of the columns are others now."""

    roles_changed = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._columns: list[str] = []
        self._rows: list[list[str]] = []
        self._roles: list[ColumnRole] = []

    def show_preview(self, preview: SourcePreview) -> None:
        """Show another file with its detected roles."""
        self.beginResetModel()
        self._columns = list(preview.columns)
        self._rows = preview.rows
        self._roles = [preview.roles.get(name, ColumnRole.IGNORE) for name in self._columns]
        self.endResetModel()
        self.roles_changed.emit()

    def columns(self) -> Sequence[str]:
        """Names of the columns, as in the file."""
        return self._columns

    def role(self, section: int) -> ColumnRole:
        """The part that a column plays."""
        return self._roles[section]

    def roles(self) -> dict[str, ColumnRole]:
        """The columns that are used, with their parts."""
        pairs = zip(self._columns, self._roles, strict=True)
        return {name: role for name, role in pairs if role is not ColumnRole.IGNORE}

    def set_role(self, section: int, role: ColumnRole) -> None:
        """Give a column a part; it is taken from the column that had it, and parts that do not go with it end."""
        if self._roles[section] is role:
            return
        family = next((roles for roles in _SHAPES.values() if role in roles), None)
        for other, had in enumerate(self._roles):
            if other != section and family is not None and (had is role or had not in family):
                self._roles[other] = ColumnRole.IGNORE
        self._roles[section] = role
        if self._rows:
            last = self.index(len(self._rows) - 1, len(self._columns) - 1)
            self.dataChanged.emit(self.index(0, 0), last)
        self.roles_changed.emit()

    def set_roles(self, roles: Mapping[str, ColumnRole]) -> None:
        """Give the named columns these parts, the others none (after the page was built anew)."""
        self._roles = [roles.get(name, ColumnRole.IGNORE) for name in self._columns]
        self.roles_changed.emit()

    def shape(self) -> Shape | None:
        """What a row becomes with these roles; None while something is missing."""
        used = set(self._roles)
        if ColumnRole.MESSAGES in used:
            return Shape.MESSAGES
        if ColumnRole.TEXT in used:
            return Shape.TEXT
        if {ColumnRole.PROMPT, ColumnRole.RESPONSE} <= used:
            return Shape.PROMPT_RESPONSE
        return None

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own default
        return 0 if parent.isValid() else len(self._columns)

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if role != Qt.ItemDataRole.DisplayRole:
            return None
        return self._columns[section] if orientation == Qt.Orientation.Horizontal else str(section + 1)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        row = self._rows[index.row()]
        text = row[index.column()] if index.column() < len(row) else ""
        if role == Qt.ItemDataRole.DisplayRole:
            return " ".join(text[:_CELL_CHARS].split())
        if role == Qt.ItemDataRole.ToolTipRole:
            return text[:_TOOLTIP_CHARS] if len(text) > 30 else None
        if role == Qt.ItemDataRole.ForegroundRole and self._roles[index.column()] is ColumnRole.IGNORE:
            return QColor(current_tokens().text_disabled)
        return None
