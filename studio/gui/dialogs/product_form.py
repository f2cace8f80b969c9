"""The frame of the small dialogs about products: a column of form rows, one message line, two buttons."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLayout, QVBoxLayout, QWidget

from studio.errors import StudioError
from studio.gui.theme import current_tokens
from studio.gui.widgets import Caption, PrimaryButton, SecondaryButton
from studio.i18n import _

WIDTH = 412  # of the rows, in px


class FormDialog(QDialog):
    """Subclasses fill ``rows`` and override ``check``; a StudioError raised there keeps the dialog open."""

    def __init__(self, title: str, confirm: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        space = current_tokens().space
        column = QVBoxLayout(self)
        column.setContentsMargins(space.xl, space.xl, space.xl, space.xl)
        column.setSpacing(space.l)
        column.setSizeConstraint(QLayout.SizeConstraint.SetFixedSize)  # always as high as its rows
        column.addStrut(WIDTH)
        self.rows = QVBoxLayout()
        self.rows.setSpacing(space.l)
        column.addLayout(self.rows)
        self.message = Caption(tone="error")
        self.message.hide()
        column.addWidget(self.message)
        self.confirm = PrimaryButton(confirm, self.accept)
        self.confirm.setDefault(True)
        self.cancel = SecondaryButton(_("Cancel"), self.reject)
        feet = QHBoxLayout()
        feet.setSpacing(space.s)
        feet.addStretch(1)
        feet.addWidget(self.cancel)
        feet.addWidget(self.confirm)
        column.addLayout(feet)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)

    def check(self) -> None:
        """Raise StudioError when what was typed breaks a rule."""

    def accept(self) -> None:
        try:
            self.check()
        except StudioError as problem:
            self.message.setText(str(problem))
            self.message.show()
            return
        super().accept()
