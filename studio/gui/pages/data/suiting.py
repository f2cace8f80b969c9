"""Data that is to be used for a product that cannot learn from it: why, and the ways out, before anything changes."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLayout, QVBoxLayout, QWidget

from studio.domain.datasets import DatasetVersion
from studio.domain.products import Product
from studio.domain.shapes import Shape
from studio.domain.task_fit import Offer, TaskAdvice, advice
from studio.gui.pages.data.sources.advice_bar import AdviceBar
from studio.gui.theme import current_tokens
from studio.gui.widgets import SecondaryButton, SectionTitle
from studio.i18n import _

_WIDTH = 560  # of the parts, in px


def use_advice(product: Product, dataset: DatasetVersion) -> TaskAdvice:
    """As for a source, with the ways out that are open to data that is imported already."""
    found = advice(dataset.shape, product.task, "")
    return replace(found, offers=tuple(offer for offer in found.offers if _open_to(dataset, offer)))


class SuitDialog(QDialog):
    """offer_taken: the Offer that was chosen; the dialog closes with it."""

    offer_taken = Signal(object)

    def __init__(self, product: Product, found: TaskAdvice, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(_("This data does not suit the product"))
        self.advice = AdviceBar()
        self.advice.show_advice(product.name, found)
        self.advice.offer_taken.connect(self._take)
        self.leave = SecondaryButton(_("Not now"), self.reject)
        space = current_tokens().space
        column = QVBoxLayout(self)
        column.setContentsMargins(space.xl, space.xl, space.xl, space.xl)
        column.setSpacing(space.m)
        column.setSizeConstraint(QLayout.SizeConstraint.SetFixedSize)  # always as high as its parts
        column.addStrut(_WIDTH)
        column.addWidget(SectionTitle(self.windowTitle()))
        column.addWidget(self.advice)
        feet = QHBoxLayout()
        feet.addStretch(1)
        feet.addWidget(self.leave)
        column.addLayout(feet)

    def _take(self, offer: Offer) -> None:
        self.offer_taken.emit(offer)
        self.accept()


def _open_to(dataset: DatasetVersion, offer: Offer) -> bool:
    return offer.task is not None or (dataset.shape, offer.shape) == (Shape.TEXT, Shape.TEXT_LABEL)
