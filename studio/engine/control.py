"""What the loop asks between two steps: go on, stop and keep, or drop everything; and how it holds still."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from studio.protocol.events import Event

Emit = Callable[[Event], None]


@dataclass(frozen=True)
class Reason:
    """Why a run holds still by itself, and what to do about it."""

    code: str
    message: str
    hint: str


class Control(Protocol):
    """The user's wishes, as seen by the engine."""

    def check(self) -> None:
        """Return at once; raises whatever ends the job when it was cancelled. For the middle of things."""

    def rest(self) -> None:
        """The same between two updates, where the state is whole: returns after a pause has ended."""

    def hold(self, step: int, reason: Reason, until: Callable[[], bool] | None = None) -> None:
        """Hold still at ``step`` until Resume or Stop, or until ``until`` says that the reason is gone."""

    @property
    def stop(self) -> bool:
        """True once the run shall end after this step and keep its model."""

    def on_pause(self, before: Callable[[], int], after: Callable[[], None] = lambda: None) -> None:
        """Have ``before`` called when a pause begins: it saves, frees memory, and returns the step at which the run
        stands; and ``after`` when the run goes on."""
