"""A card on the plain ground: title, subtitle, one optional action, and room for content."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from studio.gui.theme import current_tokens
from studio.gui.widgets.labels import Caption, SectionTitle


class Card(QFrame):
    """Add content to ``body`` (a QVBoxLayout). Never put a card in a card; use ``flat`` wells at most."""

    def __init__(
        self,
        title: str = "",
        subtitle: str = "",
        *,
        action: QWidget | None = None,
        flat: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setProperty("flat", flat)
        space = current_tokens().space
        outer = QVBoxLayout(self)
        outer.setContentsMargins(space.xl - 4, space.l, space.xl - 4, space.xl - 4)
        outer.setSpacing(space.m)
        self._title = SectionTitle(title)
        self._subtitle = Caption(subtitle)
        self._header = self._build_header(action)
        outer.addWidget(self._header)
        self.body = QVBoxLayout()
        self.body.setSpacing(space.m)
        outer.addLayout(self.body, 1)
        self.set_title(title)
        self.set_subtitle(subtitle)
        self._header.setVisible(bool(title or subtitle or action))

    def _build_header(self, action: QWidget | None) -> QWidget:
        header = QWidget()
        row = QHBoxLayout(header)
        row.setContentsMargins(0, 0, 0, 0)
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._title)
        words.addWidget(self._subtitle)
        row.addLayout(words, 1)
        if action is not None:
            row.addWidget(action, 0, Qt.AlignmentFlag.AlignTop)
        return header

    def set_title(self, title: str) -> None:
        """Change the title; empty hides it."""
        self._title.setText(title)
        self._title.setVisible(bool(title))
        self.setAccessibleName(title)
        if title:
            self._header.show()

    def set_subtitle(self, subtitle: str) -> None:
        """Change the line under the title; empty hides it."""
        self._subtitle.setText(subtitle)
        self._subtitle.setVisible(bool(subtitle))
        if subtitle:
            self._header.show()

    def add(self, widget: QWidget, stretch: int = 0) -> None:
        """Append a widget to the body."""
        self.body.addWidget(widget, stretch)
