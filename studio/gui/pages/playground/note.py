"""One sentence above the composer, e.g. that a training shares the processor."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QWidget

from studio.gui.widgets import Caption
from studio.gui.widgets.badge import IconLabel


class SlowNote(QWidget):
    """Hidden while there is nothing to say."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        self.words = Caption()
        row.addWidget(IconLabel("cpu", "warning", 16))
        row.addWidget(self.words, 1)
        self.hide()

    def show_words(self, words: str) -> None:
        """Empty hides it."""
        self.words.setText(words)
        self.setVisible(bool(words))
