"""The page that puts chooser, conversation, composer and settings together over one ChatSession."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from PySide6.QtCore import Qt, QUrl
from PySide6.QtGui import QDesktopServices, QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from studio.domain.feedback import FeedbackItem, Signal
from studio.gui.context import GuiContext
from studio.gui.models.chat_choices import (
    Choices,
    ModelChoice,
    read_choices,
    run_key,
    sample_probes,
    target_of,
)
from studio.gui.models.chat_conversation import Answer, Turn
from studio.gui.models.chat_session import SLOTS, ChatSession, SeatState
from studio.gui.models.predict_session import PredictSession
from studio.gui.models.seats import SeatedSession
from studio.gui.page import Page, PaletteAction
from studio.gui.pages.playground.chooser import Chooser, SeatLine
from studio.gui.pages.playground.empty import FirstWords
from studio.gui.pages.playground.note import SlowNote
from studio.gui.pages.playground.panel import SettingsPanel
from studio.gui.pages.playground.predict_panel import PredictPanel
from studio.gui.theme import current_tokens
from studio.gui.widgets import EmptyState
from studio.gui.widgets.chat_answer import AnswerView
from studio.gui.widgets.chat_input import Composer
from studio.gui.widgets.chat_markdown import is_safe_link
from studio.gui.widgets.chat_turn import Transcript
from studio.i18n import _, current_language
from studio.services.changes import Changes


class PlaygroundPage(Page):
    """open_url: opens a link outside of the program, after a click of the user only."""

    page_id = "playground"
    icon = "playground"
    interests = Changes.RUNS | Changes.MODELS | Changes.MATRIX

    def __init__(
        self, ctx: GuiContext, parent: QWidget | None = None, *,
        open_url: Callable[[QUrl], Any] = QDesktopServices.openUrl,
    ) -> None:  # fmt: skip
        super().__init__(ctx, parent)
        self._open_url = open_url
        self.session = ChatSession(ctx.chat, self._resolve, self)
        self.predict = PredictPanel(ctx, PredictSession(ctx.predict, self._resolve, self))
        self.choices = Choices()
        self._wanted: dict[str, str] = {}  # slot -> key that shall be chosen as soon as the choices are known
        self._read = False
        self._follow_product = False  # another product was chosen since the models were read
        self.chooser = Chooser()
        self.seat_lines = {slot: SeatLine(slot) for slot in SLOTS}
        self.transcript = Transcript(self._make_answer)
        self.first_words = FirstWords()
        self.composer = Composer()
        self.panel = SettingsPanel(self.session.sampling)
        self.note = SlowNote()
        self.no_model = EmptyState(
            "robot", _("There is no model on this computer yet. Train one, or let the setup fetch the base model."),
            _("Go to Train"), lambda: ctx.navigator.go("train"), title=_("No model to talk to"),
        )  # fmt: skip
        self._arrange()
        self._connect()
        self._show_note(ctx.chat.note())

    def title(self) -> str:
        return _("Playground")

    @property
    def predicting(self) -> bool:
        """The chosen model does not converse: it is given inputs."""
        return self.body.currentWidget() is self.predict

    @property
    def seated(self) -> SeatedSession:
        """Whose seats the chooser shows."""
        return self.predict.session if self.predicting else self.session

    def enter(self, **arguments: Any) -> None:
        """run_id: ask this run's model."""
        if arguments.get("run_id"):
            self._wanted["a"] = run_key(arguments["run_id"])
        self.reload()
        self.composer.box.setFocus(Qt.FocusReason.OtherFocusReason)

    def leave(self) -> None:
        self.transcript.flush()

    def refresh(self, changes: Changes) -> None:
        self.reload()

    def state(self) -> dict[str, Any]:
        session = self.session
        return {
            "conversation": session.conversation, "seats": session.seats, "order": session.order,
            "blind": session.blind, "sampling": session.sampling, "details": session.details,
            "draft": self.composer.text(), "panel": self.chooser.panel.isChecked(), "predicting": self.predicting,
            "batches": self.predict.session.batches, "predict_seats": self.predict.session.seats,
            "predict_order": self.predict.session.order,
        }  # fmt: skip

    def restore(self, state: dict[str, Any]) -> None:
        self.session.sampling = state["sampling"]
        self.panel.form.set_value(state["sampling"])
        self.panel.details.setChecked(state["details"])
        self.panel.system.set_text(state["conversation"].system)
        self.composer.set_text(state["draft"])
        self.chooser.panel.setChecked(state["panel"])
        self.session.adopt(state["conversation"], state["seats"], state["order"], state["blind"])
        predict, first = self.predict, state["predict_seats"]["a"].choice
        if first is not None:
            predict.show_choice(first)
        predict.session.adopt(state["batches"], state["predict_seats"], state["predict_order"])
        self._set_predicting(state["predicting"])
        self._show_mode()

    def dispose(self) -> None:
        self.session.close()
        self.predict.session.close()
        self.ctx.chat.note_changed.disconnect(self._show_note)
        self.ctx.navigator.product_changed.disconnect(self._on_product)

    def palette_actions(self) -> list[PaletteAction]:
        return [
            PaletteAction("playground.new", _("New chat"), "", self.new_chat),
            PaletteAction("playground.stop", _("Stop the answer"), "", self._stop),
            PaletteAction("playground.compare", _("Compare two models side by side"), "", self._compare),
        ]

    # ---- what the user does

    def ask(self, question: str) -> None:
        """Put a question to the chosen model or models."""
        if self.session.can_ask():
            self.session.ask(question)

    def new_chat(self) -> None:
        """Begin anew; the old conversation can be brought back."""
        if self.predicting:
            self.predict.clear()
            return
        removed = self.session.cut(0)
        if removed:
            self.ctx.notices.info(
                _("A new chat has begun."), action_label=_("Bring the old one back"),
                action=lambda: self._put_back(0, removed),
            )  # fmt: skip
        self.composer.box.setFocus(Qt.FocusReason.OtherFocusReason)

    def reload(self) -> None:
        """Read again which models there are."""
        services, product = self.ctx.services, self.ctx.navigator.current_product_id
        self.ctx.tasks.run(
            lambda: read_choices(services, product), self._show_choices, self.ctx.notices.error_from
        )

    # ---- building

    def _arrange(self) -> None:
        space = current_tokens().space
        outer = QVBoxLayout(self)
        outer.setContentsMargins(space.xl, space.l, space.xl, space.l)
        outer.setSpacing(space.m)
        outer.addWidget(self.chooser)
        for line in self.seat_lines.values():
            outer.addWidget(line)
        self.body = QStackedWidget()
        chat = QWidget()
        row = QHBoxLayout(chat)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(space.l)
        for part in (chat, self.predict):
            self.body.addWidget(part)
        outer.addWidget(self.body, 1)
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
        session.seats_changed.connect(self._show_seats)
        session.busy_changed.connect(self._on_busy)
        self.chooser.picked.connect(lambda pick: self._choose(*pick))
        self.chooser.compare_changed.connect(self._set_compare)
        self.chooser.blind_changed.connect(self._set_blind)
        self.chooser.new_asked.connect(self.new_chat)
        self.chooser.panel_asked.connect(self.panel.setVisible)
        self.composer.asked.connect(self.ask)
        self.composer.stopped.connect(session.stop)
        self.first_words.asked.connect(self.ask)
        self.transcript.edited.connect(lambda change: self._edit(*change))
        self.panel.sampling_changed.connect(self._set_sampling)
        self.panel.system_changed.connect(self._set_system)
        self.panel.details_changed.connect(self._set_details)
        for line in self.seat_lines.values():
            line.retry_asked.connect(lambda slot: self.seated.retry(slot))
        self.predict.session.seats_changed.connect(self._show_seats)
        self.ctx.chat.note_changed.connect(self._show_note)
        self.ctx.navigator.product_changed.connect(self._on_product)
        escape = QShortcut(QKeySequence(Qt.Key.Key_Escape), self)
        escape.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
        escape.activated.connect(self._stop)

    def _make_answer(self, answer: Answer) -> AnswerView:
        view = AnswerView(answer, self.session.shown_name(answer), blind=self.session.blind)
        view.reacted.connect(lambda reaction: self._react(*reaction))
        view.regenerate_asked.connect(self._regenerate)
        view.link_clicked.connect(self._open_link)
        return view

    # ---- models

    def _resolve(
        self, choice: ModelChoice, on_done: Callable[[Any], None], on_error: Callable[[Exception], None]
    ) -> None:
        services = self.ctx.services
        self.ctx.tasks.run(lambda: target_of(services, choice), on_done, on_error)

    def _show_choices(self, choices: Choices) -> None:
        self.choices = choices
        self._read = True
        self.chooser.set_choices(choices)
        wanted = choices.get(self._wanted.pop("a", None))
        seated = self.seated.seats["a"].choice
        if wanted and (seated is None or wanted.key != seated.key):
            self._choose("a", wanted)
        elif (seated is None or self._is_stale(seated)) and choices.all():
            self._choose("a", choices.all()[0])
        self._follow_product = False
        self._show_seats()

    def _is_stale(self, seated: ModelChoice) -> bool:
        """The seated model was thrown away, or belongs to the product that was in hand before."""
        session, predict = self.session, self.predict.session
        if session.busy or predict.busy:
            return False
        gone = self.choices.get(seated.key) is None
        left = (
            self._follow_product
            and self.choices.of_product
            and bool(self.choices.mine)
            and seated not in self.choices.mine
        )
        asked = predict.batches if self.predicting else session.conversation.turns
        return gone or (left and not asked)

    def _choose(self, slot: str, choice: ModelChoice) -> None:
        """Seat the model; a first one that is asked otherwise than the second sends that away."""
        if slot == "a":
            second = self.seated.seats["b"].choice
            if second is not None and second.asks != choice.asks:
                self._set_compare(False)
            self._set_predicting(bool(choice.asks))
            if choice.asks:
                self.predict.show_choice(choice)
            self.chooser.second.set_choices(self.choices.beside(choice))
            self.chooser.mode.setEnabled(self.choices.counterpart(choice) is not None)
        self.seated.choose(slot, choice)
        (self.chooser.first if slot == "a" else self.chooser.second).show_choice(choice)

    def _set_predicting(self, predicting: bool) -> None:
        """Show what the model is asked by; the other process may give its memory back."""
        if predicting != self.predicting:
            self.seated.stop()
            self.seated.set_side_by_side(False)
            self.seated.leave(SLOTS[0])
        self.body.setCurrentIndex(self.body.indexOf(self.predict) if predicting else 0)
        self.chooser.show_for(conversation=not predicting)
        self._show_mode()

    def _on_product(self, _product_id: object) -> None:
        self._follow_product = True
        if self.isVisible():
            self.reload()

    def _stop(self) -> None:
        self.seated.stop()

    def _compare(self) -> None:
        self.chooser.mode.choose("two")

    def _set_compare(self, compare: bool) -> None:
        first = self.seated.seats["a"].choice
        other = self.choices.counterpart(first) if first else None
        self.seated.set_side_by_side(compare and other is not None)
        if compare and other is not None:
            self._choose("b", other)
        self._show_mode()

    def _set_blind(self, blind: bool) -> None:
        if blind and self.session.conversation.turns:
            self.new_chat()  # answers whose model is known would give it away
        self.session.set_blind(blind)
        self._show_mode()

    def _show_mode(self) -> None:
        compare, blind = len(self.seated.order) > 1, self.session.blind and not self.predicting
        self.chooser.set_mode(compare=compare, blind=blind, hideable=not self.predicting)
        self.transcript.set_wide(compare)
        for view in self.transcript.views():
            view.set_name(self.session.shown_name(view.answer), blind=blind)
        self._show_seats()

    def _show_seats(self) -> None:
        session, seated = self.session, self.seated
        for slot, line in self.seat_lines.items():
            seat = seated.seats[slot]
            line.show_seat(seat, seated.seat_name(slot))
            box = self.chooser.first if slot == "a" else self.chooser.second
            box.show_choice(seat.choice)
        self.composer.set_allowed(session.can_ask())
        self._show_stage()
        first = session.seats["a"].choice
        probes = (first.probes if first else ()) or sample_probes(current_language())
        self.first_words.set_questions(probes)
        for button in self.first_words.suggestions:
            button.setEnabled(session.can_ask())
        self._show_waiting()

    def _show_stage(self) -> None:
        if self.session.conversation.turns:
            self.stage.setCurrentWidget(self.transcript)
        elif not self._read:
            self.stage.setCurrentWidget(self._blank)
        else:
            self.stage.setCurrentWidget(self.first_words if self.choices.all() else self.no_model)

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

    def _show_note(self, words: str) -> None:
        self.note.show_words(words)
