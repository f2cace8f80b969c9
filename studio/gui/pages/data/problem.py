"""A failure said where it happened: what is wrong, and what to do."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from studio.errors import StudioError
from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, Caption, IconLabel


class ProblemLine(QFrame):
    """Hidden until there is something to say."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(current_tokens().space.s)
        row.addWidget(IconLabel("error", "error", 18), 0, Qt.AlignmentFlag.AlignTop)
        words = QVBoxLayout()
        words.setSpacing(2)
        self.text = BodyText(tone="error")
        self.hint = Caption()
        words.addWidget(self.text)
        words.addWidget(self.hint)
        row.addLayout(words, 1)
        self.hide()

    def show_problem(self, problem: StudioError) -> None:
        """Say what happened and what to do next."""
        self.text.setText(problem.message)
        self.hint.setText(problem.hint)
        self.hint.setVisible(bool(problem.hint))
        self.setAccessibleName(str(problem))
        self.show()

    def clear(self) -> None:
        """Say nothing."""
        self.text.setText("")
        self.hide()
