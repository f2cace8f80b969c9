"""The first real rows as the model will read them: what it learns from is coloured and underlined, the rest
is not.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QHBoxLayout, QLabel, QTextEdit, QVBoxLayout, QWidget

from studio.gui.theme import Theme, current_tokens, mono_font
from studio.gui.widgets import Caption
from studio.i18n import _
from studio.protocol.events import PreviewToken

_ROWS = 3
_TOKENS = 400  # of a row; a founder sees the pattern long before
_HEIGHT = 190


class BatchView(QWidget):
    """Rows of tokens with a legend. Read-only, selectable, reachable by Tab."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._rows: Sequence[Sequence[PreviewToken]] = ()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(current_tokens().space.s)
        column.addWidget(Caption(_("Some rows as the model reads them")))
        self.text = QTextEdit()
        self.text.setReadOnly(True)
        self.text.setTabChangesFocus(True)
        self.text.setFont(mono_font(current_tokens().fonts.caption))
        self.text.setAccessibleName(_("Some rows as the model reads them"))
        self.text.setFixedHeight(_HEIGHT)
        column.addWidget(self.text)
        legend = QHBoxLayout()
        legend.setSpacing(current_tokens().space.l)
        self._learned = _Sample(_("learned"), trained=True)
        self._read = _Sample(_("only read"), trained=False)
        legend.addWidget(self._learned)
        legend.addWidget(self._read)
        legend.addStretch(1)
        column.addLayout(legend)
        self._theme = theme
        theme.changed.connect(self._fill)

    def show_rows(self, rows: Sequence[Sequence[PreviewToken]]) -> None:
        """Show the beginning of these rows."""
        self._rows = [row[:_TOKENS] for row in rows[:_ROWS]]
        self._fill()

    def dispose(self) -> None:
        """Let go of the theme, which outlives the page."""
        self._theme.changed.disconnect(self._fill)

    def _fill(self) -> None:
        self._learned.dress()
        self._read.dress()
        self.text.clear()
        cursor = self.text.textCursor()
        for number, row in enumerate(self._rows):
            if number:
                cursor.insertText("\n\n", _format(trained=False))
            for stretch, trained in _stretches(row):
                cursor.insertText(stretch, _format(trained=trained))
        cursor.movePosition(QTextCursor.MoveOperation.Start)
        self.text.setTextCursor(cursor)


class _Sample(QLabel):
    """A word in the format that it explains."""

    def __init__(self, word: str, *, trained: bool) -> None:
        super().__init__(word)
        self._trained = trained
        font = self.font()
        font.setPixelSize(current_tokens().fonts.caption)
        font.setUnderline(trained)
        self.setFont(font)
        self.dress()

    def dress(self) -> None:
        palette = self.palette()
        palette.setColor(self.foregroundRole(), _format(trained=self._trained).foreground().color())
        self.setPalette(palette)


def _format(*, trained: bool) -> QTextCharFormat:
    tokens = current_tokens()
    made = QTextCharFormat()
    made.setForeground(QColor(tokens.accent_text if trained else tokens.text_muted))
    made.setFontUnderline(trained)
    if trained:
        made.setBackground(QColor(tokens.accent_soft))
    return made


def _stretches(row: Sequence[PreviewToken]) -> list[tuple[str, bool]]:
    """Neighbouring tokens of the same kind joined."""
    made: list[tuple[str, bool]] = []
    for token in row:
        if made and made[-1][1] == token.trained:
            made[-1] = (made[-1][0] + token.text, token.trained)
        else:
            made.append((token.text, token.trained))
    return made
