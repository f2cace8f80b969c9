"""An iterator that runs ahead in its own thread, so that reading, shaping and writing overlap."""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")
_LOOK_EVERY_S: Final = 0.1
_PATIENCE_S: Final = 0.3


def attended(call: Callable[[], T], check: Callable[[], None]) -> T:
    """The result of ``call``, which runs in a thread of its own while ``check`` is asked whether to give up.

    Raises what either raises. A call that was given up is left alone: it may be in native code for minutes.
    """
    with_one = Prefetch((call() for _once in (None,)), check=check)
    try:
        return next(iter(with_one))
    finally:
        with_one.close()


def mapped(function: Callable[[T], R], items: Iterable[T], workers: int = 2) -> Iterator[tuple[T, R]]:
    """Each item with what the function makes of it, in order; ``workers`` of them are made at the same time.

    The function is native code for the most part, or nothing is gained. Raises what it raises, at its item.
    """
    waiting: deque[tuple[T, Future[R]]] = deque()
    with ThreadPoolExecutor(workers, thread_name_prefix="mapped") as pool:
        try:
            for item in items:
                waiting.append((item, pool.submit(function, item)))
                if len(waiting) > workers:
                    done, future = waiting.popleft()
                    yield done, future.result()
            while waiting:
                done, future = waiting.popleft()
                yield done, future.result()
        finally:
            for _item, future in waiting:
                future.cancel()


class Prefetch(Generic[T]):
    """Takes items from ``items`` up to ``ahead`` before they are asked for; keeps the exception of ``items``.

    check: called again and again while the next item is waited for; raises to give up.
    Iterate once; call close() in any case, which waits for the thread as long as that makes sense.
    """

    def __init__(self, items: Iterable[T], ahead: int = 2, check: Callable[[], None] = lambda: None) -> None:
        self._check = check
        self._queue: queue.Queue[tuple[T] | None] = queue.Queue(ahead)
        self._error: BaseException | None = None
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(items,), name="prefetch", daemon=True)
        self._thread.start()

    def __iter__(self) -> Iterator[T]:
        while (item := self._next()) is not None:
            yield item[0]
        self.raise_own()

    def _next(self) -> tuple[T] | None:
        while True:
            try:
                return self._queue.get(timeout=_LOOK_EVERY_S)
            except queue.Empty:
                self._check()

    def raise_own(self) -> None:
        """Raise what the items raised, if they did."""
        if self._error is not None:
            raise self._error

    def close(self) -> None:
        """Stop after the item in work, and wait for that; not for long, as it can be in native code for minutes."""
        self._closed.set()
        until = time.monotonic() + _PATIENCE_S
        while self._thread.is_alive() and time.monotonic() < until:
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
