"""One answer as it is seen: who speaks, the words as they come, what was measured, and what can be done with it."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from studio.domain.feedback import Signal as Reaction
from studio.gui.models.chat_conversation import Answer, AnswerState
from studio.gui.theme import current_tokens
from studio.gui.widgets.badge import IconLabel
from studio.gui.widgets.buttons import IconButton, SecondaryButton
from studio.gui.widgets.chat_input import InlineEditor
from studio.gui.widgets.chat_text import ChatText
from studio.gui.widgets.labels import BodyText, Caption
from studio.i18n import N_, _, ngettext
from studio.protocol.events import Answered

STOP_REASONS = {
    "end": N_("complete"),
    "length": N_("cut at the longest answer allowed"),
    "stopped": N_("stopped by you"),
}
_THANKS = {
    Reaction.UP: N_("Saved: a good answer"),
    Reaction.DOWN: N_("Saved: a poor answer"),
    Reaction.CORRECTION: N_("Saved: your corrected answer"),
}


def measured_words(result: Answered) -> str:
    """What an answer measured, in one line."""
    words = [_("First word after {seconds} s").format(seconds=f"{result.first_token_s:.1f}")]
    if result.tokens_per_s:
        words.append(_("{rate} tokens/s").format(rate=f"{result.tokens_per_s:.1f}"))
    words.append(ngettext("{n} token", "{n} tokens", result.tokens).format(n=result.tokens))
    words.append(_(STOP_REASONS[result.stop_reason]))
    return "  ·  ".join(words)


class AnswerView(QFrame):
    """Shows an Answer; call ``update_text`` when it grew and ``update_state`` when anything else changed.

    reacted: (Answer, Signal, correction text); regenerate_asked / retry_asked: Answer; link_clicked: address.
    """

    reacted = Signal(object)
    regenerate_asked = Signal(object)
    link_clicked = Signal(str)

    def __init__(
        self, answer: Answer, name: str, *, blind: bool = False, parent: QWidget | None = None
    ) -> None:
        super().__init__(parent)
        self.answer = answer
        self._blind = blind
        self._last_turn = True
        self._editor: InlineEditor | None = None
        self._was_open = answer.open
        self.text = ChatText()
        self.text.link_clicked.connect(self.link_clicked)
        self._name = Caption(name)
        self._waiting = BodyText("", tone="muted")
        self.problem = _ProblemLine()
        self.problem.retry.clicked.connect(lambda: self.regenerate_asked.emit(self.answer))
        self.measured = Caption()
        self.confirmation = _Confirmation()
        self._make_buttons()
        self._arrange()
        self.set_name(name, blind=blind)

    def set_name(self, name: str, *, blind: bool) -> None:
        """Change the name above the answer (a blind test begins or ends)."""
        self._blind = blind
        self._name.setText(name)
        self.text.setAccessibleName(_("Answer of {model}").format(model=name))
        self.update_state()

    def set_last_turn(self, last: bool) -> None:
        """Only the last question can be answered anew."""
        self._last_turn = last
        self.update_state()

    def update_text(self) -> None:
        """Show what was said by now."""
        answer = self.answer
        if answer.detailed:
            self.text.show_tokens(answer.tokens)
        elif answer.text:
            self.text.show_markdown(answer.text, final=not answer.open)
        self.text.setVisible(bool(answer.text))

    def update_state(self) -> None:
        """Show state, measurements and reaction."""
        answer = self.answer
        done, failed = answer.state is AnswerState.DONE, answer.state is AnswerState.FAILED
        self._waiting.setVisible(answer.state is AnswerState.WAITING or (done and not answer.text))
        self._waiting.setText(_("The model said nothing.") if done else _("Thinking…"))
        self.problem.setVisible(failed)
        self.problem.show_problem(answer.problem, answer.hint, can_retry=self._last_turn)
        if not answer.open:
            self.update_text()
        self._show_measured()
        self._buttons.setVisible(done)
        self.regenerate.setVisible(self._last_turn)
        self.good.setChecked(answer.reaction is Reaction.UP)
        self.poor.setChecked(answer.reaction is Reaction.DOWN)
        self.confirmation.show_words(_(_THANKS[answer.reaction]) if answer.reaction else "")
        if self._was_open and done:
            _announce(self.text, answer.text)
        self._was_open = answer.open

    def set_waiting_words(self, words: str) -> None:
        """Say what is waited for."""
        if self.answer.state is AnswerState.WAITING:
            self._waiting.setText(words)

    def open_editor(self) -> None:
        """Let the user write the better answer."""
        if self._editor is not None:
            return
        editor = InlineEditor(
            _("The answer it should have given"), self.answer.correction or self.answer.text, _("Save correction"),
            _("Your version is kept with this model and can be used in its next training. Shift+Enter: new line."),
        )  # fmt: skip
        self._editor = editor
        editor.closed.connect(self._close_editor)
        editor.saved.connect(self._on_corrected)
        self._column.insertWidget(self._column.indexOf(self.text) + 1, editor)
        editor.show()
        editor.box.setFocus(Qt.FocusReason.OtherFocusReason)
        editor.box.selectAll()

    def editor(self) -> InlineEditor | None:
        """The open editor of a correction, or None."""
        return self._editor

    def _make_buttons(self) -> None:
        self.copy = IconButton("copy", _("Copy answer"), self._copy)
        self.regenerate = IconButton(
            "refresh", _("Answer again"), lambda: self.regenerate_asked.emit(self.answer)
        )
        self.good = IconButton("thumb-up", _("Good answer"), lambda: self._react(Reaction.UP), checkable=True)
        self.poor = IconButton(
            "thumb-down", _("Poor answer"), lambda: self._react(Reaction.DOWN), checkable=True
        )
        self.correct = IconButton("edit", _("Correct this answer…"), self.open_editor)

    def _arrange(self) -> None:
        space = current_tokens().space
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(space.xs)
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(IconLabel("robot", "accent_text", 16))
        head.addWidget(self._name, 1)
        self._column.addLayout(head)
        for part in (self._waiting, self.text, self.problem, self.measured):
            self._column.addWidget(part)
        self._buttons = QWidget()
        row = QHBoxLayout(self._buttons)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        for button in (self.copy, self.regenerate, self.good, self.poor, self.correct):
            row.addWidget(button)
        row.addSpacing(space.s)
        row.addWidget(self.confirmation, 1)
        self._column.addWidget(self._buttons)
        self._column.addStretch(1)

    def _show_measured(self) -> None:
        result = self.answer.result
        self.measured.setVisible(result is not None)
        if result is None:
            return
        if self._blind:  # the pace would tell which model it is
            self.measured.setText(_(STOP_REASONS[result.stop_reason]))
            self.measured.setToolTip("")
            return
        self.measured.setText(measured_words(result))
        self.measured.setToolTip(_("Seed {seed} gives this answer again.").format(seed=result.seed))

    def _copy(self) -> None:
        QGuiApplication.clipboard().setText(self.answer.text)
        self.confirmation.flash(_("Copied"))

    def _react(self, reaction: Reaction) -> None:
        if self.answer.reaction is reaction:  # said already; a second click says nothing new
            self.update_state()
            return
        self.reacted.emit((self.answer, reaction, ""))

    def _on_corrected(self, text: str) -> None:
        self._close_editor()
        self.reacted.emit((self.answer, Reaction.CORRECTION, text))

    def _close_editor(self) -> None:
        if self._editor is not None:
            self._editor.hide()
            self._editor.deleteLater()
            self._editor = None
            self.correct.setFocus(Qt.FocusReason.OtherFocusReason)


class _Confirmation(QWidget):
    """A tick and a few words: it was kept."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(4)
        self._tick = IconLabel("success", "success", 16)
        self._label = Caption(tone="success")
        self._label.setWordWrap(False)
        self._kept = ""
        row.addWidget(self._tick)
        row.addWidget(self._label, 1)
        self._show("")

    def text(self) -> str:
        """The words shown, may be empty."""
        return self._label.text()

    def show_words(self, words: str) -> None:
        """Show words for good; empty hides them."""
        if words != self._kept:
            self._kept = words
            self._show(words)

    def flash(self, words: str) -> None:
        """Show words until the next change."""
        self._show(words)

    def _show(self, words: str) -> None:
        self._label.setText(words)
        self._tick.setVisible(bool(words))
        if words:
            _announce(self, words)


class _ProblemLine(QFrame):
    """Why there is no answer, what to do, and a way to try again."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("chat_problem")
        space = current_tokens().space
        row = QHBoxLayout(self)
        row.setContentsMargins(space.m, space.s, space.s, space.s)
        row.setSpacing(space.s)
        words = QVBoxLayout()
        words.setSpacing(2)
        self._problem = BodyText()
        self._hint = Caption()
        words.addWidget(self._problem)
        words.addWidget(self._hint)
        self.retry = SecondaryButton(_("Try again"))
        row.addWidget(IconLabel("error", "error", 20), 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        row.addWidget(self.retry, 0, Qt.AlignmentFlag.AlignTop)

    def show_problem(self, problem: str, hint: str, *, can_retry: bool) -> None:
        """Say what happened and what to do next."""
        self._problem.setText(problem)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self.retry.setVisible(can_retry)


def _announce(widget: QWidget, words: str) -> None:
    """Let a screen reader say it."""
    if QAccessible.isActive():
        QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(widget, words))
