"""What the loop asks between two steps: go on, stop and keep, or drop everything."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from studio.protocol.events import Event

Emit = Callable[[Event], None]


class Control(Protocol):
    """The user's wishes, as seen by the engine."""

    def check(self) -> None:
        """Return at once, or after a pause has ended; raises whatever ends the job when it was cancelled."""

    @property
    def stop(self) -> bool:
        """True once the run shall end after this step and keep its model."""

    def on_pause(self, before: Callable[[], int]) -> None:
        """Have ``before`` called when a pause begins: it saves, and returns the step at which the run stands."""
