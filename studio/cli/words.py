"""Moments and excerpts as a terminal shows them."""

from __future__ import annotations

from datetime import datetime


def local_time(moment: datetime) -> str:
    """A stored (UTC) time on this computer's clock, to the minute."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")


def excerpt(text: str, length: int = 60) -> str:
    """One line of at most ``length`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"
