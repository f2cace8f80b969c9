"""A conversation message by message: who speaks, and what is said."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QVBoxLayout, QWidget

from studio.errors import StudioError
from studio.gui.dialogs.product_form import FormDialog
from studio.gui.models.cell_rules import check_cell
from studio.gui.models.cells import role_words, turns_text
from studio.gui.theme import current_tokens
from studio.gui.widgets import DropDown, GhostButton, IconButton, ScrollPage
from studio.i18n import _

_ROLES = ("user", "assistant", "system")
_HEIGHT = 420
_WIDTH = 560
_TEXT_HEIGHT = 84


class ConversationDialog(FormDialog):
    """``text()`` is the conversation as a cell holds it. editable: False to read only."""

    def __init__(
        self, turns: list[tuple[str, str]], column: str, parent: QWidget, *, editable: bool = True
    ) -> None:
        super().__init__(_("Conversation"), _("Keep"), parent)
        self._column, self._editable = column, editable
        self.turns: list[_Turn] = []
        self._list = ScrollPage(margin=0)
        self._list.setFixedSize(_WIDTH, _HEIGHT)
        self._list.body.addStretch(1)
        self.rows.addWidget(self._list)
        for role, content in turns:
            self._add(role, content)
        self.add = GhostButton(_("Add a message"), self.add_turn, icon="plus")
        self.rows.addWidget(self.add, 0, Qt.AlignmentFlag.AlignLeft)
        self.add.setVisible(editable)
        self.confirm.setVisible(editable)
        if not editable:
            self.cancel.setText(_("Close"))

    def text(self) -> str:
        """The messages as they stand; empty ones are left out."""
        return turns_text([turn.value() for turn in self.turns if turn.value()[1].strip()])

    def add_turn(self) -> None:
        """One more message, by whoever has not spoken last."""
        last = self.turns[-1].value()[0] if self.turns else "assistant"
        self._add("user" if last == "assistant" else "assistant", "").words.setFocus()

    def check(self) -> None:
        check_cell(self._column, self.text())
        if self._column == "messages" and not any(turn.value()[0] == "assistant" for turn in self.turns):
            raise StudioError(
                "cell.no_answer",
                _("The model says nothing in this conversation."),
                _("Add a message of the model."),
            )

    def _add(self, role: str, content: str) -> _Turn:
        turn = _Turn(role, content, self._editable)
        turn.leave.clicked.connect(lambda: self._remove(turn))
        self.turns.append(turn)
        self._list.body.insertWidget(self._list.body.count() - 1, turn)
        return turn

    def _remove(self, turn: _Turn) -> None:
        self.turns.remove(turn)
        turn.hide()
        turn.deleteLater()


class _Turn(QWidget):
    """One message."""

    def __init__(self, role: str, content: str, editable: bool) -> None:
        super().__init__()
        self.role = DropDown()
        for each in dict.fromkeys((*_ROLES, role)):
            self.role.addItem(role_words(each), each)
        self.role.setCurrentIndex(self.role.findData(role))
        self.role.setAccessibleName(_("Who speaks"))
        self.role.setEnabled(editable)
        self.leave = IconButton("trash", _("Remove this message"))
        self.words = QPlainTextEdit(content)
        self.words.setTabChangesFocus(True)
        self.words.setFixedHeight(_TEXT_HEIGHT)
        self.words.setReadOnly(not editable)
        self.words.setAccessibleName(_("What is said"))
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, current_tokens().space.m, 0)
        column.setSpacing(current_tokens().space.xs)
        head = QHBoxLayout()
        head.addWidget(self.role)
        head.addStretch(1)
        head.addWidget(self.leave)
        if not editable:
            self.leave.hide()
        column.addLayout(head)
        column.addWidget(self.words)

    def value(self) -> tuple[str, str]:
        """(role, content)."""
        return str(self.role.currentData()), self.words.toPlainText()
