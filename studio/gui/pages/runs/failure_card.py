"""Why a run ended badly: what happened, what to do, and the log behind Details."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPlainTextEdit

from studio.gui.theme import current_tokens, mono_font
from studio.gui.widgets import BodyText, Card, GhostButton
from studio.i18n import _


class FailureCard(Card):
    """Message and hint; ``load_details`` is asked (off the GUI thread) when Details is opened without any."""

    def __init__(self, load_details: Callable[[Callable[[str], None]], None]) -> None:
        super().__init__(_("What went wrong"))
        self._load_details = load_details
        self.message = BodyText(tone="error")
        self.hint = BodyText()
        self.toggle = GhostButton(_("Details"), self._on_toggle)
        self.toggle.set_icon("chevron-right")
        self.details = QPlainTextEdit()
        self.details.setReadOnly(True)
        self.details.setFont(mono_font(current_tokens().fonts.caption))
        self.details.setAccessibleName(_("Details of the failure"))
        self.details.setFixedHeight(220)
        self.details.setTabChangesFocus(True)
        self.details.hide()
        self.add(self.message)
        self.add(self.hint)
        self.body.addWidget(self.toggle, 0, Qt.AlignmentFlag.AlignLeft)
        self.add(self.details)
        self.hide()

    def show_failure(self, message: str, hint: str, details: str) -> None:
        """Show why it failed."""
        self.message.setText(message)
        self.hint.setText(hint)
        self.hint.setVisible(bool(hint))
        self.details.setPlainText(details)
        self.details.hide()
        self.toggle.set_icon("chevron-right")
        self.show()

    def _on_toggle(self) -> None:
        opening = self.details.isHidden()
        self.details.setVisible(opening)
        self.toggle.set_icon("chevron-down" if opening else "chevron-right")
        if opening and not self.details.toPlainText():
            self._load_details(self.details.setPlainText)
