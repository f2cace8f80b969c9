"""The rows with the data doctor at their right: a splitter that folds where there is little room, and remembers."""

from __future__ import annotations

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from studio.gui.context import GuiContext
from studio.gui.pages.data.doctor import DoctorPanel
from studio.gui.pages.data.doctor.panel import LEAST_WIDTH
from studio.gui.pages.data.editing.rows_panel import RowsPanel
from studio.gui.theme import current_tokens
from studio.gui.widgets import IconButton
from studio.i18n import _, ngettext

FOLDS_BELOW = 680
_KEEP_AFTER_MS = 600
_LEAST_ROWS = 280


class BesideRows(QWidget):
    """The tools of the rows stand over both; ``toggle`` among them folds the doctor."""

    def __init__(self, ctx: GuiContext, rows: RowsPanel, doctor: DoctorPanel) -> None:
        super().__init__()
        self._ctx, self._rows, self._doctor = ctx, rows, doctor
        settings = ctx.services.settings.current
        self._wanted, self._room = settings.data_doctor_open, max(settings.data_doctor_width, LEAST_WIDTH)
        self._narrow: bool | None = None
        self._found = 0
        self.toggle = IconButton("wand", _("Data doctor"), self._on_toggled, checkable=True)
        rows.setMinimumWidth(_LEAST_ROWS)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.addWidget(rows)
        self.splitter.addWidget(doctor)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(current_tokens().space.l)
        self._keep = QTimer(self, singleShot=True, interval=_KEEP_AFTER_MS)
        self._keep.timeout.connect(self._remember)
        self.splitter.splitterMoved.connect(lambda *_place: self._keep.start())
        rows.tools.addWidget(self.toggle)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(current_tokens().space.s)
        column.addLayout(rows.tools)
        column.addWidget(rows.bar)
        column.addWidget(self.splitter, 1)
        rows.bind_keys(self)
        doctor.reported.connect(self._on_reported)
        self._show_doctor(self._wanted)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = event.size().width() < FOLDS_BELOW
        if narrow != self._narrow:
            self._narrow = narrow
            self._show_doctor(self._wanted and not narrow)
        elif not self._doctor.isHidden() and event.size().width() != event.oldSize().width():
            self._divide()

    def _on_toggled(self) -> None:
        self._show_doctor(self.toggle.isChecked())
        if not self._narrow:  # folded for want of room is no wish
            self._wanted = self.toggle.isChecked()
            self._keep.start()

    def _show_doctor(self, shown: bool) -> None:
        self.toggle.setChecked(shown)
        self._doctor.setVisible(shown)
        self._name_toggle()
        if shown:
            self._divide()

    def _on_reported(self, found: int) -> None:
        self._found = found
        self._name_toggle()

    def _name_toggle(self) -> None:
        """A folded doctor says how much it found, or nobody would look."""
        hidden = self._doctor.isHidden() and self._found > 0
        findings = ngettext("{n} finding", "{n} findings", self._found).format(n=self._found)
        self.toggle.setText(findings if hidden else "")
        beside, alone = Qt.ToolButtonStyle.ToolButtonTextBesideIcon, Qt.ToolButtonStyle.ToolButtonIconOnly
        self.toggle.setToolButtonStyle(beside if hidden else alone)

    def _divide(self) -> None:
        room = self._room if not self._keep.isActive() else self.splitter.sizes()[1]
        doctor = max(LEAST_WIDTH, min(room, self.width() - _LEAST_ROWS))
        self.splitter.setSizes([max(self.width() - doctor - self.splitter.handleWidth(), 1), doctor])

    def _remember(self) -> None:
        if not self._doctor.isHidden():
            self._room = self.splitter.sizes()[1]
        settings, wanted, room = self._ctx.services.settings, self._wanted, self._room
        current = settings.current
        if (current.data_doctor_open, current.data_doctor_width) != (wanted, room):
            self._ctx.tasks.run(
                lambda: settings.update(data_doctor_open=wanted, data_doctor_width=room),
                _done,
                self._ctx.notices.error_from,
            )


def _done(_settings: object) -> None:
    """Kept; nothing to show."""
