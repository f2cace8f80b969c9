"""The user's wishes during a run: heard between two steps, from the mailbox, standard input and signals."""

from __future__ import annotations

import time
from collections.abc import Callable

from studio.engine.control import Emit
from studio.protocol.commands import Cancel, Pause, Quit, Resume, Stop
from studio.protocol.events import Paused, Resumed
from studio.worker.io import CommandReader, JobCancelled

PAUSE_POLL_S = 0.2
POLL_INTERVAL_S = 0.02  # the mailbox is a file: not looked at more often than this


class CommandControl:
    """Implements engine.control.Control over a CommandReader.

    end_with_parent: the end of standard input counts as Stop.
    """

    def __init__(self, commands: CommandReader, emit: Emit, *, end_with_parent: bool) -> None:
        self._commands, self._emit, self._end_with_parent = commands, emit, end_with_parent
        self._before_pause: Callable[[], int] = lambda: 0
        self._stop = False
        self._paused = False
        self._last_poll = -1.0

    @property
    def stop(self) -> bool:
        return self._stop

    def on_pause(self, before: Callable[[], int]) -> None:
        self._before_pause = before

    def check(self) -> None:
        """Hear what was said since the last call. Raises JobCancelled; returns after a pause is over."""
        if time.monotonic() - self._last_poll < POLL_INTERVAL_S:
            return
        self._hear()
        if self._paused and not self._stop:
            self._pause()
        self._last_poll = time.monotonic()

    def _hear(self) -> None:
        for command in self._commands.poll():
            match command:
                case Cancel():
                    raise JobCancelled
                case Stop() | Quit():
                    self._stop = True
                case Pause():
                    self._paused = True
                case Resume():
                    self._paused = False
        if self._end_with_parent and self._commands.eof:
            self._stop = True

    def _pause(self) -> None:
        step = self._before_pause()
        self._emit(Paused(step=step))
        while self._paused and not self._stop:
            time.sleep(PAUSE_POLL_S)
            self._hear()
        self._paused = False
        self._emit(Resumed(step=step))
