"""A conversation with one or two models, as plain data: what was asked, and what each model answered.

Kept apart from the widgets so that a page can be built anew (another language) while an answer is still coming.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum

from studio.domain.feedback import Signal
from studio.protocol.commands import ChatMessage
from studio.protocol.events import Answered, Token


class AnswerState(StrEnum):
    WAITING = "waiting"  # asked, nothing heard yet
    STREAMING = "streaming"
    DONE = "done"
    FAILED = "failed"


@dataclass(eq=False)
class Answer:
    """One model's answer to one question. ``run_id`` is None when a base model answers."""

    slot: str
    model_name: str
    run_id: str | None = None
    product_id: str | None = None
    request_id: str = ""
    tokens: list[Token] = field(default_factory=list)
    result: Answered | None = None
    state: AnswerState = AnswerState.WAITING
    problem: str = ""  # what happened, when it failed
    hint: str = ""  # what to do next
    reaction: Signal | None = None
    correction: str = ""

    @property
    def open(self) -> bool:
        """More may come."""
        return self.state in (AnswerState.WAITING, AnswerState.STREAMING)

    @property
    def text(self) -> str:
        """What was said so far."""
        return self.result.text if self.result else "".join(token.text for token in self.tokens)

    @property
    def detailed(self) -> bool:
        """Its tokens came with probabilities."""
        return any(token.probability is not None for token in self.tokens)


@dataclass(eq=False)
class Turn:
    """A question, and its answers in the order in which they are shown."""

    question: str
    answers: list[Answer] = field(default_factory=list)

    def answer(self, slot: str) -> Answer | None:
        """The answer from a slot, or None."""
        return next((answer for answer in self.answers if answer.slot == slot), None)


@dataclass(eq=False)
class Conversation:
    """Turns in order, under one system prompt (empty: none)."""

    system: str = ""
    turns: list[Turn] = field(default_factory=list)

    def messages(self, turn: Turn, slot: str) -> list[ChatMessage]:
        """What the model in ``slot`` is given for ``turn``: the earlier turns with its own answers.

        A turn that this slot did not answer is told with the other model's answer; one without any answer is left
        out, because chat templates want question and answer by turns.
        """
        said = [ChatMessage(role="system", content=self.system.strip())] if self.system.strip() else []
        for earlier in self.turns[: self.turns.index(turn)]:
            own = earlier.answer(slot)
            heard = [
                a for a in (own, *earlier.answers) if a is not None and a.state is AnswerState.DONE and a.text
            ]
            if heard:
                said.append(ChatMessage(role="user", content=earlier.question))
                said.append(ChatMessage(role="assistant", content=heard[0].text))
        return [*said, ChatMessage(role="user", content=turn.question)]

    def answers(self) -> Iterator[Answer]:
        """All answers in order."""
        for turn in self.turns:
            yield from turn.answers

    def find(self, request_id: str) -> Answer | None:
        """The answer that a request asked for; None when it is no longer part of the conversation."""
        return next((a for a in self.answers() if a.request_id and a.request_id == request_id), None)

    def cut(self, index: int) -> list[Turn]:
        """Take the turns from ``index`` on out of the conversation and return them."""
        removed, self.turns[index:] = self.turns[index:], []
        return removed
