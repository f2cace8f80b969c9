"""One import under way: it lives longer than the page, which is built anew when the language changes."""

from __future__ import annotations

import threading
from collections.abc import Callable

from PySide6.QtCore import QCoreApplication, QObject, Signal

from studio.domain.datasets import DatasetVersion
from studio.domain.recipes import Recipe
from studio.gui.tasks import TaskRunner
from studio.protocol.events import Event
from studio.services.children import JobCancelled

Work = Callable[[Callable[[Event], None], threading.Event], DatasetVersion]


class ImportJob(QObject):
    """Runs ``work(on_event, cancel)`` in a thread.

    All on the GUI thread: ``progressed`` carries protocol events, then exactly one of ``done`` (DatasetVersion),
    ``failed`` (Exception), ``cancelled``. recipe: what is done to the rows after the import.
    """

    progressed = Signal(object)
    done = Signal(object)
    failed = Signal(object)
    cancelled = Signal()

    def __init__(self, tasks: TaskRunner, work: Work, label: str, recipe: Recipe | None = None) -> None:
        super().__init__()
        self.label, self.recipe = label, recipe
        self.running = False
        self._tasks = tasks
        self._work = work
        self._cancel = threading.Event()
        app = QCoreApplication.instance()
        if app is not None:
            app.aboutToQuit.connect(self._cancel.set)

    def start(self) -> None:
        """Begin; connect to the signals first, for the child may be quick."""
        self.running = True
        self._tasks.run(self._run, self._on_done, self._on_error, self.label)

    def cancel(self) -> None:
        """Ask the child to end; ``cancelled`` follows when it is gone."""
        self._cancel.set()

    def _run(self) -> DatasetVersion:
        return self._work(self.progressed.emit, self._cancel)

    def _on_done(self, dataset: DatasetVersion) -> None:
        self.running = False
        self.done.emit(dataset)

    def _on_error(self, problem: Exception) -> None:
        self.running = False
        if isinstance(problem, JobCancelled):
            self.cancelled.emit()
        else:
            self.failed.emit(problem)
