"""Seats of the playground: which model sits in which slot of a process, and what became of it. No widgets.

Chatting and predicting share this; what is asked is their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from PySide6.QtCore import QObject, Signal

from studio.errors import StudioError
from studio.gui.models.chat_choices import ModelChoice
from studio.protocol.events import ModelLoaded

SLOTS = ("a", "b")


class SeatState(StrEnum):
    EMPTY = "empty"
    LOADING = "loading"
    READY = "ready"
    ASLEEP = "asleep"  # its memory was given back; it is loaded again with the next question
    FAILED = "failed"


@dataclass
class Seat:
    """A slot and the model in it. ``given``: the process knows of it, so questions may be sent."""

    slot: str
    choice: ModelChoice | None = None
    state: SeatState = SeatState.EMPTY
    given: bool = False
    problem: str = ""
    hint: str = ""
    seconds: float = 0.0
    labels: tuple[str, ...] = ()  # that a predictor tells apart


# Looks up the files of a choice off the GUI thread: (choice, on_done(target), on_error(problem)).
Resolve = Callable[[ModelChoice, Callable[[Any], None], Callable[[Exception], None]], object]


class SeatedSession(QObject):
    """Seats models and hears what becomes of them. Subclasses say what happens to their open questions.

    seats_changed(): a seat has another model or state.
    """

    seats_changed = Signal()

    def __init__(self, host: Any, resolve: Resolve, parent: QObject | None = None) -> None:
        """host: a ModelHost (or any object with its methods and signals)."""
        super().__init__(parent)
        self.seats = {slot: Seat(slot) for slot in SLOTS}
        self.order: list[str] = [SLOTS[0]]  # slots in use, as shown from left to right
        self._host = host
        self._resolve = resolve
        self._heard = (
            (host.answered, self._on_answered), (host.loaded, self._on_loaded), (host.failed, self._on_failed),
            (host.unloaded, self._on_unloaded),
        )  # fmt: skip
        for signal, slot in self._heard:
            signal.connect(slot)

    def close(self) -> None:
        """Stop listening to the host, which outlives the page."""
        for signal, slot in self._heard:
            signal.disconnect(slot)

    def choose(self, slot: str, choice: ModelChoice) -> None:
        """Seat a model and load it."""
        seat = self.seats[slot] = Seat(slot, choice, SeatState.LOADING)
        self.seats_changed.emit()
        self._resolve(
            choice, lambda target: self._seat(seat, target), lambda why: self._not_seated(seat, why)
        )

    def retry(self, slot: str) -> None:
        """Load the seat's model again after a failure."""
        choice = self.seats[slot].choice
        if choice is not None:
            self.choose(slot, choice)

    def leave(self, slot: str) -> None:
        """Take the model out of a seat."""
        if self.seats[slot].given:
            self._host.unload(slot)
        self.seats[slot] = Seat(slot)
        self.seats_changed.emit()

    def set_side_by_side(self, wanted: bool) -> None:
        """Ask one model or both. The second seat's model is let go when it is no longer asked."""
        self.order = list(SLOTS) if wanted else [SLOTS[0]]
        if not wanted:
            self.leave(SLOTS[1])
        else:
            self.seats_changed.emit()

    def seat_name(self, slot: str) -> str:
        """What the model of a seat may be called now."""
        choice = self.seats[slot].choice
        return choice.title if choice else ""

    def seats_in_use(self) -> list[Seat]:
        """Seats from left to right."""
        return [self.seats[slot] for slot in self.order]

    def usable(self) -> bool:
        """Every seat in use has a model that did not fail."""
        return all(seat.choice and seat.state is not SeatState.FAILED for seat in self.seats_in_use())

    def stop(self) -> None:
        """End what is being answered."""

    # ---- for subclasses

    def send_waiting(self, seat: Seat) -> None:
        """The seat's model was handed over: send what waits for it."""

    def give_up_waiting(self, seat: Seat, problem: str, hint: str) -> None:
        """The seat's model cannot be had: questions not sent yet have failed."""

    def fail_request(self, failure: Any) -> bool:
        """Whether the failure is of an open question, which has failed now."""
        return False

    def fail_open(self, failure: Any) -> None:
        """The process is gone, and with it every open question."""

    def _on_answered(self, event: Any) -> None:
        raise NotImplementedError

    def wake(self, seat: Seat) -> None:
        """A question was sent to the seat: a model at rest is loaded by that."""
        if seat.state is SeatState.ASLEEP:
            seat.state = SeatState.LOADING
            self.seats_changed.emit()

    # ---- inside

    def _seat(self, seat: Seat, target: Any) -> None:
        if self.seats[seat.slot] is not seat:
            return  # another model was chosen meanwhile
        seat.given = True
        self._host.load(seat.slot, target)
        self.send_waiting(seat)

    def _not_seated(self, seat: Seat, problem: Exception) -> None:
        hint = problem.hint if isinstance(problem, StudioError) else ""
        self._fail_seat(seat, problem.message if isinstance(problem, StudioError) else str(problem), hint)

    def _fail_seat(self, seat: Seat, problem: str, hint: str) -> None:
        seat.state, seat.problem, seat.hint = SeatState.FAILED, problem, hint
        self.give_up_waiting(seat, problem, hint)
        self.seats_changed.emit()

    def _on_loaded(self, event: ModelLoaded) -> None:
        seat = self.seats.get(event.slot)
        if seat is not None and seat.choice is not None:
            seat.state, seat.seconds, seat.labels = SeatState.READY, event.seconds, tuple(event.labels)
            self.seats_changed.emit()

    def _on_failed(self, failure: Any) -> None:
        """failure: a ModelFailure; without request and slot the whole process is gone."""
        if self.fail_request(failure):
            return
        if failure.slot in self.seats:
            self._fail_seat(self.seats[failure.slot], failure.message, failure.hint)
        elif not failure.request_id:
            self.fail_open(failure)
            for seat in self.seats.values():
                if seat.state is SeatState.LOADING:
                    self._fail_seat(seat, failure.message, failure.hint)
            self._on_unloaded()

    def _on_unloaded(self) -> None:
        for seat in self.seats.values():
            if seat.state is SeatState.READY:
                seat.state = SeatState.ASLEEP
        self.seats_changed.emit()
