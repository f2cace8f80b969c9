"""A text that is as high as what it says: Markdown, plain words, or tokens on their colours.

It never loads anything by itself. A click on a link is only told (``link_clicked``); the page decides.
"""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, QUrl, Signal
from PySide6.QtGui import QFocusEvent, QGuiApplication, QHelpEvent, QResizeEvent, QTextOption, QWheelEvent
from PySide6.QtWidgets import QFrame, QSizePolicy, QTextBrowser, QToolTip, QWidget

from studio.gui.theme import current_tokens, ui_font
from studio.gui.widgets.chat_document import COPY_SCHEME, DocumentWriter, plain_text
from studio.gui.widgets.chat_tokens import TokenWriter, token_words
from studio.i18n import _
from studio.protocol.events import Token


class ChatText(QTextBrowser):
    """Read-only text without scroll bars of its own. ``link_clicked`` carries the address (str)."""

    link_clicked = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("chat_text")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setOpenLinks(False)
        self.setUndoRedoEnabled(False)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextBrowserInteraction | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.document().setDocumentMargin(0)
        self.document().setDefaultFont(ui_font(current_tokens().fonts.body))
        self.document().setIndentWidth(22)
        self.setTabStopDistance(28)
        self.setCursorWidth(0)
        self._markdown = DocumentWriter(self.document(), current_tokens())
        self._tokens = TokenWriter(self.document(), current_tokens())
        self._shown: tuple[str, Any] = ("", "")  # what is written, to write it again in other colours
        self.anchorClicked.connect(self._on_anchor)
        self.cursorPositionChanged.connect(self._on_caret)

    def show_markdown(self, source: str, *, final: bool) -> None:
        """Bring the text to ``source``; cheap when it begins with what is shown. final: no more will come."""
        if self._shown[0] != "markdown" or not source.startswith(self._shown[1][0]):
            self._markdown.restart(current_tokens())
        self._shown = ("markdown", (source, final))
        self._markdown.write(source, final=final)
        self._fit()

    def show_tokens(self, tokens: list[Token]) -> None:
        """Show each token on a colour that says how sure the model was; their alternatives come on hover."""
        if self._shown[0] != "tokens":
            self._tokens.restart(current_tokens())
        self._shown = ("tokens", tokens)
        self._tokens.write(tokens)
        self._fit()

    def show_plain(self, text: str) -> None:
        """Show words as they are."""
        self._shown = ("plain", text)
        plain_text(self.document(), text, current_tokens().text)
        self._fit()

    def codes(self) -> list[str]:
        """The code blocks shown, in order."""
        return self._markdown.codes

    def loadResource(self, kind: int, name: QUrl | str) -> Any:
        """Nothing is ever loaded: no picture, no style sheet, no file."""
        return None

    def sizeHint(self) -> QSize:
        return QSize(240, self._height())

    def minimumSizeHint(self) -> QSize:
        return QSize(80, 20)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if event.size().width() != event.oldSize().width():
            self._fit()

    def wheelEvent(self, event: QWheelEvent) -> None:
        event.ignore()  # the transcript scrolls, not the answer

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_shown"):
            self._recolour()

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.setCursorWidth(1)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.setCursorWidth(0)

    def event(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and isinstance(event, QHelpEvent):
            words = self._words_at(event.pos())
            if words:
                QToolTip.showText(event.globalPos(), words, self)
            else:
                QToolTip.hideText()
            return True
        return super().event(event)

    def _words_at(self, place: QPoint) -> str:
        if self._shown[0] == "tokens":
            token = self._tokens.at(self.cursorForPosition(place).position())
            return token_words(token) if token else ""
        address = self.anchorAt(place)
        return "" if address.startswith(f"{COPY_SCHEME}:") else address

    def _on_caret(self) -> None:
        """The keyboard's way to the alternatives: they follow the caret."""
        if self._shown[0] == "tokens" and self.hasFocus():
            token = self._tokens.at(self.textCursor().position())
            if token:
                corner = self.viewport().mapToGlobal(self.cursorRect().bottomLeft())
                QToolTip.showText(corner, token_words(token), self)

    def _on_anchor(self, address: QUrl) -> None:
        if address.scheme() != COPY_SCHEME:
            self.link_clicked.emit(address.toString())
            return
        number = int(address.path() or -1)
        if 0 <= number < len(self._markdown.codes):
            QGuiApplication.clipboard().setText(self._markdown.codes[number])
            QToolTip.showText(self.cursor().pos(), _("Copied"), self)

    def _recolour(self) -> None:
        kind, content = self._shown
        self._shown = ("", "")
        if kind == "markdown":
            self.show_markdown(content[0], final=content[1])
        elif kind == "tokens":
            self.show_tokens(content)
        elif kind == "plain":
            self.show_plain(content)

    def _fit(self) -> None:
        height = self._height()
        if height != self.height():
            self.setFixedHeight(height)

    def _height(self) -> int:
        self.document().setTextWidth(self.viewport().width())
        return max(20, math.ceil(self.document().size().height()))
