"""What every page receives: the services, and the few window-wide objects it may talk to.

Pages never touch each other. They call services, listen to ``changes``, and ask ``navigator`` to go elsewhere.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from PySide6.QtCore import QObject, Qt, Signal

from studio.gui.notices import NoticeCenter
from studio.gui.tasks import TaskRunner
from studio.gui.theme import Theme

if TYPE_CHECKING:
    from studio.bootstrap import Services


class ChangeSource(Protocol):
    """The services' change bus; it may call back from any thread."""

    def subscribe(self, callback: Callable[[Any], None]) -> Callable[[], None] | None: ...


class ChangeSignal(QObject):
    """The change bus as a Qt signal: ``changed(Changes)`` on the GUI thread, bursts merged into one."""

    changed = Signal(object)
    _arrived = Signal()

    def __init__(self, source: ChangeSource, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._lock = threading.Lock()
        self._pending: Any = None
        self._arrived.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._unsubscribe = source.subscribe(self._on_change)

    def close(self) -> None:
        """Stop listening (the bus may outlive the window)."""
        if self._unsubscribe is not None:
            self._unsubscribe()
            self._unsubscribe = None

    def _on_change(self, changes: Any) -> None:
        with self._lock:
            first = self._pending is None
            self._pending = changes if self._pending is None else self._pending | changes
        if first:
            self._arrived.emit()

    def _deliver(self) -> None:
        with self._lock:
            changes, self._pending = self._pending, None
        if changes is not None:
            self.changed.emit(changes)


class Navigator(QObject):
    """Where the user is: page, matrix and product. The main window listens; pages ask.

    requested: (page_id, arguments) of a wish to go somewhere.
    product_changed / matrix_changed: the new id, or None.
    """

    requested = Signal(object)
    product_changed = Signal(object)
    matrix_changed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._matrix_id: str | None = None
        self._product_id: str | None = None

    @property
    def current_product_id(self) -> str | None:
        """The product chosen in the top bar, None when the matrix is empty."""
        return self._product_id

    @property
    def current_matrix_id(self) -> str | None:
        """The open matrix, None before the first one exists."""
        return self._matrix_id

    def go(self, page_id: str, **arguments: Any) -> None:
        """Show a page ("matrix", "data", "train", "runs", "playground", "settings"); it gets ``enter(**arguments)``."""
        self.requested.emit((page_id, arguments))

    def set_product(self, product_id: str | None) -> None:
        """Choose a product for the whole window."""
        if product_id != self._product_id:
            self._product_id = product_id
            self.product_changed.emit(product_id)

    def set_matrix(self, matrix_id: str | None) -> None:
        """Open a matrix for the whole window; the chosen product is cleared."""
        if matrix_id != self._matrix_id:
            self._matrix_id = matrix_id
            self.set_product(None)
            self.matrix_changed.emit(matrix_id)


@dataclass(frozen=True)
class JobStatus:
    """What the status bar says about the running job. ``fraction`` in 0..1, ``eta_s`` seconds, None = unknown."""

    run_id: str
    name: str
    fraction: float | None = None
    eta_s: float | None = None
    loss: float | None = None
    paused: bool = False


class RunHost(Protocol):
    """Owner of the running children (filled in by the runs feature; a QObject).

    Signals, all emitted on the GUI thread:
    - ``status_changed(object)``: JobStatus, or None when nothing runs.
    - ``queue_changed(object)``: int, number of jobs waiting.
    - ``device_changed(object)``: str, the device and memory line, e.g. "CPU · 3.1 of 24 GB".
    - ``run_event(object)``: (run_id, protocol event).
    - ``run_ended(object)``: run_id.
    """

    status_changed: Any
    queue_changed: Any
    device_changed: Any
    run_event: Any
    run_ended: Any

    def status(self) -> JobStatus | None: ...

    def queue_length(self) -> int: ...

    def device(self) -> str: ...

    def has_running(self) -> bool: ...

    def shutdown(self) -> None: ...


@dataclass
class GuiContext:
    """Passed to every page constructor. ``jobs`` is None until the run host is attached."""

    services: Services
    changes: ChangeSignal
    tasks: TaskRunner
    notices: NoticeCenter
    theme: Theme
    navigator: Navigator
    jobs: Any = None  # a RunHost
    chat: Any = None  # a ChatHost; outlives the pages, so that models stay loaded
    predict: Any = None  # a PredictHost; the same for models that are no language models
