"""A service call that runs a child process, with its events on the GUI thread and a cancel that works."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal

from studio.errors import StudioError
from studio.gui.context import GuiContext
from studio.gui.tasks import Task
from studio.protocol.events import Event

Work = Callable[[Callable[[Event], None], threading.Event], Any]


class ChildJob(QObject):
    """One job at a time.

    Signals on the GUI thread: told(Event), done(result), failed(Exception), cancelled(); one of the last three
    ends each job.
    """

    told = Signal(object)
    done = Signal(object)
    failed = Signal(object)
    cancelled = Signal()
    _heard = Signal(object)

    def __init__(self, ctx: GuiContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ctx = ctx
        self._cancel: threading.Event | None = None
        self._task: Task | None = None
        self._heard.connect(self._on_heard, Qt.ConnectionType.QueuedConnection)

    def running(self) -> bool:
        """A job is under way."""
        return self._cancel is not None

    def start(self, work: Work, label: str = "") -> None:
        """Run ``work(on_event, cancel)`` in a task; an earlier job is cancelled and its result dropped."""
        self.abandon()
        cancel = self._cancel = threading.Event()

        def hear(event: Event) -> None:
            if not cancel.is_set():
                self._heard.emit((cancel, event))

        self._task = self._ctx.tasks.run(
            lambda: work(hear, cancel),
            lambda result: self._end(cancel, lambda: self.done.emit(result)),
            lambda problem: self._on_error(cancel, problem),
            label=label,
        )

    def cancel(self) -> None:
        """Ask the job to end; ``cancelled`` follows when it has."""
        if self._cancel is not None:
            self._cancel.set()

    def abandon(self) -> None:
        """Cancel, and hear nothing more of it."""
        if self._cancel is not None:
            self._cancel.set()
            self._cancel = None

    def _on_heard(self, news: tuple[threading.Event, Event]) -> None:
        cancel, event = news
        if cancel is self._cancel:
            self.told.emit(event)

    def _on_error(self, cancel: threading.Event, problem: Exception) -> None:
        if isinstance(problem, StudioError) and problem.code == "job.cancelled":
            self._end(cancel, self.cancelled.emit)
        else:
            self._end(cancel, lambda: self.failed.emit(problem))

    def _end(self, cancel: threading.Event, tell: Callable[[], None]) -> None:
        if cancel is self._cancel:
            self._cancel = None
            tell()
