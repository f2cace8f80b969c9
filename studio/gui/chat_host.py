"""The playground's chat process: a ModelHost that is asked conversations and tells every token."""

from __future__ import annotations

from PySide6.QtCore import Signal

from studio.domain.ids import new_id
from studio.domain.sampling import Sampling
from studio.gui.model_host import ModelFailure, ModelHost, Spawn
from studio.protocol.commands import ChatMessage, Generate
from studio.protocol.events import Answered, Event, Token

__all__ = ["ChatFailure", "ChatHost", "Spawn"]
ChatFailure = ModelFailure


class ChatHost(ModelHost):
    """Signals besides those of ModelHost: token(Token). ``answered`` carries Answered."""

    token = Signal(object)

    def generate(
        self, slot: str, messages: list[ChatMessage], sampling: Sampling | None = None, *, details: bool = False
    ) -> str:  # fmt: skip
        """Ask the model in ``slot``; returns the request's id. Raises StudioError ``chat.no_model``."""
        return self.ask(
            Generate(
                request_id=new_id(), slot=slot, messages=messages, sampling=sampling or Sampling(), details=details
            )
        )  # fmt: skip

    def take(self, event: Event) -> bool:
        if isinstance(event, Token):
            self.token.emit(event)
        return isinstance(event, Answered)
