"""Small states in a word, with an icon so that colour never speaks alone."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSizePolicy, QWidget

from studio.gui.icons import icon_pixmap
from studio.gui.theme import Tone, current_tokens, ui_font

_ICONS: dict[Tone, str] = {
    "neutral": "circle", "accent": "info", "success": "success", "warning": "warning", "error": "error",
}  # fmt: skip
_TONES: dict[Tone, str] = {
    "neutral": "text_muted", "accent": "accent_text", "success": "success", "warning": "warning", "error": "error",
}  # fmt: skip


class IconLabel(QLabel):
    """An icon of the family as a picture; redraws itself when the theme changes."""

    def __init__(
        self, name: str, tone: str = "text_muted", size: int = 20, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self._name, self._tone, self._size = name, tone, size
        self.setFixedSize(size, size)
        self._paint_icon()

    def set_icon(self, name: str, tone: str) -> None:
        """Change picture and colour token."""
        self._name, self._tone = name, tone
        self._paint_icon()

    def changeEvent(self, event: object) -> None:
        super().changeEvent(event)  # type: ignore[arg-type]
        self._paint_icon()

    def _paint_icon(self) -> None:
        pixmap = icon_pixmap(self._name, self._tone, self._size, self.devicePixelRatioF())
        if self.pixmap().cacheKey() != pixmap.cacheKey():
            self.setPixmap(pixmap)


class Chip(QFrame):
    """A short word on a soft ground, e.g. a role or a tag."""

    def __init__(
        self, text: str, tone: Tone = "neutral", *, icon: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.setFixedHeight(22)
        row = QHBoxLayout(self)
        row.setContentsMargins(7 if icon else 9, 0, 9, 0)
        row.setSpacing(4)
        self._icon = IconLabel(icon or "circle", _TONES[tone], 14, self)
        self._icon.setVisible(bool(icon))
        self._label = QLabel(text)
        self._label.setFont(ui_font(current_tokens().fonts.caption))
        row.addWidget(self._icon)
        row.addWidget(self._label, 0, Qt.AlignmentFlag.AlignVCenter)
        self.set(text, tone, icon)

    def set(self, text: str, tone: Tone = "neutral", icon: str = "") -> None:
        """Change word, tone and icon."""
        self._label.setText(text)
        self._label.setProperty("tone", {"neutral": "muted"}.get(tone, tone))
        self.setProperty("tone", tone)
        self._icon.setVisible(bool(icon))
        if icon:
            self._icon.set_icon(icon, _TONES[tone])
        for widget in (self, self._label):
            widget.style().unpolish(widget)
            widget.style().polish(widget)
        self.setAccessibleName(text)

    def text(self) -> str:
        """The word shown."""
        return self._label.text()


class StateBadge(Chip):
    """A chip that always has the icon of its tone."""

    def __init__(
        self, text: str, tone: Tone = "neutral", *, icon: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(text, tone, icon=icon or _ICONS[tone], parent=parent)

    def set(self, text: str, tone: Tone = "neutral", icon: str = "") -> None:
        super().set(text, tone, icon or _ICONS[tone])
