"""Sizes, times and losses as people read them, the same in window, command line and messages."""

from __future__ import annotations

from studio.i18n import _, ngettext


def size_words(size_bytes: float) -> str:
    """A size in GB, MB or kB (powers of 1000), e.g. "1.4 GB"."""
    for size, unit, digits in ((1e9, "GB", 1), (1e6, "MB", 0)):
        if size_bytes >= size:
            return f"{size_bytes / size:.{digits}f} {unit}"
    return f"{max(size_bytes / 1e3, 0):.0f} kB"


def duration_words(seconds: float) -> str:
    """A length of time in one or two plain units, e.g. "3 min 20 s"."""
    whole = max(0, round(seconds))
    if whole < 60:
        return ngettext("{n} second", "{n} seconds", whole).format(n=whole)
    if whole < 3600:
        return _("{minutes} min {seconds} s").format(minutes=whole // 60, seconds=whole % 60)
    return _("{hours} h {minutes} min").format(hours=whole // 3600, minutes=whole % 3600 // 60)


def loss_words(loss: float | None) -> str:
    """A loss in nats per token with three digits after the point; a dash when there is none."""
    return "–" if loss is None else f"{loss:.3f}"
