"""The playground's predict process: a ModelHost that is asked batches of inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import Signal

from studio.domain.ids import new_id
from studio.gui.model_host import ModelHost
from studio.protocol.commands import Predict
from studio.protocol.events import Event, Predicted, Progress


class PredictHost(ModelHost):
    """Signals besides those of ModelHost: progressed(Progress) of a long batch. ``answered`` carries Predicted."""

    progressed = Signal(object)

    def predict(self, slot: str, inputs: Sequence[dict[str, Any]]) -> str:
        """Ask the model in ``slot``; returns the request's id. Raises StudioError ``chat.no_model``."""
        return self.ask(Predict(request_id=new_id(), slot=slot, inputs=list(inputs)))

    def take(self, event: Event) -> bool:
        if isinstance(event, Progress):
            self.progressed.emit(event)
        return isinstance(event, Predicted)
