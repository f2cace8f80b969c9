"""The conversation: first words, transcript, composer and settings over one ChatSession."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from PySide6.QtCore import Qt, QUrl
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from studio.domain.feedback import FeedbackItem, Signal
from studio.gui.context import GuiContext
from studio.gui.models.chat_choices import sample_probes
from studio.gui.models.chat_conversation import Answer, Turn
from studio.gui.models.chat_session import ChatSession, SeatState
from studio.gui.pages.playground.empty import FirstWords
from studio.gui.pages.playground.note import SlowNote
from studio.gui.pages.playground.panel import SettingsPanel
from studio.gui.theme import current_tokens
from studio.gui.widgets import EmptyState
from studio.gui.widgets.chat_answer import AnswerView
from studio.gui.widgets.chat_input import Composer
from studio.gui.widgets.chat_markdown import is_safe_link
from studio.gui.widgets.chat_turn import Transcript
from studio.i18n import _, current_language


class ChatPanel(QWidget):
    """Asks the seated models and shows what they answer. open_url: opens a link outside, by a click only."""

    def __init__(self, ctx: GuiContext, session: ChatSession, open_url: Callable[[QUrl], Any]) -> None:
        super().__init__()
        self.ctx, self.session, self._open_url = ctx, session, open_url
        self.transcript = Transcript(self._make_answer)
        self.first_words = FirstWords()
        self.composer = Composer()
        self.panel = SettingsPanel(session.sampling)
        self.note = SlowNote()
        self.no_model = EmptyState(
            "robot", _("There is no model on this computer yet. Train one, or let the setup fetch the base model."),
            _("Go to Train"), lambda: ctx.navigator.go("train"), title=_("No model to talk to"),
        )  # fmt: skip
        self._models_known: bool | None = None  # whether there is a model; None: not known yet
        self._arrange()
        self._connect()
        self.note.show_words(ctx.chat.note())

    def state(self) -> dict[str, Any]:
        """What a page that is built anew goes on with."""
        session = self.session
        return {
            "conversation": session.conversation, "seats": session.seats, "order": session.order,
            "blind": session.blind, "sampling": session.sampling, "details": session.details,
            "draft": self.composer.text(),
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        """Go on with the state of another panel."""
        self.session.sampling = state["sampling"]
        self.panel.form.set_value(state["sampling"])
        self.panel.details.setChecked(state["details"])
        self.panel.system.set_text(state["conversation"].system)
        self.composer.set_text(state["draft"])
        self.session.adopt(state["conversation"], state["seats"], state["order"], state["blind"])

    def close_session(self) -> None:
        """No more answers come."""
        self.session.close()
        self.ctx.chat.note_changed.disconnect(self.note.show_words)

    def ask(self, question: str) -> None:
        """Put a question to the chosen model or models."""
        if self.session.can_ask():
            self.session.ask(question)

    def new_chat(self) -> None:
        """Begin anew; the old conversation can be brought back."""
        removed = self.session.cut(0)
        if removed:
            self.ctx.notices.info(
                _("A new chat has begun."), action_label=_("Bring the old one back"),
                action=lambda: self._put_back(0, removed),
            )  # fmt: skip
        self.composer.box.setFocus(Qt.FocusReason.OtherFocusReason)

    def show_models(self, *, any_model: bool) -> None:
        """It is known now whether there is a model to talk to."""
        self._models_known = any_model

    def show_mode(self, *, compare: bool) -> None:
        """One answer below the other, or two beside each other; names as far as they may be seen."""
        self.transcript.set_wide(compare)
        for view in self.transcript.views():
            view.set_name(self.session.shown_name(view.answer), blind=self.session.blind)

    def show_seats(self) -> None:
        """Another model is seated, or one is ready now."""
        session = self.session
        self.composer.set_allowed(session.can_ask())
        self._show_stage()
        first = session.seats["a"].choice
        probes = (first.probes if first else ()) or sample_probes(current_language())
        self.first_words.set_questions(probes)
        for button in self.first_words.suggestions:
            button.setEnabled(session.can_ask())
        self._show_waiting()

    # ---- building

    def _arrange(self) -> None:
        space = current_tokens().space
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(space.l)
        self.stage = QStackedWidget()
        self._blank = QWidget()  # until it is known whether there is a model to try
        for part in (self._blank, self.first_words, self.transcript, self.no_model):
            self.stage.addWidget(part)
        column = QVBoxLayout()
        column.setSpacing(space.s)
        column.addWidget(self.stage, 1)
        column.addWidget(self.note)
        column.addWidget(self.composer)
        row.addLayout(column, 1)
        row.addWidget(self.panel)
        self.setTabOrder(self.composer.box, self.composer.send)

    def _connect(self) -> None:
        session = self.session
        session.turn_added.connect(self._on_turn)
        session.turns_cut.connect(self._on_cut)
        session.answers_replaced.connect(self.transcript.rebuild)
        session.answer_grew.connect(self.transcript.grew)
        session.answer_changed.connect(self._on_answer)
        session.busy_changed.connect(self._on_busy)
        self.composer.asked.connect(self.ask)
        self.composer.stopped.connect(session.stop)
        self.first_words.asked.connect(self.ask)
        self.transcript.edited.connect(lambda change: self._edit(*change))
        self.panel.sampling_changed.connect(self._set_sampling)
        self.panel.system_changed.connect(self._set_system)
        self.panel.details_changed.connect(self._set_details)
        self.ctx.chat.note_changed.connect(self.note.show_words)

    def _make_answer(self, answer: Answer) -> AnswerView:
        view = AnswerView(answer, self.session.shown_name(answer), blind=self.session.blind)
        view.reacted.connect(lambda reaction: self._react(*reaction))
        view.regenerate_asked.connect(self._regenerate)
        view.link_clicked.connect(self._open_link)
        return view

    def _show_stage(self) -> None:
        if self.session.conversation.turns:
            self.stage.setCurrentWidget(self.transcript)
        elif self._models_known is None:
            self.stage.setCurrentWidget(self._blank)
        else:
            self.stage.setCurrentWidget(self.first_words if self._models_known else self.no_model)

    # ---- conversation

    def _on_turn(self, turn: Turn) -> None:
        self.transcript.add(turn)
        self._show_stage()
        self._show_waiting()

    def _on_cut(self, index: int) -> None:
        self.transcript.cut(index)
        self._show_stage()

    def _on_answer(self, answer: Answer) -> None:
        view = self.transcript.view_of(answer)
        if view is not None:
            view.update_state()
        self._show_waiting()

    def _on_busy(self, busy: bool) -> None:
        self.composer.set_busy(busy)
        self.composer.set_allowed(self.session.can_ask())
        self.transcript.set_editable(not busy)
        for view in self.transcript.views():
            view.regenerate.setEnabled(not busy)

    def _show_waiting(self) -> None:
        """Tell each answer that has not begun what it waits for."""
        ahead = False
        for view in self.transcript.views():
            if not view.answer.open:
                continue
            loading = self.session.seats[view.answer.slot].state is SeatState.LOADING
            other = _("Waits for the other model…")
            view.set_waiting_words(_("Loading the model…") if loading else other if ahead else _("Thinking…"))
            ahead = True

    def _edit(self, turn: Turn, question: str) -> None:
        if not self.session.can_ask():
            return
        index = self.session.conversation.turns.index(turn)
        removed = self.session.ask_again(turn, question)
        if len(removed) > 1:
            self.ctx.notices.info(
                _("What came after the changed question was taken out."), action_label=_("Undo"),
                action=lambda: self._put_back(index, removed),
            )  # fmt: skip

    def _put_back(self, index: int, turns: list[Turn]) -> None:
        """Undo a removal; what had taken its place can be had again in the same way."""
        replaced = self.session.put_back(index, turns)
        if replaced:
            self.ctx.notices.info(
                _("The earlier messages are back."), action_label=_("Undo"),
                action=lambda: self._put_back(index, replaced),
            )  # fmt: skip

    def _regenerate(self, answer: Answer) -> None:
        turns = self.session.conversation.turns
        if turns and answer in turns[-1].answers and not self.session.busy:
            self.session.regenerate(turns[-1], answer.slot)

    def _react(self, answer: Answer, signal: Signal, correction: str) -> None:
        question = next(t.question for t in self.session.conversation.turns if answer in t.answers)
        item = FeedbackItem(
            answer.run_id, answer.product_id or self.ctx.navigator.current_product_id, answer.model_name,
            question, answer.text, signal, correction,
        )  # fmt: skip

        def kept(_result: object) -> None:
            answer.reaction = signal
            answer.correction = correction or answer.correction
            self.session.answer_changed.emit(answer)

        def not_kept(problem: Exception) -> None:
            self.session.answer_changed.emit(answer)
            self.ctx.notices.error_from(problem)

        feedback = self.ctx.services.feedback
        self.ctx.tasks.run(lambda: feedback.add(item), kept, not_kept)

    def _open_link(self, address: str) -> None:
        """Outside, on the user's click only, and written down."""
        if not is_safe_link(address):
            return
        host = urlsplit(address).hostname or address
        outbound = self.ctx.services.outbound
        purpose = _("You opened a link in an answer; your browser went there.")

        def recorded(_done: object) -> None:
            self._open_url(QUrl(address))

        self.ctx.tasks.run(lambda: outbound.record(host, purpose), recorded, self.ctx.notices.error_from)

    # ---- settings

    def _set_sampling(self, sampling: Any) -> None:
        self.session.sampling = sampling

    def _set_system(self, text: str) -> None:
        self.session.conversation.system = text

    def _set_details(self, details: bool) -> None:
        self.session.details = details
