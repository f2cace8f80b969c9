"""How many rows are held out: two sliders and the bar that shows what is left for training."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QSlider, QVBoxLayout, QWidget

from studio.domain.datasets import Split, SplitShares, title
from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, Caption, Figure, Share, Slider, SplitBar
from studio.i18n import N_, _

_MOST_PERCENT = 50
_HELP = {
    Split.VALIDATION: N_("Tried during training, to see when to stop."),
    Split.TEST: N_("Kept back to the end, for an honest verdict."),
}


class SplitEditor(QWidget):
    """``shares()`` are the chosen shares; ``changed`` when the user moved a slider."""

    changed = Signal()

    def __init__(self, shares: SplitShares, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._bar = SplitBar(counts=False)
        self.validation = self._slider(Split.VALIDATION, shares.validation)
        self.test = self._slider(Split.TEST, shares.test)
        self._figures = {Split.VALIDATION: Figure(), Split.TEST: Figure()}
        space = current_tokens().space
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(space.m)
        column.addWidget(self._bar)
        for split, slider in ((Split.VALIDATION, self.validation), (Split.TEST, self.test)):
            column.addLayout(self._row(split, slider))
        self._show()

    def shares(self) -> SplitShares:
        """The chosen shares, 0–0.5 each."""
        return SplitShares(validation=self.validation.value() / 100, test=self.test.value() / 100)

    def set_shares(self, shares: SplitShares) -> None:
        """Move the sliders."""
        self.validation.setValue(round(shares.validation * 100))
        self.test.setValue(round(shares.test * 100))

    def _row(self, split: Split, slider: QSlider) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(current_tokens().space.m)
        words = QVBoxLayout()
        words.setSpacing(0)
        words.addWidget(BodyText(title(split)))
        words.addWidget(Caption(_(_HELP[split])))
        row.addLayout(words, 3)
        row.addWidget(slider, 2)
        figure = self._figures[split]
        figure.setFixedWidth(44)
        figure.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(figure)
        return row

    def _slider(self, split: Split, share: float) -> QSlider:
        slider = Slider()
        slider.setRange(0, _MOST_PERCENT)
        slider.setPageStep(5)
        slider.setValue(round(share * 100))
        slider.setMinimumHeight(24)
        slider.setAccessibleName(title(split))
        slider.setAccessibleDescription(_(_HELP[split]))
        slider.valueChanged.connect(self._on_moved)
        return slider

    def _on_moved(self) -> None:
        self._show()
        self.changed.emit()

    def _show(self) -> None:
        validation, test = self.validation.value(), self.test.value()
        self._figures[Split.VALIDATION].setText(f"{validation}%")
        self._figures[Split.TEST].setText(f"{test}%")
        parts = ((Split.TRAIN, 100 - validation - test), (Split.VALIDATION, validation), (Split.TEST, test))
        self._bar.set([Share(title(split), amount) for split, amount in parts])
