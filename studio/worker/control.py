"""The user's wishes during a run: heard between two steps, from the mailbox, standard input and signals."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

from studio.engine.control import Emit, Reason
from studio.protocol.commands import Cancel, Pause, Quit, Resume, Stop
from studio.protocol.events import Event, Paused, Resumed
from studio.worker.awake import Awake
from studio.worker.io import CommandReader, JobCancelled

PAUSE_POLL_S = 0.2
HOLD_POLL_S = 2.0  # whether the reason of a run's own pause is gone
POLL_INTERVAL_S = 0.02  # the mailbox is a file: not looked at more often than this


class CommandControl:
    """Implements engine.control.Control over a CommandReader.

    end_with_parent: the end of standard input counts as Stop. awake: lets the computer sleep during a pause.
    """

    def __init__(
        self, commands: CommandReader, emit: Emit, *, end_with_parent: bool, awake: Awake | None = None
    ) -> None:
        self._commands, self._emit, self._end_with_parent = commands, emit, end_with_parent
        self._awake = awake or Awake(wanted=False)
        self._before_pause: Callable[[], int] = lambda: 0
        self._after_pause: Callable[[], None] = lambda: None
        self._stop = False
        self._paused = False
        self._last_poll = -1.0

    @property
    def stop(self) -> bool:
        return self._stop

    def on_pause(self, before: Callable[[], int], after: Callable[[], None] = lambda: None) -> None:
        self._before_pause, self._after_pause = before, after

    def check(self) -> None:
        """Hear what was said since the last call. Raises JobCancelled. A pause waits for ``rest``."""
        if time.monotonic() - self._last_poll < POLL_INTERVAL_S:
            return
        self._hear()
        self._last_poll = time.monotonic()

    def rest(self) -> None:
        """Hear, and hold still when a pause was asked for; returns when it is over."""
        self.check()
        if not self._paused or self._stop:
            return
        step = self._before_pause()
        self._wait(Paused(step=step), lambda: False)
        self._after_pause()

    def hold(self, step: int, reason: Reason, until: Callable[[], bool] | None = None) -> None:
        self._paused = True
        self._wait(
            Paused(step=step, code=reason.code, message=reason.message, hint=reason.hint),
            until or (lambda: False),
        )

    def _wait(self, paused: Paused, over: Callable[[], bool]) -> None:
        """Hold still. Raises JobCancelled."""
        self._tell(paused)
        self._awake.release()
        asked = time.monotonic()
        while self._paused and not self._stop:
            time.sleep(PAUSE_POLL_S)
            self._hear()
            if time.monotonic() - asked >= HOLD_POLL_S:
                asked = time.monotonic()
                self._paused = self._paused and not over()
        self._paused = False
        self._awake.keep()
        self._tell(Resumed(step=paused.step))

    def _tell(self, event: Event) -> None:
        """Say it, as far as the disk takes it: a full disk may be the very reason, and the pipe has heard it."""
        try:
            self._emit(event)
        except OSError as error:
            print(f"{event!r} was not written: {error}", file=sys.stderr)  # noqa: T201 (stderr.log)

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
