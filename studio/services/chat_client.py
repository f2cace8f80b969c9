"""A conversation with a chat worker for callers that wait for each answer: the command line and the demo."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from studio.domain.ids import new_id
from studio.domain.sampling import Sampling
from studio.protocol.commands import ChatMessage, Generate, Stop
from studio.protocol.events import Answered, Token
from studio.services.children import worker_command
from studio.services.model_client import SLOT, ModelClient, no_answer

ANSWER_TIMEOUT_S = 900.0


class ChatClient(ModelClient):
    """One chat process with one model in it."""

    def __init__(
        self,
        cancel: threading.Event | None = None,
        command: Callable[..., list[str]] = worker_command,
    ) -> None:
        super().__init__("chat", cancel, command)
        self._request = ""

    def ask(
        self,
        messages: Sequence[ChatMessage],
        sampling: Sampling,
        on_token: Callable[[Token], None] | None = None,
    ) -> Answered:
        """The model's answer to the conversation, piece by piece to ``on_token``. Raises StudioError, JobCancelled."""
        self._request = new_id()
        self._worker.send(
            Generate(request_id=self._request, slot=SLOT, messages=list(messages), sampling=sampling)
        )
        for event in self._events(ANSWER_TIMEOUT_S):
            if isinstance(event, Token) and on_token is not None:
                on_token(event)
            if isinstance(event, Answered):
                return event
        raise no_answer()

    def stop(self) -> None:
        """End the answer that is being given; ``ask`` returns with what there is of it."""
        self._worker.send(Stop(request_id=self._request))
