"""Begin a K-fold: like which run, and how many folds."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QComboBox, QSpinBox, QWidget

from studio.domain.runs import RunPlan
from studio.gui.dialogs.product_form import FormDialog
from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, DropDown, FormRow, SectionTitle
from studio.i18n import _
from studio.services.folds import LEAST, MOST

USUAL = 5


class FoldsDialog(FormDialog):
    """``plan()`` and ``k()`` after it was accepted. plans: to choose from, not empty."""

    def __init__(self, plans: Sequence[RunPlan], parent: QWidget | None = None) -> None:
        super().__init__(_("Check by folds"), _("Put into the queue"), parent)
        self._plans = list(plans)
        self.source = DropDown()
        self.source.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        for plan in self._plans:
            self.source.addItem(plan.name)
        self.number = QSpinBox()
        self.number.setRange(LEAST, MOST)
        self.number.setValue(USUAL)
        self.number.setFixedHeight(current_tokens().control_height)
        self.number.lineEdit().setTextMargins(7, 0, 0, 0)
        self.rows.addWidget(SectionTitle(_("How sure are these settings?")))
        self.rows.addWidget(
            BodyText(
                _(
                    "The same settings are trained several times, each time checked on another part of the rows."
                ),
                tone="muted",
            )
        )
        self.rows.addWidget(FormRow(_("Settings of"), self.source))
        self.rows.addWidget(
            FormRow(_("Number of folds"), self.number, _("More take longer and tell more; 5 is usual."))
        )

    def plan(self) -> RunPlan:
        """Of the folds."""
        return self._plans[max(self.source.currentIndex(), 0)]

    def k(self) -> int:
        """How many."""
        return self.number.value()
