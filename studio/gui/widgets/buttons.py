"""Buttons by importance: one primary a view, the rest secondary or ghost."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QPushButton, QToolButton, QWidget

from studio.gui.icons import icon as themed_icon
from studio.gui.theme import current_tokens


class _Button(QPushButton):
    """Takes focus by Tab, not by a click, so the ring shows only to people who use the keyboard."""

    icon_tone = "text"

    def __init__(
        self,
        text: str,
        on_click: Callable[[], object] | None = None,
        *,
        icon: str = "",
        tooltip: str = "",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(text, parent)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setAutoDefault(False)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAccessibleName(text)
        if icon:
            self.set_icon(icon)
        if tooltip:
            self.setToolTip(tooltip)
            self.setAccessibleDescription(tooltip)
        if on_click is not None:
            self.clicked.connect(lambda: on_click())

    def set_icon(self, name: str) -> None:
        """Show an icon of the family left of the text."""
        self.setIcon(themed_icon(name, self.icon_tone, self.icon_tone))
        self.setIconSize(QSize(22, 18))

    def setText(self, text: str) -> None:
        super().setText(text)
        self.setAccessibleName(text)


class PrimaryButton(_Button):
    """The one obvious next step."""

    icon_tone = "text_on_accent"


class SecondaryButton(_Button):
    """Another sensible step."""


class GhostButton(_Button):
    """A minor step: text only until hovered."""

    icon_tone = "accent_text"


class LinkButton(_Button):
    """A step inside running text."""

    icon_tone = "accent_text"


class DangerButton(_Button):
    """Throws something away (with a way back)."""

    icon_tone = "text_on_accent"


class IconButton(QToolButton):
    """An icon alone; ``name`` is its tooltip and what a screen reader says."""

    def __init__(
        self,
        icon: str,
        name: str,
        on_click: Callable[[], object] | None = None,
        *,
        checkable: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setCheckable(checkable)
        edge = current_tokens().icon
        self.setIconSize(QSize(edge, edge))
        self.set_icon(icon)
        self.set_name(name)
        if on_click is not None:
            self.clicked.connect(lambda: on_click())

    def set_icon(self, icon: str) -> None:
        """Change the icon."""
        self.setIcon(themed_icon(icon))

    def set_name(self, name: str) -> None:
        """Change tooltip and accessible name together."""
        self.setToolTip(name)
        self.setAccessibleName(name)
