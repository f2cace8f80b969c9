"""When the chosen product cannot learn from this data: why, and the nearest way out as a button."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from studio.domain.task_fit import TaskAdvice
from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, Caption, IconLabel, SecondaryButton
from studio.i18n import _


class AdviceBar(QFrame):
    """offer_taken: the Offer whose button was clicked. Hidden while the data suits the product."""

    offer_taken = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("advice")
        self.offers: list[SecondaryButton] = []
        space = current_tokens().space
        row = QHBoxLayout(self)
        row.setContentsMargins(space.m, space.m, space.m, space.m)
        row.setSpacing(space.m)
        row.addWidget(IconLabel("warning", "warning", 20), 0, Qt.AlignmentFlag.AlignTop)
        column = QVBoxLayout()
        column.setSpacing(space.s)
        self.text = BodyText()
        column.addWidget(self.text)
        self._offers = QGridLayout()
        self._offers.setHorizontalSpacing(space.m)
        self._offers.setVerticalSpacing(space.s)
        self._offers.setColumnStretch(1, 1)
        column.addLayout(self._offers)
        row.addLayout(column, 1)
        self.hide()

    def show_advice(self, product: str, advice: TaskAdvice) -> None:
        """Say why the data does not suit the product, or nothing when it does."""
        self._empty()
        self.setVisible(not advice.fits)
        if advice.fits:
            return
        self.text.setText(
            _("Not for “{product}” as it is: {reason}").format(product=product, reason=advice.message)
        )
        self.setAccessibleName(self.text.text())
        for row, offer in enumerate(advice.offers):
            button = SecondaryButton(offer.title, partial(self.offer_taken.emit, offer))
            button.setAccessibleDescription(offer.explanation)
            self.offers.append(button)
            self._offers.addWidget(button, row, 0)
            self._offers.addWidget(Caption(offer.explanation), row, 1)

    def _empty(self) -> None:
        self.offers.clear()
        while (item := self._offers.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
