"""Sizes, times and shares as a terminal shows them."""

from __future__ import annotations

from datetime import datetime

from studio.domain.verdicts import VerdictKind
from studio.i18n import N_, _, ngettext

VERDICT_TITLES = {
    VerdictKind.BETTER: N_("Better"),
    VerdictKind.SAME: N_("About the same"),
    VerdictKind.WORSE: N_("Worse"),
    VerdictKind.NO_BASE: N_("New model"),
}


def duration(seconds: float) -> str:
    """A length of time in one or two plain units, e.g. "3 min 20 s"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return ngettext("{n} second", "{n} seconds", whole).format(n=whole)
    if whole < 3600:
        return _("{minutes} min {seconds} s").format(minutes=whole // 60, seconds=whole % 60)
    return _("{hours} h {minutes} min").format(hours=whole // 3600, minutes=whole % 3600 // 60)


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


def size(size_bytes: float) -> str:
    """A size in GB or MB (powers of 1024), e.g. "1.4 GB"."""
    if size_bytes >= 2**30:
        return f"{size_bytes / 2**30:.1f} GB"
    return f"{max(size_bytes / 2**20, 0):.0f} MB"
