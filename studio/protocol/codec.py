"""Events and commands to lines and back: strict about what is known, indulgent about what is new."""

from __future__ import annotations

import json
import math
from typing import Any

from pydantic import TypeAdapter, ValidationError

from studio.protocol.commands import AnyCommand, Command
from studio.protocol.events import AnyEvent, Event

_events: TypeAdapter[Event] = TypeAdapter(AnyEvent)
_commands: TypeAdapter[Command] = TypeAdapter(AnyCommand)


def encode(message: Event | Command) -> str:
    """One JSON object without a newline; non-finite numbers become null."""
    return json.dumps(_finite(message.model_dump(mode="python")), ensure_ascii=False, separators=(",", ":"))


def decode_event(line: str) -> Event | None:
    """The event of this line; None when the line is cut short, not an object, or of an unknown type."""
    try:
        return _events.validate_json(line)
    except ValidationError:
        return None


def decode_command(line: str) -> Command | None:
    """The command of this line; None when it is not one that is known."""
    try:
        return _commands.validate_json(line)
    except ValidationError:
        return None


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    return value
