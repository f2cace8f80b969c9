"""Text boxes of a chat: Enter sends, Shift+Enter begins a new line, Esc gives up."""

from __future__ import annotations

import math

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent, QResizeEvent, QShowEvent, QTextOption
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from studio.gui.icons import icon
from studio.gui.theme import current_tokens
from studio.gui.widgets.buttons import IconButton, PrimaryButton, SecondaryButton
from studio.gui.widgets.labels import Caption
from studio.i18n import _

_ENTER = (Qt.Key.Key_Return, Qt.Key.Key_Enter)


class GrowingText(QPlainTextEdit):
    """Grows with what is typed, up to ``most_lines``. ``submitted``: Enter; ``given_up``: Esc."""

    submitted = Signal()
    given_up = Signal()

    def __init__(self, name: str, placeholder: str = "", *, most_lines: int = 8, least_lines: int = 1,
                 parent: QWidget | None = None) -> None:  # fmt: skip
        super().__init__(parent)
        self.setAccessibleName(name)
        self.setPlaceholderText(placeholder)
        self.setTabChangesFocus(True)
        self.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
        self.takes_escape = True
        self._lines = (least_lines, most_lines)
        self.document().documentLayout().documentSizeChanged.connect(lambda size: self._fit())
        self._fit()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in _ENTER and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
            self.submitted.emit()
        elif event.key() == Qt.Key.Key_Escape and self.takes_escape:
            self.given_up.emit()
        else:
            super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        if (
            event.type() == QEvent.Type.ShortcutOverride
            and isinstance(event, QKeyEvent)
            and event.key() == Qt.Key.Key_Escape
            and self.takes_escape
        ):
            event.accept()  # Esc belongs to this box, not to the page
            return True
        return super().event(event)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._fit()

    def _fit(self) -> None:
        least, most = self._lines
        lines = math.ceil(self.document().size().height())  # QPlainTextEdit measures its document in lines
        line_height = self.blockBoundingRect(self.document().firstBlock()).height()
        line_height /= max(1, self.document().firstBlock().lineCount())
        border = self.height() - self.viewport().height() if self.isVisible() else 0
        edge = 2 * self.document().documentMargin() + border
        height = math.ceil(max(least, min(most, lines)) * line_height + edge)
        policy = (
            Qt.ScrollBarPolicy.ScrollBarAsNeeded if lines > most else Qt.ScrollBarPolicy.ScrollBarAlwaysOff
        )
        if self.verticalScrollBarPolicy() != policy:
            self.setVerticalScrollBarPolicy(policy)
        if height != self.height():
            self.setFixedHeight(height)


class Composer(QFrame):
    """Where a question is typed. ``asked`` carries it (str); ``stopped``: the answer shall end."""

    asked = Signal(str)
    stopped = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        space = current_tokens().space
        self.box = GrowingText(_("Your question"), _("Ask something…"))
        self.box.setObjectName("chat_box")
        self.box.takes_escape = False
        self.send = IconButton("send", _("Send (Enter)"), self._submit)
        self.send.setIcon(icon("send", "accent_text"))
        self.stop = SecondaryButton(
            _("Stop"), self.stopped.emit, icon="stop", tooltip=_("Stop the answer (Esc)")
        )
        self.send.setObjectName("chat_send")
        self.stop.setObjectName("chat_stop")
        self.stop.hide()
        self._allowed = True
        row = QHBoxLayout(self)
        row.setContentsMargins(space.s, space.xs, space.s, space.xs)
        row.setSpacing(space.xs)
        row.addWidget(self.box, 1)
        for button in (self.send, self.stop):
            row.addWidget(button, 0, Qt.AlignmentFlag.AlignBottom)
        self.box.submitted.connect(self._submit)
        self.box.textChanged.connect(self._update)
        self.setFocusProxy(self.box)
        self._update()

    def set_busy(self, busy: bool) -> None:
        """While an answer comes the button stops it."""
        had_focus = self.send.hasFocus() or self.stop.hasFocus()
        self.stop.setVisible(busy)
        self.send.setVisible(not busy)
        if had_focus:
            self.box.setFocus(Qt.FocusReason.OtherFocusReason)

    def set_allowed(self, allowed: bool) -> None:
        """Whether a question may be sent now; typing is always possible."""
        self._allowed = allowed
        self._update()

    def text(self) -> str:
        """What is typed."""
        return self.box.toPlainText()

    def set_text(self, text: str) -> None:
        """Put words into the box, the caret behind them."""
        self.box.setPlainText(text)
        self.box.moveCursor(self.box.textCursor().MoveOperation.End)

    def _submit(self) -> None:
        question = self.box.toPlainText().strip()
        if question and self._allowed:
            self.box.clear()
            self.asked.emit(question)

    def _update(self) -> None:
        self.send.setEnabled(self._allowed and bool(self.box.toPlainText().strip()))


class InlineEditor(QFrame):
    """A text changed in its place: ``saved`` carries it (str), ``closed`` comes on Esc and Cancel."""

    saved = Signal(str)
    closed = Signal()

    def __init__(
        self, name: str, text: str, save_label: str, help_text: str = "", parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        space = current_tokens().space
        column = QVBoxLayout(self)
        column.setContentsMargins(0, space.xs, 0, space.xs)
        column.setSpacing(space.s)
        self.box = GrowingText(name, most_lines=14, least_lines=2)
        self.box.setPlainText(text)
        self.box.moveCursor(self.box.textCursor().MoveOperation.End)
        self.save = PrimaryButton(save_label, self._save)
        self.cancel = SecondaryButton(_("Cancel"), self.closed.emit)
        column.addWidget(self.box)
        if help_text:
            column.addWidget(Caption(help_text))
        buttons = QHBoxLayout()
        buttons.setSpacing(space.s)
        buttons.addStretch(1)
        buttons.addWidget(self.cancel)
        buttons.addWidget(self.save)
        column.addLayout(buttons)
        self.box.submitted.connect(self._save)
        self.box.given_up.connect(self.closed)
        self.box.textChanged.connect(lambda: self.save.setEnabled(bool(self.box.toPlainText().strip())))
        self.setFocusProxy(self.box)

    def _save(self) -> None:
        text = self.box.toPlainText().strip()
        if text:
            self.saved.emit(text)
