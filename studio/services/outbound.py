"""Every host that the program contacted, for the user to see: nothing leaves this computer silently."""

from __future__ import annotations

import builtins
from collections.abc import Callable

from studio.domain.values import now
from studio.protocol.events import Event, Log
from studio.services.changes import ChangeBus, Changes
from studio.services.ports import OutboundCall, OutboundRepository

PREFIX = "outbound "  # a worker's Log event that begins so names a host that it contacted


class OutboundLog:
    """The record of contacted hosts."""

    def __init__(self, repository: OutboundRepository, changes: ChangeBus) -> None:
        self._repository = repository
        self._changes = changes

    def record(self, host: str, purpose: str) -> Changes:
        """Note that ``host`` was contacted; purpose: one sentence for the user."""
        self._repository.add(OutboundCall(host, purpose, now()))
        return self._changes.publish(Changes.OUTBOUND)

    def list(self, limit: int = 500) -> builtins.list[OutboundCall]:
        """Contacts, newest first."""
        return self._repository.list(limit)

    def watching(self, purpose: str, on_event: Callable[[Event], None] | None) -> Callable[[Event], None]:
        """An event listener that records the hosts that a worker names, each once, and hands every event on."""
        seen: set[str] = set()

        def hear(event: Event) -> None:
            if isinstance(event, Log) and event.message.startswith(PREFIX):
                host = event.message.removeprefix(PREFIX).strip()
                if host and host not in seen:
                    seen.add(host)
                    self.record(host, purpose)
            if on_event is not None:
                on_event(event)

        return hear
