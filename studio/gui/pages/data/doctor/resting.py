"""Nothing examined yet: what the doctor does in one sentence, and the button that begins."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QVBoxLayout, QWidget

from studio.gui.theme import current_tokens
from studio.gui.widgets import BodyText, Card, PrimaryButton
from studio.i18n import _


class RestingView(QWidget):
    """Offers the examination."""

    def __init__(self, on_examine: Callable[[], object], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.examine = PrimaryButton(_("Examine"), on_examine, icon="search")
        card = Card()
        card.body.setSpacing(current_tokens().space.m)
        card.add(
            BodyText(
                _("Looks for repeated, broken and private rows, and shows what each fix would change."),
                tone="muted",
            )
        )
        card.add(self.examine)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(card)
        column.addStretch(1)
