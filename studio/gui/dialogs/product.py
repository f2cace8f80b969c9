"""Add or change one product of a matrix."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from PySide6.QtCore import Qt
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QLineEdit,
    QPlainTextEdit,
    QVBoxLayout,
    QWidget,
)

from studio.domain.products import (
    Matrix,
    Product,
    Purpose,
    Role,
    Stage,
    Task,
    check_product,
    task_help,
    title,
)
from studio.gui.dialogs.product_form import FormDialog
from studio.gui.theme import current_tokens
from studio.gui.widgets import Caption, FormRow
from studio.i18n import _

_DESCRIPTION_HEIGHT, _HELP_HEIGHT = 76, 32


class ProductDialog(FormDialog):
    """``product()`` is the product as typed; only meaningful after the dialog was accepted."""

    def __init__(self, matrix: Matrix, product: Product | None = None, parent: QWidget | None = None) -> None:
        adding = product is None
        super().__init__(
            _("Add product") if adding else _("Edit product"),
            _("Add product") if adding else _("Save"),
            parent,
        )
        self._matrix = matrix
        self._original = product or Product("", Role.AUXILIARY if matrix.core else Role.CORE)
        self.name = QLineEdit(self._original.name)
        self.name.setPlaceholderText(_("For example: Customer assistant"))
        self.role = _choice(Role, self._original.role)
        self.purposes = {purpose: QCheckBox(title(purpose)) for purpose in Purpose}
        self.stage = _choice(Stage, self._original.stage)
        self.task = _choice(Task, self._original.task)
        self.description = QPlainTextEdit(self._original.description)
        self._build()
        self.role.currentIndexChanged.connect(self._on_role)
        self._on_role()
        self.name.setFocus()

    def product(self) -> Product:
        """What was typed, with the id and the dataset of the product that was opened."""
        role = Role(self.role.currentData())
        chosen = tuple(purpose for purpose, box in self.purposes.items() if box.isChecked())
        return replace(
            self._original, name=self.name.text().strip(), role=role,
            purposes=chosen if role is Role.AUXILIARY else (), stage=Stage(self.stage.currentData()),
            task=Task(self.task.currentData()), description=self.description.toPlainText().strip(),
        )  # fmt: skip

    def check(self) -> None:
        check_product(self._matrix, self.product())

    def showEvent(self, event: QShowEvent) -> None:
        # Not earlier: the style sheet sets the least height of every input when it is first shown.
        self.description.ensurePolished()
        self.description.setFixedHeight(_DESCRIPTION_HEIGHT)
        super().showEvent(event)

    def _build(self) -> None:
        self.rows.addWidget(FormRow(_("Name"), self.name))
        pair = QHBoxLayout()
        pair.setSpacing(current_tokens().space.l)
        pair.addWidget(FormRow(_("Role"), self.role), 1)
        pair.addWidget(FormRow(_("Stage"), self.stage), 1)
        self.rows.addLayout(pair)
        self._purpose_box = QWidget()
        boxes = QVBoxLayout(self._purpose_box)
        boxes.setContentsMargins(0, 0, 0, 0)
        boxes.setSpacing(current_tokens().space.xs)
        for purpose, box in self.purposes.items():
            box.setChecked(purpose in self._original.purposes)
            boxes.addWidget(box)
        self._purpose_row = FormRow(_("What it does for the core product"), self._purpose_box)
        self.rows.addWidget(self._purpose_row)
        self.task_help = Caption()
        self.task_help.setMinimumHeight(_HELP_HEIGHT)  # two lines: the dialog keeps its height
        self.task_help.setAlignment(Qt.AlignmentFlag.AlignTop)
        self.task.currentIndexChanged.connect(self._on_task)
        self._on_task()
        task = QVBoxLayout()
        task.setSpacing(current_tokens().space.xs)
        task.addWidget(FormRow(_("What its model does"), self.task))
        task.addWidget(self.task_help)
        self.rows.addLayout(task)
        self.description.setTabChangesFocus(True)
        self.rows.addWidget(FormRow(_("Description"), self.description))

    def _on_task(self) -> None:
        text = task_help(Task(self.task.currentData()))
        self.task_help.setText(text)
        self.task.setAccessibleDescription(text)

    def _on_role(self) -> None:
        self._purpose_row.setVisible(self.role.currentData() == Role.AUXILIARY)


def _choice(members: type[StrEnum], current: StrEnum) -> QComboBox:
    combo = QComboBox()
    for member in members:
        combo.addItem(title(member), member)
    combo.setCurrentIndex(combo.findData(current))
    return combo
