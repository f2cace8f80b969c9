"""A long-lived worker: takes requests in their order, can be stopped in the middle of one, and survives a bad one.

It lives as long as its parent's pipe. What goes wrong with one request is told for that request; the worker goes on.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque

from studio.errors import StudioError
from studio.protocol.commands import Cancel, Command, Quit, Stop
from studio.protocol.events import RequestFailed
from studio.worker.io import CommandReader, EventWriter

_WAIT_S = 0.5


class RequestServer(ABC):
    """Works through commands in order; ``stop`` overtakes: it is heard while a request is being answered."""

    def __init__(self, writer: EventWriter, commands: CommandReader) -> None:
        self._writer = writer
        self._commands = commands
        self._waiting: deque[Command] = deque()
        self._ending = False
        self._stopped = False  # the request being answered

    @abstractmethod
    def carry_out(self, command: Command) -> None:
        """Do what the command says and tell of it; what is raised fails this request only."""

    @abstractmethod
    def give_up(self, command: Command) -> None:
        """Tell that a request was stopped before it was begun; nothing for a command that is no request."""

    @abstractmethod
    def failure(self, request_id: str, error: Exception) -> RequestFailed:
        """What to tell of a fault of a model or library."""

    def serve(self) -> None:
        """Answer until Quit or Cancel comes or the pipe ends."""
        while not self._ending:
            self._hear(_WAIT_S if not self._waiting else 0)
            if self._commands.eof and not self._waiting:
                return
            if self._waiting and not self._ending:
                self._handle(self._waiting.popleft())

    def should_stop(self, request_id: str) -> bool:
        """Whether the request being answered has to end; hears what was said meanwhile."""
        self._hear(0, request_id)
        return self._stopped or self._ending or self._commands.eof

    def _hear(self, wait_s: float, current: str = "") -> None:
        """Take in new commands; ``current``: the request being answered, for which a stop may come."""
        for command in self._commands.wait(wait_s) if wait_s else self._commands.poll():
            if isinstance(command, Stop):
                self._stop(command.request_id, current)
            elif isinstance(command, (Quit, Cancel)):
                self._ending = True
            else:
                self._waiting.append(command)

    def _stop(self, request_id: str, current: str) -> None:
        """Stop the request being answered, and those not begun yet, that ``request_id`` names (empty: all)."""
        if current and request_id in ("", current):
            self._stopped = True
        for command in list(self._waiting):
            own = getattr(command, "request_id", "")
            if own and request_id in ("", own):
                self._waiting.remove(command)
                self.give_up(command)

    def _handle(self, command: Command) -> None:
        """One command; whatever a model or a library raises fails this request only."""
        request_id = getattr(command, "request_id", "") or getattr(command, "slot", "")
        self._stopped = False
        try:
            self.carry_out(command)
        except StudioError as error:
            self._writer.emit(
                RequestFailed(request_id=request_id, code=error.code, message=error.message, hint=error.hint)
            )
        except (OSError, RuntimeError, ValueError, TypeError, LookupError, MemoryError) as error:
            self._writer.emit(self.failure(request_id, error))


def is_out_of_memory(error: Exception) -> bool:
    """Whether a model or library failed for want of memory; torch's own class is known by its name."""
    return isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__ or "allocate" in str(error)
