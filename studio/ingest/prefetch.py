"""An iterator that runs ahead in its own thread, so that reading, shaping and writing overlap."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterable, Iterator
from typing import Generic, TypeVar

T = TypeVar("T")


class Prefetch(Generic[T]):
    """Takes items from ``items`` up to ``ahead`` before they are asked for; keeps the exception of ``items``.

    Iterate once; call close() in any case, which waits for the thread.
    """

    def __init__(self, items: Iterable[T], ahead: int = 2) -> None:
        self._queue: queue.Queue[tuple[T] | None] = queue.Queue(ahead)
        self._error: BaseException | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(items,), name="prefetch", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        while (item := self._queue.get()) is not None:
            yield item[0]
        self.raise_own()

    def raise_own(self) -> None:
        """Raise what the items raised, if they did."""
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Stop after the item in work, and wait for that."""
        self._closed.set()
        while self._thread.is_alive():
            self._drain()
            self._thread.join(0.02)

    def _run(self, items: Iterable[T]) -> None:
        try:
            for item in items:
                if self._closed.is_set():
                    return
                self._queue.put((item,))
        except BaseException as error:  # noqa: BLE001 (handed to the thread that waits)
            self._error = error
        finally:
            self._queue.put(None)

    def _drain(self) -> None:
        try:
            while True:
                self._queue.get_nowait()
        except queue.Empty:
            return
