"""A model in a child process for callers that wait for each answer: what chatting and predicting share."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Literal, Self

from studio.errors import StudioError
from studio.i18n import _
from studio.protocol.commands import Load, Quit
from studio.protocol.events import TERMINAL, Event, Failed, ModelLoaded, RequestFailed
from studio.services.children import JobCancelled, JobFailed, WorkerProcess, worker_command
from studio.services.runs import ChatTarget

LOAD_TIMEOUT_S = 300.0
SLOT = "a"
_POLL_S = 0.05


class ModelClient:
    """One long-lived process with one model in it. Use as a context manager: the process ends with it.

    job: the worker's verb. cancel: set from elsewhere, ends waiting with JobCancelled.
    """

    def __init__(
        self, job: str, cancel: threading.Event | None = None,
        command: Callable[..., list[str]] = worker_command,
    ) -> None:  # fmt: skip
        self._cancel = cancel or threading.Event()
        self._heard: queue.Queue[Event] = queue.Queue()
        self._worker = WorkerProcess([job], on_event=self._heard.put, command=command)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:  # fmt: skip
        self.close()

    def load(self, target: ChatTarget, device: Literal["auto", "cpu"] = "auto") -> ModelLoaded:
        """Put a model in the place of the one before. Raises StudioError, JobCancelled."""
        self._worker.send(
            Load(
                slot=SLOT, name=target.name, base_dir=target.base_dir, adapter_dir=target.adapter_dir, device=device
            )
        )  # fmt: skip
        for event in self._events(LOAD_TIMEOUT_S):
            if isinstance(event, ModelLoaded):
                return event
        raise no_answer()

    def close(self) -> None:
        """Let the process go."""
        self._worker.send(Quit())
        self._worker.close()

    def _events(self, timeout_s: float) -> Iterator[Event]:
        """Events as they come, until ``timeout_s`` have passed. Raises JobFailed when one says so, JobCancelled."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            if self._cancel.is_set():
                raise JobCancelled
            try:
                event = self._heard.get(timeout=_POLL_S)
            except queue.Empty:
                continue
            if isinstance(event, Failed):
                raise JobFailed(event)
            if isinstance(event, RequestFailed):
                raise StudioError(event.code, event.message, event.hint)
            if isinstance(event, TERMINAL):
                raise JobFailed(_left())
            yield event


def no_answer() -> StudioError:
    """The model stayed silent for too long."""
    return StudioError("chat.no_answer", _("The model did not answer in time."), _("Try again."))


def _left() -> Failed:
    return Failed(
        code="chat.ended", message=_("The model's process ended unexpectedly."), hint=_("Ask again.")
    )
