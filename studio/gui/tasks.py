"""Work off the GUI thread: a plain callable runs in a pool, its result comes back on the GUI thread.

Nothing here knows pages or services. Heavy jobs (torch) do not belong here: they live in child processes.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import shiboken6
from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Task:
    """One piece of work under way. ``label`` is shown to the user where the shell lists work."""

    fn: Callable[[], Any]
    on_done: Callable[[Any], None]
    on_error: Callable[[Exception], None] | None = None
    label: str = ""
    abandoned: bool = field(default=False)

    def abandon(self) -> None:
        """Let the work finish, but drop its result (the asker no longer wants it). GUI thread only."""
        self.abandoned = True

    def wanted(self) -> bool:
        """False once abandoned, or when the widget that asked has been deleted meanwhile."""
        asker = getattr(self.on_done, "__self__", None)
        alive = not isinstance(asker, QObject) or shiboken6.isValid(asker)
        return alive and not self.abandoned


class _Job(QRunnable):
    def __init__(self, task: Task, report: Callable[[Task, Any, Exception | None], None]) -> None:
        super().__init__()
        self._task = task
        self._report = report

    def run(self) -> None:
        try:
            result = self._task.fn()
        except Exception as problem:
            log.info("task %r failed", self._task.label, exc_info=problem)
            self._report(self._task, None, problem)
        else:
            self._report(self._task, result, None)


class TaskRunner(QObject):
    """Runs callables in a thread pool.

    active_changed: the labels (list[str]) of the work under way, on the GUI thread.
    on_unhandled: called with the exception of a task that gave no ``on_error`` (the shell shows a notice).
    """

    active_changed = Signal(object)
    _finished = Signal(object)  # (Task, result, Exception | None), from any thread

    def __init__(
        self, on_unhandled: Callable[[Exception], None], parent: QObject | None = None, max_threads: int = 4
    ) -> None:
        super().__init__(parent)
        self._on_unhandled = on_unhandled
        self._pool = QThreadPool()
        self._pool.setMaxThreadCount(max_threads)
        self._active: list[Task] = []
        self._lock = threading.Lock()
        self._open = True
        self._finished.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def run(
        self,
        fn: Callable[[], Any],
        on_done: Callable[[Any], None],
        on_error: Callable[[Exception], None] | None = None,
        label: str = "",
    ) -> Task:
        """Execute ``fn()`` in the pool, then ``on_done(result)`` on the GUI thread. Returns the task's handle.

        ``fn`` must not touch widgets. When ``on_done`` is a method of a widget that is gone by then, nothing is called.
        """
        task = Task(fn, on_done, on_error, label)
        self._active.append(task)
        self.active_changed.emit(self.labels())
        self._pool.start(_Job(task, self._report))
        return task

    def labels(self) -> list[str]:
        """Labels of the work under way that has one."""
        return [task.label for task in self._active if task.label]

    def shutdown(self, timeout_ms: int = 5000) -> bool:
        """Drop results still to come and wait for running work. True when all threads have ended."""
        with self._lock:
            self._open = False
        self._pool.clear()
        self._active.clear()
        return self._pool.waitForDone(timeout_ms)

    def _report(self, task: Task, result: Any, problem: Exception | None) -> None:
        with self._lock:
            if self._open:
                self._finished.emit((task, result, problem))

    def _deliver(self, outcome: tuple[Task, Any, Exception | None]) -> None:
        task, result, problem = outcome
        if task not in self._active:
            return
        self._active.remove(task)
        self.active_changed.emit(self.labels())
        if not task.wanted():
            return
        if problem is None:
            task.on_done(result)
        elif task.on_error is not None:
            task.on_error(problem)
        else:
            self._on_unhandled(problem)
