"""What the playground asks of models that sort, rate, recommend or draw, and what they answered. No widgets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QObject, Signal

from studio.errors import StudioError
from studio.gui.models.seats import Resolve, Seat, SeatedSession
from studio.i18n import _
from studio.protocol.events import Predicted, PredictedItem, Progress


@dataclass
class Answers:
    """One model's answers to one batch. open until result or problem is there."""

    slot: str
    model_name: str
    run_id: str | None = None
    product_id: str | None = None
    request_id: str = ""
    result: Predicted | None = None
    problem: str = ""
    hint: str = ""
    labels: tuple[str, ...] = ()  # that can be chosen as a correction
    corrections: dict[int, str] = field(default_factory=dict)  # number of the input -> the right answer

    @property
    def open(self) -> bool:
        """Still to come."""
        return self.result is None and not self.problem

    def predictions(self) -> Sequence[PredictedItem]:
        """The answers that are there."""
        return self.result.predictions if self.result else ()


@dataclass
class Batch:
    """Inputs that were asked together; shown: each as a person reads it."""

    asks: str
    inputs: list[dict[str, Any]]
    shown: list[str]
    answers: list[Answers]

    @property
    def open(self) -> bool:
        """An answer is still to come."""
        return any(answers.open for answers in self.answers)


class PredictSession(SeatedSession):
    """batch_added(Batch), batch_changed(Batch), busy_changed(bool), progressed(Progress)."""

    batch_added = Signal(object)
    batch_changed = Signal(object)
    busy_changed = Signal(bool)
    progressed = Signal(object)

    def __init__(self, host: Any, resolve: Resolve, parent: QObject | None = None) -> None:
        super().__init__(host, resolve, parent)
        self.batches: list[Batch] = []
        self._busy = False
        host.progressed.connect(self._on_progress)

    def close(self) -> None:
        super().close()
        self._host.progressed.disconnect(self._on_progress)

    @property
    def busy(self) -> bool:
        """An answer is still to come."""
        return self._busy

    def can_ask(self) -> bool:
        """Every seat in use has a model that did not fail, and nothing is being answered."""
        return self.usable() and not self._busy

    def ask(self, asks: str, inputs: list[dict[str, Any]], shown: list[str]) -> Batch:
        """Put the inputs to every seat in use."""
        batch = Batch(asks, inputs, shown, [self._blank(slot) for slot in self.order])
        self.batches.append(batch)
        self.batch_added.emit(batch)
        for answers in batch.answers:
            self._send(batch, answers)
        self._update_busy()
        return batch

    def stop(self) -> None:
        """End what is being answered; what is there stays."""
        if self._busy:
            self._host.stop("")
        for batch in self.batches:
            for answers in batch.answers:
                if answers.open and not answers.request_id:
                    self._fail(batch, answers, _("Stopped before it began."), "")

    def clear(self) -> None:
        """Forget what was asked."""
        self.stop()
        self.batches = []
        self._update_busy()

    def adopt(self, batches: list[Batch], seats: dict[str, Seat], order: list[str]) -> None:
        """Go on with what an earlier page had, answers still coming included."""
        self.batches, self.seats, self.order = batches, seats, order
        for batch in batches:
            self.batch_added.emit(batch)
        self.seats_changed.emit()
        self._update_busy()

    # ---- what the seats tell

    def send_waiting(self, seat: Seat) -> None:
        for batch, answers in self._waiting(seat.slot):
            self._send(batch, answers)

    def give_up_waiting(self, seat: Seat, problem: str, hint: str) -> None:
        for batch, answers in self._waiting(seat.slot):
            self._fail(batch, answers, problem, hint)

    def fail_request(self, failure: Any) -> bool:
        found = self._of_request(failure.request_id)
        if found is not None:
            self._fail(*found, failure.message, failure.hint)
        return found is not None

    def fail_open(self, failure: Any) -> None:
        for batch in self.batches:
            for answers in batch.answers:
                if answers.open and answers.request_id:
                    self._fail(batch, answers, failure.message, failure.hint)

    def _on_answered(self, event: Predicted) -> None:
        found = self._of_request(event.request_id)
        if found is not None:
            batch, answers = found
            answers.result, answers.labels = event, self.seats[answers.slot].labels
            self.batch_changed.emit(batch)
            self._update_busy()

    def _on_progress(self, event: Progress) -> None:
        if self._busy:
            self.progressed.emit(event)

    # ---- inside

    def _blank(self, slot: str) -> Answers:
        choice = self.seats[slot].choice
        if choice is None:
            return Answers(slot, _("No model"))
        return Answers(slot, choice.title, choice.run_id, choice.product_id)

    def _waiting(self, slot: str) -> list[tuple[Batch, Answers]]:
        return [
            (batch, answers)
            for batch in self.batches
            for answers in batch.answers
            if answers.slot == slot and answers.open and not answers.request_id
        ]

    def _of_request(self, request_id: str) -> tuple[Batch, Answers] | None:
        if not request_id:
            return None
        every = ((batch, answers) for batch in self.batches for answers in batch.answers)
        return next((pair for pair in every if pair[1].request_id == request_id and pair[1].open), None)

    def _send(self, batch: Batch, answers: Answers) -> None:
        seat = self.seats[answers.slot]
        if not seat.given:  # its files are still being looked up; it is sent when they are found
            return
        try:
            answers.request_id = self._host.predict(answers.slot, batch.inputs)
        except StudioError as problem:
            self._fail(batch, answers, problem.message, problem.hint)
        else:
            self.wake(seat)

    def _fail(self, batch: Batch, answers: Answers, problem: str, hint: str) -> None:
        answers.problem, answers.hint = problem, hint
        self.batch_changed.emit(batch)
        self._update_busy()

    def _update_busy(self) -> None:
        busy = any(batch.open for batch in self.batches)
        if busy != self._busy:
            self._busy = busy
            self.busy_changed.emit(busy)
