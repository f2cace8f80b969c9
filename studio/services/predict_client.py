"""A kept model that is no language model, asked by a caller that waits for the answers: the command line."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any

from studio.domain.ids import new_id
from studio.protocol.commands import Predict
from studio.protocol.events import Event, Predicted
from studio.services.children import worker_command
from studio.services.model_client import SLOT, ModelClient, no_answer

PATIENCE_S = 24 * 3600.0  # a batch is as long as its file; Ctrl+C ends it


class PredictClient(ModelClient):
    """One predict process with one model in it."""

    def __init__(
        self, cancel: threading.Event | None = None, command: Callable[..., list[str]] = worker_command
    ) -> None:  # fmt: skip
        super().__init__("predict", cancel, command)

    def predict(
        self, inputs: Sequence[dict[str, Any]], on_event: Callable[[Event], None] | None = None
    ) -> Predicted:
        """The answers in order; on_event hears how far it is. Raises StudioError, JobCancelled."""
        request = Predict(request_id=new_id(), slot=SLOT, inputs=list(inputs))
        self._worker.send(request)
        for event in self._events(PATIENCE_S):
            if isinstance(event, Predicted) and event.request_id == request.request_id:
                return event
            if on_event is not None:
                on_event(event)
        raise no_answer()
