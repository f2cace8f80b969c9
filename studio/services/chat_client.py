"""A conversation with a chat worker for callers that wait for each answer: the command line and the demo."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from typing import Literal

from studio.domain.ids import new_id
from studio.domain.sampling import Sampling
from studio.errors import StudioError
from studio.i18n import _
from studio.protocol.commands import ChatMessage, Generate, Load, Quit, Stop
from studio.protocol.events import (
    TERMINAL,
    Answered,
    Event,
    Failed,
    ModelLoaded,
    RequestFailed,
    Token,
)
from studio.services.children import JobCancelled, JobFailed, WorkerProcess, worker_command
from studio.services.runs import ChatTarget

LOAD_TIMEOUT_S = 300.0
ANSWER_TIMEOUT_S = 900.0
_POLL_S = 0.05
_SLOT = "a"


class ChatClient:
    """One chat process with one model in it. Use as a context manager: the process ends with it.

    cancel: set from elsewhere, ends waiting with JobCancelled.
    """

    def __init__(
        self,
        cancel: threading.Event | None = None,
        command: Callable[..., list[str]] = worker_command,
    ) -> None:
        self._cancel = cancel or threading.Event()
        self._heard: queue.Queue[Event] = queue.Queue()
        self._worker = WorkerProcess(["chat"], on_event=self._heard.put, command=command)
        self._request = ""

    def __enter__(self) -> ChatClient:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def load(self, target: ChatTarget, device: Literal["auto", "cpu"] = "auto") -> ModelLoaded:
        """Put a model in the place of the one before. Raises StudioError, JobCancelled."""
        self._worker.send(
            Load(
                slot=_SLOT, name=target.name, base_dir=target.base_dir, adapter_dir=target.adapter_dir, device=device
            )
        )  # fmt: skip
        for event in self._events(LOAD_TIMEOUT_S):
            if isinstance(event, ModelLoaded):
                return event
        raise _no_answer()

    def ask(
        self,
        messages: Sequence[ChatMessage],
        sampling: Sampling,
        on_token: Callable[[Token], None] | None = None,
    ) -> Answered:
        """The model's answer to the conversation, piece by piece to ``on_token``. Raises StudioError, JobCancelled."""
        self._request = new_id()
        self._worker.send(
            Generate(request_id=self._request, slot=_SLOT, messages=list(messages), sampling=sampling)
        )
        for event in self._events(ANSWER_TIMEOUT_S):
            if isinstance(event, Token) and on_token is not None:
                on_token(event)
            if isinstance(event, Answered):
                return event
        raise _no_answer()

    def stop(self) -> None:
        """End the answer that is being given; ``ask`` returns with what there is of it."""
        self._worker.send(Stop(request_id=self._request))

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


def _left() -> Failed:
    return Failed(code="chat.ended", message=_("The chat process ended unexpectedly."), hint=_("Ask again."))


def _no_answer() -> StudioError:
    return StudioError("chat.no_answer", _("The model did not answer in time."), _("Try again."))
