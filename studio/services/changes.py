"""Which kinds of thing a write changed, so that only the screens that show them refresh."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from enum import Flag, auto

log = logging.getLogger(__name__)


class Changes(Flag):
    """Kinds of stored thing; combine with ``|``."""

    MATRIX = auto()
    DATASETS = auto()
    RUNS = auto()
    RUN_METRICS = auto()  # steps, evaluations, probes of a run; comes about once a second while training
    MODELS = auto()
    FEEDBACK = auto()
    SETTINGS = auto()
    OUTBOUND = auto()


class ChangeBus:
    """Tells every subscriber what changed, in the thread that made the change."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscribers: dict[object, Callable[[Changes], None]] = {}

    def subscribe(self, callback: Callable[[Changes], None]) -> Callable[[], None]:
        """Call ``callback(changes)`` after each write, from any thread. Returns the function that ends it."""
        key = object()
        with self._lock:
            self._subscribers[key] = callback

        def unsubscribe() -> None:
            with self._lock:
                self._subscribers.pop(key, None)

        return unsubscribe

    def publish(self, changes: Changes) -> Changes:
        """Tell all subscribers; one that raises is logged and does not keep the others from hearing."""
        with self._lock:
            callbacks = list(self._subscribers.values())
        for callback in callbacks:
            try:
                callback(changes)
            except Exception:  # the boundary to a stranger's code: a broken listener must not undo a write
                log.exception("A listener to changes failed")
        return changes
