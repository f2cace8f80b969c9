"""Moments and excerpts as a terminal shows them."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final

_HASH: Final = re.compile(r"[0-9a-f]{64}")


def local_time(moment: datetime) -> str:
    """A stored (UTC) time on this computer's clock, to the minute."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")


def asked(prompt: str) -> str:
    """What a model was asked in one line; a picture or recording by the beginning of its name, which is a hash."""
    name, dot, ending = prompt.partition(".")
    return f"{name[:8]}….{ending}" if dot and _HASH.fullmatch(name) else excerpt(prompt)


def excerpt(text: str, length: int = 60) -> str:
    """One line of at most ``length`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"
