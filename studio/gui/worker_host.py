"""Who follows the training runs for the window: one thread that reads what the trainers tell and passes it
on.

Trainers are detached processes that write events.jsonl (they may outlive the window), so this thread owns no
pipe: ten
times a second it lets the run service read what is new, and hands it to the GUI thread as signals. The chat
process of
the playground has its own owner, ``ChatHost``.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol

import psutil
from PySide6.QtCore import QObject, Qt, QThread, QTimer, Signal, Slot

from studio.domain.runs import Run, RunState
from studio.gui.chat_host import ChatHost
from studio.gui.context import JobStatus
from studio.i18n import _
from studio.protocol.events import TERMINAL, Event, Paused, Resumed, Started, Step

__all__ = ["ChatHost", "RunHost", "device_line"]

log = logging.getLogger(__name__)
POLL_MS = 100
RECENT_S = 5.0
RECENT_EVENTS = 2000
OVERVIEW_S = 1.0  # how often the lists of active and waiting runs are read when nothing happened


class FollowedRuns(Protocol):
    """The part of services.runs that is used here."""

    def poll(self) -> list[tuple[str, list[Event]]]: ...

    def active(self) -> list[Run]: ...

    def queue(self) -> list[Run]: ...


class _Follower(QObject):
    """Lives in the follower thread; everything it emits is delivered on the GUI thread."""

    heard = Signal(object)  # (run_id, list[Event])
    overview = Signal(object)  # (list[Run] active, list[Run] waiting)
    memory = Signal(object)  # device line
    failed = Signal(object)  # Exception, once for each new kind

    def __init__(self, runs: FollowedRuns) -> None:
        super().__init__()
        self._runs = runs
        self._timer: QTimer | None = None
        self._next_overview = 0.0
        self._last_problem = ""

    @Slot()
    def start(self) -> None:
        self._timer = QTimer(self)
        self._timer.setInterval(POLL_MS)
        self._timer.timeout.connect(self.tick)
        self._timer.start()
        self.tick()

    @Slot()
    def stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer.deleteLater()
            self._timer = None
        QThread.currentThread().quit()

    @Slot()
    def tick(self) -> None:
        try:
            news = self._runs.poll()
            for run_id, events in news:
                if events:
                    self.heard.emit((run_id, events))
            if _tells_of_states(news) or time.monotonic() >= self._next_overview:
                self._next_overview = time.monotonic() + OVERVIEW_S
                self.overview.emit((self._runs.active(), self._runs.queue()))
                self.memory.emit(device_line())
            self._last_problem = ""
        except Exception as problem:  # noqa: BLE001 - the boundary of a thread; told once, then tried again
            self._report(problem)

    def _report(self, problem: Exception) -> None:
        if repr(problem) != self._last_problem:
            self._last_problem = repr(problem)
            log.error("following the runs failed", exc_info=problem)
            self.failed.emit(problem)


def _tells_of_states(news: Sequence[tuple[str, list[Event]]]) -> bool:
    return any(
        isinstance(e, (Started, Paused, Resumed, *TERMINAL)) for _run_id, events in news for e in events
    )


def device_line() -> str:
    """Memory in use of this computer, e.g. “3.1 of 24 GB in use”."""
    memory = psutil.virtual_memory()
    used, total = ((memory.total - memory.available) / 2**30, memory.total / 2**30)
    return _("Memory {used} of {total} GB").format(used=f"{used:.1f}", total=f"{total:.0f}")


class RunHost(QObject):
    """The running and waiting training runs, as the window sees them.

    Signals, all on the GUI thread:
    - run_events(object): (run_id, list[Event]); new events in order, at most ten batches a second.
    - run_event(object): (run_id, Event), for listeners that want one at a time; only states and results, no
    steps.
    - run_ended(object): run_id, after its terminal event.
    - active_changed(object): list[Run] that are running or paused.
    - queue_changed(object): int, runs waiting.
    - status_changed(object): JobStatus or None.
    - device_changed(object): str.
    - failed(object): Exception of the follower; it goes on trying.
    """

    run_events = Signal(object)
    run_event = Signal(object)
    run_ended = Signal(object)
    active_changed = Signal(object)
    queue_changed = Signal(object)
    status_changed = Signal(object)
    device_changed = Signal(object)
    failed = Signal(object)
    _stop_follower = Signal()

    def __init__(self, runs: FollowedRuns, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._active: list[Run] = []
        self._waiting = 0
        self._status: JobStatus | None = None
        self._device = ""
        self._recent: deque[tuple[float, str, Event]] = deque(maxlen=RECENT_EVENTS)
        self._thread = QThread()
        self._thread.setObjectName("run-follower")
        self._follower = _Follower(runs)
        self._follower.moveToThread(self._thread)
        queued = Qt.ConnectionType.QueuedConnection
        self._thread.started.connect(self._follower.start)
        self._stop_follower.connect(self._follower.stop, queued)
        self._follower.heard.connect(self._on_events, queued)
        self._follower.overview.connect(self._on_overview, queued)
        self._follower.memory.connect(self._on_memory, queued)
        self._follower.failed.connect(self.failed, queued)

    def start(self) -> None:
        """Begin to follow; runs that outlived an earlier window are found at once."""
        self._thread.start()

    def status(self) -> JobStatus | None:
        """The first active run for the status bar, or None."""
        return self._status

    def active(self) -> list[Run]:
        """Runs that run or are paused, as last read."""
        return list(self._active)

    def queue_length(self) -> int:
        return self._waiting

    def device(self) -> str:
        """The last device and memory line."""
        return self._device

    def recent(self, run_id: str) -> list[Event]:
        """Events of the last seconds, for a view that has just read the rest from the database.

        The database is written once a second, so what was heard lately may not be in it yet.
        """
        return [event for _when, heard_id, event in self._recent if heard_id == run_id]

    def has_running(self) -> bool:
        return bool(self._active)

    def shutdown(self, timeout_ms: int = 5000) -> bool:
        """End the follower thread and wait for it; the trainers themselves go on. True when it has ended."""
        if not self._thread.isRunning():
            return True
        self._stop_follower.emit()
        ended = self._thread.wait(timeout_ms)
        if not ended:
            log.warning("the run follower did not end in %d ms", timeout_ms)
        return ended

    def _on_events(self, news: tuple[str, list[Event]]) -> None:
        run_id, events = news
        self._remember(run_id, events)
        self.run_events.emit(news)
        for event in events:
            if not isinstance(event, Step):
                self.run_event.emit((run_id, event))
        if self._status is not None and self._status.run_id == run_id:
            self._set_status(_updated(self._status, events))
        if any(isinstance(event, TERMINAL) for event in events):
            self.run_ended.emit(run_id)

    def _remember(self, run_id: str, events: Sequence[Event]) -> None:
        moment = time.monotonic()
        while self._recent and self._recent[0][0] < moment - RECENT_S:
            self._recent.popleft()
        self._recent.extend((moment, run_id, event) for event in events)

    def _on_overview(self, lists: tuple[list[Run], list[Run]]) -> None:
        active, waiting = lists
        if [(r.id, r.state) for r in active] != [(r.id, r.state) for r in self._active]:
            self._active = active
            self.active_changed.emit(active)
        self._active = active
        if len(waiting) != self._waiting:
            self._waiting = len(waiting)
            self.queue_changed.emit(self._waiting)
        known = self._status.run_id if self._status else None
        if not active:
            self._set_status(None)
        elif known != active[0].id:
            self._set_status(_status_of(active[0]))

    def _on_memory(self, line: str) -> None:
        if line != self._device:
            self._device = line
            self.device_changed.emit(line)

    def _set_status(self, status: JobStatus | None) -> None:
        if status != self._status:
            self._status = status
            self.status_changed.emit(status)


def _status_of(run: Run) -> JobStatus:
    fraction = run.step / run.total_steps if run.total_steps else None
    return JobStatus(run.id, run.name, fraction, run.eta_s, run.last_loss, run.state is RunState.PAUSED)


def _updated(status: JobStatus, events: Sequence[Event]) -> JobStatus:
    for event in events:
        if isinstance(event, Step):
            fraction = event.step / event.total_steps if event.total_steps else None
            status = replace(status, fraction=fraction, eta_s=event.eta_s, loss=event.loss)
        elif isinstance(event, (Paused, Resumed)):
            status = replace(status, paused=isinstance(event, Paused))
    return status
