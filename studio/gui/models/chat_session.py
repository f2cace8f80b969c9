"""What the playground does, without a widget: seats models, asks them, and keeps the conversation.

A seat is a slot of the chat process with the model that sits in it. One question goes to every seat in use; the
process answers one after the other.
"""

from __future__ import annotations

import random
from typing import Any

from PySide6.QtCore import QObject, Signal

from studio.domain.sampling import Sampling
from studio.errors import StudioError
from studio.gui.models.chat_conversation import Answer, AnswerState, Conversation, Turn
from studio.gui.models.seats import SLOTS, Resolve, Seat, SeatedSession, SeatState
from studio.i18n import _
from studio.protocol.events import Answered, Token

__all__ = ["SLOTS", "ChatSession", "Seat", "SeatState"]


class ChatSession(SeatedSession):
    """Signals carry the Turn or Answer they are about.

    turn_added(Turn); turns_cut(int): turns from this index are gone; answers_replaced(Turn);
    answer_grew(Answer): a token came; answer_changed(Answer): state, result or reaction changed; busy_changed(bool).
    """

    turn_added = Signal(object)
    turns_cut = Signal(int)
    answers_replaced = Signal(object)
    answer_grew = Signal(object)
    answer_changed = Signal(object)
    busy_changed = Signal(bool)

    def __init__(self, host: Any, resolve: Resolve, parent: QObject | None = None) -> None:
        """host: a ChatHost (or any object with its methods and signals)."""
        super().__init__(host, resolve, parent)
        self.conversation = Conversation()
        self.sampling = Sampling()
        self.details = False
        self.blind = False
        self._busy = False
        self._open: dict[str, Answer] = {}
        host.token.connect(self._on_token)

    def close(self) -> None:
        super().close()
        self._host.token.disconnect(self._on_token)

    # ---- seats

    def set_side_by_side(self, wanted: bool) -> None:
        self.blind = self.blind and wanted
        super().set_side_by_side(wanted)

    def set_blind(self, blind: bool) -> None:
        """Hide which model is which and shuffle their places; False reveals them where they are."""
        self.blind = blind and len(self.order) > 1
        if self.blind:
            random.shuffle(self.order)
        self.seats_changed.emit()

    def shown_name(self, answer: Answer) -> str:
        """The name above an answer: a letter while the test is blind."""
        return self._letter(answer.slot) if self.blind else answer.model_name

    def seat_name(self, slot: str) -> str:
        """A letter while the test is blind."""
        return self._letter(slot) if self.blind else super().seat_name(slot)

    def _letter(self, slot: str) -> str:
        return _("Model A") if self.order.index(slot) == 0 else _("Model B")

    def can_ask(self) -> bool:
        """Every seat in use has a model that did not fail, and no answer is coming."""
        return self.usable() and not self._busy

    # ---- conversation

    @property
    def busy(self) -> bool:
        """An answer is coming or waits its turn."""
        return self._busy

    def ask(self, question: str) -> Turn:
        """Put a question to every seat in use."""
        turn = Turn(question, [self._blank(slot) for slot in self.order])
        self.conversation.turns.append(turn)
        self.turn_added.emit(turn)
        for answer in turn.answers:
            self._send(turn, answer)
        self._update_busy()
        return turn

    def ask_again(self, turn: Turn, question: str) -> list[Turn]:
        """Put a changed question in place of an earlier one. Returns the turns that fell away, that one first."""
        removed = self.cut(self.conversation.turns.index(turn))
        self.ask(question)
        return removed

    def regenerate(self, turn: Turn, slot: str) -> None:
        """Another answer of one model to the last question."""
        position = next(i for i, answer in enumerate(turn.answers) if answer.slot == slot)
        turn.answers[position] = self._blank(slot)
        self.answers_replaced.emit(turn)
        self._send(turn, turn.answers[position])
        self._update_busy()

    def stop(self) -> None:
        """End the answers that are coming; what was said stays."""
        if self._busy:
            self._host.stop("")
        for answer in list(self.conversation.answers()):
            if answer.open and not answer.request_id:
                self._fail(answer, _("Stopped before it began."), "")

    def cut(self, index: int) -> list[Turn]:
        """Take turns out, from ``index`` on, and return them (``put_back`` undoes it)."""
        self.stop()
        removed = self.conversation.cut(index)
        for turn in removed:
            for answer in turn.answers:
                self._open.pop(answer.request_id, None)
                if answer.open:
                    answer.state = AnswerState.DONE if answer.tokens else AnswerState.FAILED
        self.turns_cut.emit(index)
        self._update_busy()
        return removed

    def put_back(self, index: int, turns: list[Turn]) -> list[Turn]:
        """Bring back turns in place of what stands from ``index`` on, which is returned."""
        removed = self.cut(index)
        for turn in turns:
            self.conversation.turns.append(turn)
            self.turn_added.emit(turn)
        return removed

    def adopt(
        self, conversation: Conversation, seats: dict[str, Seat], order: list[str], blind: bool
    ) -> None:
        """Go on with a conversation of an earlier page, answers still coming included."""
        self.conversation, self.seats, self.order, self.blind = conversation, seats, order, blind
        self._open = {a.request_id: a for a in conversation.answers() if a.open and a.request_id}
        for turn in conversation.turns:
            self.turn_added.emit(turn)
        self.seats_changed.emit()
        self._update_busy()

    # ---- inside

    def _blank(self, slot: str) -> Answer:
        choice = self.seats[slot].choice
        if choice is None:
            return Answer(slot, _("No model"))
        return Answer(slot, choice.title, choice.run_id, choice.product_id)

    def _send(self, turn: Turn, answer: Answer) -> None:
        seat = self.seats[answer.slot]
        if not seat.given:  # its files are still being looked up; it is sent when they are found
            return
        messages = self.conversation.messages(turn, answer.slot)
        try:
            answer.request_id = self._host.generate(
                answer.slot, messages, self.sampling, details=self.details
            )
        except StudioError as problem:
            self._fail(answer, problem.message, problem.hint)
        else:
            self._open[answer.request_id] = answer
            self.wake(seat)

    def send_waiting(self, seat: Seat) -> None:
        for turn in self.conversation.turns:
            for answer in turn.answers:
                if answer.slot == seat.slot and answer.open and not answer.request_id:
                    self._send(turn, answer)

    def give_up_waiting(self, seat: Seat, problem: str, hint: str) -> None:
        for answer in list(self.conversation.answers()):
            if answer.slot == seat.slot and answer.open and not answer.request_id:
                self._fail(answer, problem, hint)

    def fail_request(self, failure: Any) -> bool:
        answer = self._open.get(failure.request_id)
        if answer is not None:
            self._fail(answer, failure.message, failure.hint)
        return answer is not None

    def fail_open(self, failure: Any) -> None:
        for answer in list(self._open.values()):
            self._fail(answer, failure.message, failure.hint)

    def _on_token(self, token: Token) -> None:
        answer = self._open.get(token.request_id)
        if answer is None:
            return
        answer.tokens.append(token)
        if answer.state is AnswerState.WAITING:
            answer.state = AnswerState.STREAMING
            self.answer_changed.emit(answer)
        self.answer_grew.emit(answer)

    def _on_answered(self, event: Answered) -> None:
        answer = self._open.pop(event.request_id, None)
        if answer is not None:
            answer.result, answer.state = event, AnswerState.DONE
            self.answer_changed.emit(answer)
            self._update_busy()

    def _fail(self, answer: Answer, problem: str, hint: str) -> None:
        self._open.pop(answer.request_id, None)
        answer.state, answer.problem, answer.hint = AnswerState.FAILED, problem, hint
        self.answer_changed.emit(answer)
        self._update_busy()

    def _update_busy(self) -> None:
        busy = any(answer.open for answer in self.conversation.answers())
        if busy != self._busy:
            self._busy = busy
            self.busy_changed.emit(busy)
