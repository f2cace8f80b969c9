"""A question with its answers side by side, and the scrolling column of all turns."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from studio.gui.models.chat_conversation import Answer, Turn
from studio.gui.theme import current_tokens
from studio.gui.widgets.buttons import IconButton
from studio.gui.widgets.chat_answer import AnswerView
from studio.gui.widgets.chat_input import InlineEditor
from studio.gui.widgets.labels import BodyText
from studio.i18n import _

FLUSH_MS = 66  # answers are repainted 15 times a second at most
SHARE = 6  # and drawing takes at most this part (1/6) of the time
TEXT_WIDTH = 760
BUBBLE_WIDTH = 460


class QuestionView(QFrame):
    """What the user asked. ``edited`` carries the changed question (str)."""

    edited = Signal(str)

    def __init__(self, question: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        space = current_tokens().space
        self._question = question
        self._editor: InlineEditor | None = None
        self.bubble = QFrame()
        self.bubble.setObjectName("chat_question")
        self.bubble.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        inside = QVBoxLayout(self.bubble)
        inside.setContentsMargins(14, 9, 14, 9)
        self._label = BodyText(question)
        self._label.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._label.setAccessibleName(_("You asked: {question}").format(question=question))
        self._fit_label()
        inside.addWidget(self._label)
        self.edit = IconButton("edit", _("Change this question and ask again"), self.open_editor)
        self.copy = IconButton(
            "copy", _("Copy question"), lambda: QGuiApplication.clipboard().setText(question)
        )
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(0)
        self._row.addStretch(1)
        for button in (self.copy, self.edit):
            self._row.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        self._row.addSpacing(space.xs)
        self._row.addWidget(self.bubble, 0)

    def _fit_label(self) -> None:
        """As wide as its words, up to the width of a bubble."""
        lines = self._question.split("\n")
        wide = max(self._label.fontMetrics().horizontalAdvance(line) for line in lines) + 4
        self._label.setFixedWidth(min(wide, BUBBLE_WIDTH))

    def set_editable(self, editable: bool) -> None:
        """No editing while an answer is coming."""
        self.edit.setEnabled(editable)

    def editor(self) -> InlineEditor | None:
        """The open editor, or None."""
        return self._editor

    def open_editor(self) -> None:
        """Change the question in its place."""
        if self._editor is not None:
            return
        self._editor = InlineEditor(_("Your question"), self._question, _("Ask again"))
        self._editor.closed.connect(self._close_editor)
        self._editor.saved.connect(self._on_saved)
        for part in (self.bubble, self.edit, self.copy):
            part.hide()
        self._row.addWidget(self._editor, 1000)
        self._editor.show()
        self._editor.box.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_saved(self, text: str) -> None:
        self._close_editor()
        self.edited.emit(text)

    def _close_editor(self) -> None:
        if self._editor is not None:
            self._editor.hide()
            self._editor.deleteLater()
            self._editor = None
            for part in (self.bubble, self.edit, self.copy):
                part.show()
            self.edit.setFocus(Qt.FocusReason.OtherFocusReason)


class TurnView(QWidget):
    """One question and the views of its answers, from left to right."""

    def __init__(
        self, turn: Turn, make_answer: Callable[[Answer], AnswerView], parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.turn = turn
        self.question = QuestionView(turn.question)
        self.answers: list[AnswerView] = []
        self._make_answer = make_answer
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(current_tokens().space.m)
        column.addWidget(self.question)
        self._row = QHBoxLayout()
        self._row.setSpacing(current_tokens().space.xl)
        column.addLayout(self._row)
        self.rebuild()

    def rebuild(self) -> None:
        """Show the turn's answers as they are now; views of answers that stayed are kept."""
        old = {view.answer: view for view in self.answers}
        self.answers = [old.pop(a) if a in old else self._make_answer(a) for a in self.turn.answers]
        for view in old.values():
            view.hide()
            view.deleteLater()
        for position, view in enumerate(self.answers):
            self._row.insertWidget(position, view, 1)


class Transcript(QScrollArea):
    """All turns from top to bottom; follows the end while the user is at the end.

    make_answer: builds the view of an answer with its signals connected. edited: (Turn, new question).
    """

    edited = Signal(object)

    def __init__(self, make_answer: Callable[[Answer], AnswerView], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        space = current_tokens().space
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName(_("Conversation"))
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        ground = QWidget()
        ground.setObjectName("scroll_body")
        row = QHBoxLayout(ground)
        row.setContentsMargins(0, space.s, space.l, space.l)
        self._holder = QWidget()
        self._holder.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        row.addStretch(1)
        row.addWidget(self._holder, 1000)
        row.addStretch(1)
        self._column = QVBoxLayout(self._holder)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(space.xl)
        self._column.addStretch(1)
        self.setWidget(ground)
        self.set_wide(False)
        self.turns: list[TurnView] = []
        self._make_answer = make_answer
        self._dirty: set[Answer] = set()
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self.flush)
        self._at_end = True
        self.verticalScrollBar().valueChanged.connect(self._on_scrolled)
        self.verticalScrollBar().rangeChanged.connect(self._on_range)

    def set_wide(self, wide: bool) -> None:
        """Two answers side by side get more room than one."""
        self._holder.setMaximumWidth(2 * TEXT_WIDTH if wide else TEXT_WIDTH)

    def add(self, turn: Turn) -> None:
        """Append a turn and go to it."""
        view = TurnView(turn, self._make_answer)
        view.question.edited.connect(lambda text: self.edited.emit((turn, text)))
        self._column.insertWidget(self._column.count() - 1, view)
        self.turns.append(view)
        self._at_end = True
        self._mark_last()

    def cut(self, index: int) -> None:
        """Take views out, from ``index`` on."""
        for view in self.turns[index:]:
            self._column.removeWidget(view)
            view.hide()
            view.deleteLater()
        del self.turns[index:]
        self._mark_last()

    def rebuild(self, turn: Turn) -> None:
        """An answer of this turn was replaced."""
        view = next(view for view in self.turns if view.turn is turn)
        view.rebuild()
        self._mark_last()

    def view_of(self, answer: Answer) -> AnswerView | None:
        """The view of an answer, None when it was cut."""
        return next((v for turn in reversed(self.turns) for v in turn.answers if v.answer is answer), None)

    def views(self) -> list[AnswerView]:
        """The views of all answers in order."""
        return [view for turn in self.turns for view in turn.answers]

    def grew(self, answer: Answer) -> None:
        """Something was added to an answer; it is drawn with the next beat."""
        self._dirty.add(answer)
        if not self._timer.isActive():
            self._timer.start(FLUSH_MS)

    def flush(self) -> None:
        """Draw what has come since the last beat."""
        started = time.perf_counter()
        dirty, self._dirty = self._dirty, set()
        for answer in dirty:
            view = self.view_of(answer)
            if view is not None and answer.open:
                view.update_text()
        spent_ms = (time.perf_counter() - started) * 1000
        if spent_ms * SHARE > FLUSH_MS:  # a slow machine or a huge block: draw less often, stay responsive
            self._timer.start(round(spent_ms * SHARE))

    def set_editable(self, editable: bool) -> None:
        """Whether questions may be changed now."""
        for view in self.turns:
            view.question.set_editable(editable)

    def _mark_last(self) -> None:
        for position, turn in enumerate(self.turns):
            for view in turn.answers:
                view.set_last_turn(position == len(self.turns) - 1)

    def _on_scrolled(self, value: int) -> None:
        self._at_end = value >= self.verticalScrollBar().maximum() - 24

    def _on_range(self, _least: int, most: int) -> None:
        if self._at_end:
            self.verticalScrollBar().setValue(most)
