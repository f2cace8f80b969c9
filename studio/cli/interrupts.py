"""Ctrl+C as a request, not as an accident: the first ones are heard by the verb, one more ends it at once."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType


class Interrupts:
    """Counts Ctrl+C. ``cancelled`` is set by the one that reaches ``patience``; the next raises KeyboardInterrupt.

    Installed only in the main thread; elsewhere (tests, embedding) it never hears anything.
    """

    def __init__(self) -> None:
        self.count = 0
        self.cancelled = threading.Event()
        self._patience = 1
        self._previous: object = None

    def allow(self, patience: int) -> None:
        """Start counting anew: so many are requests; with 0 the next one raises KeyboardInterrupt."""
        self.count = 0
        self._patience = patience
        self.cancelled.clear()

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            self._previous = signal.signal(signal.SIGINT, self._heard)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._previous is not None:
            signal.signal(signal.SIGINT, self._previous)  # type: ignore[arg-type]

    def _heard(self, _signal: int, _frame: FrameType | None) -> None:
        self.count += 1
        if self.count > self._patience:
            raise KeyboardInterrupt
        if self.count == self._patience:
            self.cancelled.set()
