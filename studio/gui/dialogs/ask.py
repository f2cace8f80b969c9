"""One question with a few named answers, phrased as deeds rather than Yes and No."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from PySide6.QtWidgets import QDialog, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, DangerButton, PrimaryButton, SecondaryButton, SectionTitle

_WIDTH = 440
_KINDS: dict[str, type[QPushButton]] = {
    "primary": PrimaryButton,
    "secondary": SecondaryButton,
    "danger": DangerButton,
}


@dataclass(frozen=True)
class Answer:
    """A button: ``key`` is what the dialog returns for it."""

    key: str
    title: str
    kind: Literal["primary", "secondary", "danger"] = "secondary"


class AskDialog(QDialog):
    """``answer`` is the key of the button that was pressed; "" when the dialog was closed otherwise (Escape)."""

    def __init__(
        self, question: str, text: str, answers: Sequence[Answer], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.answer = ""
        self.buttons: dict[str, QPushButton] = {}
        self.setWindowTitle(question)
        self.setAccessibleDescription(text)
        space = current_tokens().space
        column = QVBoxLayout(self)
        column.setContentsMargins(space.xl, space.xl, space.xl, space.xl)
        column.setSpacing(space.m)
        self.setMinimumWidth(_WIDTH)
        column.addWidget(SectionTitle(question))
        column.addWidget(BodyText(text, tone="muted"))
        column.addSpacing(space.s)
        row = QHBoxLayout()
        row.setSpacing(space.s)
        row.addStretch(1)
        for answer in answers:
            button = _KINDS[answer.kind](answer.title)
            button.clicked.connect(lambda _checked=False, key=answer.key: self._choose(key))
            self.buttons[answer.key] = button
            row.addWidget(button)
        column.addLayout(row)

    def _choose(self, key: str) -> None:
        self.answer = key
        self.accept()


def ask(parent: QWidget, question: str, text: str, do: str, dont: str, *, danger: bool = False) -> bool:
    """Ask and wait; True when the deed ``do`` was chosen. The harmless answer has the focus."""
    answers = [Answer("no", dont), Answer("yes", do, "danger" if danger else "primary")]
    dialog = AskDialog(question, text, answers, parent)
    dialog.buttons["no"].setFocus()
    dialog.exec()
    return dialog.answer == "yes"
