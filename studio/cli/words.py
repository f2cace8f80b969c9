"""Losses, moments and excerpts as a terminal shows them."""

from __future__ import annotations

from datetime import datetime


def loss(value: float | None) -> str:
    """A loss in nats per token with three digits; a dash when there is none."""
    return "–" if value is None else f"{value:.3f}"


def local_time(moment: datetime) -> str:
    """A stored (UTC) time on this computer's clock, to the minute."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M")


def excerpt(text: str, length: int = 60) -> str:
    """One line of at most ``length`` characters."""
    line = " ".join(text.split())
    return line if len(line) <= length else line[: length - 1] + "…"
