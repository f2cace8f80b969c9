"""Name a new matrix, or rename one."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit, QWidget

from studio.errors import StudioError
from studio.gui.dialogs.product_form import FormDialog
from studio.gui.widgets import FormRow
from studio.i18n import _


class MatrixDialog(FormDialog):
    """``matrix_name`` and ``core_name`` are what was typed; the core product is asked for only when new."""

    def __init__(self, name: str = "", *, new: bool = True, parent: QWidget | None = None) -> None:
        super().__init__(
            _("New matrix") if new else _("Rename matrix"), _("Create matrix") if new else _("Save"), parent
        )
        self._new = new
        self.name = QLineEdit(name)
        self.name.setPlaceholderText(_("For example: Customer service"))
        self.core = QLineEdit()
        self.core.setPlaceholderText(_("For example: Customer assistant"))
        self.rows.addWidget(FormRow(_("Name of the matrix"), self.name))
        if new:
            help_text = _(
                "The product that earns the money. The others collect data for it, extend it or lead to it."
            )
            self.rows.addWidget(FormRow(_("Core product"), self.core, help_text))
        self.name.setFocus()

    @property
    def matrix_name(self) -> str:
        """The name, without blanks around it."""
        return self.name.text().strip()

    @property
    def core_name(self) -> str:
        """The core product's name, without blanks around it."""
        return self.core.text().strip()

    def check(self) -> None:
        if not self.matrix_name:
            raise StudioError("matrix.no_name", _("The matrix has no name."), _("Type a name."))
        if self._new and not self.core_name:
            raise StudioError("product.no_name", _("The core product has no name."), _("Type a name."))
