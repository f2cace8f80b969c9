"""Text in the few sizes the program uses."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFrame, QLabel, QSizePolicy, QWidget

from studio.gui.theme import current_tokens, tabular_font, ui_font


class _Text(QLabel):
    """A label of one type size; wraps, and can be selected only when asked."""

    def __init__(self, text: str, font: QFont, tone: str, parent: QWidget | None) -> None:
        super().__init__(text, parent)
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setFont(font)
        self.setWordWrap(True)
        self.set_tone(tone)

    def set_tone(self, tone: str) -> None:
        """ "text", "muted", "accent", "success", "warning" or "error"; pair colours with an icon or a word."""
        if self.property("tone") != tone:
            self.setProperty("tone", tone)
            self.style().unpolish(self)
            self.style().polish(self)


class Display(_Text):
    """28 px: the one large sentence of a welcome."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, ui_font(current_tokens().fonts.display, QFont.Weight.DemiBold), "text", parent)


class PageTitle(_Text):
    """20 px: the name of a page."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, ui_font(current_tokens().fonts.title, QFont.Weight.DemiBold), "text", parent)


class SectionTitle(_Text):
    """16 px: the name of a part of a page."""

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text, ui_font(current_tokens().fonts.heading, QFont.Weight.DemiBold), "text", parent)


class BodyText(_Text):
    """14 px running text."""

    def __init__(
        self, text: str = "", parent: QWidget | None = None, *, tone: str = "text", bold: bool = False
    ) -> None:
        weight = QFont.Weight.DemiBold if bold else QFont.Weight.Normal
        super().__init__(text, ui_font(current_tokens().fonts.body, weight), tone, parent)


class Caption(_Text):
    """12 px help and side remarks."""

    def __init__(self, text: str = "", parent: QWidget | None = None, *, tone: str = "muted") -> None:
        super().__init__(text, ui_font(current_tokens().fonts.caption), tone, parent)


class Figure(_Text):
    """A number: tabular figures, one line. ``size`` in pixels."""

    def __init__(
        self, text: str = "", parent: QWidget | None = None, *, size: int = 0, tone: str = "text"
    ) -> None:
        fonts = current_tokens().fonts
        super().__init__(text, tabular_font(size or fonts.body, QFont.Weight.Medium), tone, parent)
        self.setWordWrap(False)


class Divider(QFrame):
    """A hairline between parts of a card."""

    def __init__(self, parent: QWidget | None = None, *, vertical: bool = False) -> None:
        super().__init__(parent)
        self.setObjectName("divider")
        if vertical:
            self.setFixedWidth(1)
            self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Expanding)
        else:
            self.setFixedHeight(1)
