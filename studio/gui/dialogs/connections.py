"""Every outbound connection the program made, so that "offline" can be checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QHeaderView, QTableView, QVBoxLayout, QWidget

from studio.gui.widgets import BodyText, EmptyState, PageTitle, PrimaryButton
from studio.i18n import _
from studio.services.ports import OutboundCall

_Index = QModelIndex | QPersistentModelIndex


class ConnectionTable(QAbstractTableModel):
    """Columns: time, server, what for."""

    def __init__(self, rows: Sequence[OutboundCall], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._rows = list(rows)
        self._titles = (_("Time"), _("Server"), _("What for"))

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._rows)

    def columnCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self._titles)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = 0) -> Any:
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.DisplayRole:
            return self._titles[section]
        if orientation == Qt.Orientation.Horizontal and role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: _Index, role: int = int(Qt.ItemDataRole.DisplayRole)) -> Any:
        row = self._rows[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            when = f"{row.at.astimezone():%Y-%m-%d %H:%M:%S}"
            return (when, row.host, row.purpose)[index.column()]
        return None


class ConnectionsDialog(QDialog):
    """Lists connections, newest first; says plainly when there were none."""

    def __init__(self, connections: Sequence[OutboundCall], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(_("Connections"))
        self.resize(680, 440)
        column = QVBoxLayout(self)
        column.setContentsMargins(24, 20, 24, 20)
        column.setSpacing(12)
        column.addWidget(PageTitle(_("Connections")))
        column.addWidget(BodyText(_("Everything this program asked of another computer."), tone="muted"))
        column.addWidget(self._build_list(connections), 1)
        foot = QHBoxLayout()
        foot.addStretch(1)
        foot.addWidget(PrimaryButton(_("Close"), self.accept))
        column.addLayout(foot)

    def _build_list(self, connections: Sequence[OutboundCall]) -> QWidget:
        if not connections:
            return EmptyState("offline", _("No connection was made. Your data stays on this computer."))
        table = QTableView()
        table.setModel(ConnectionTable(sorted(connections, key=lambda c: c.at, reverse=True), table))
        table.setAccessibleName(_("Connections"))
        table.verticalHeader().hide()
        table.setShowGrid(False)
        table.setSelectionBehavior(QTableView.SelectionBehavior.SelectRows)
        table.horizontalHeader().setSectionResizeMode(2, QHeaderView.ResizeMode.Stretch)
        table.resizeColumnsToContents()
        return table
