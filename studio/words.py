"""Sizes, times, losses and lists as people read them, the same in window, command line and messages.

Marks between words differ from language to language, so that they are put here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from studio.i18n import _, ngettext

_LEAST_AMOUNT: Final = 0.0001
_LEAST_KWH: Final = 0.001


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


def speed_words(per_s: float, *, reads_text: bool) -> str:
    """What a model takes in a second: tokens of text, or rows of anything else."""
    return (_("{n} tokens/s") if reads_text else _("{n} rows/s")).format(n=f"{per_s:,.0f}")


def energy_words(low: float, high: float) -> str:
    """A range in kWh; what is less than a watt-hour is not told apart."""
    if high < _LEAST_KWH:
        return _("less than {amount} kWh").format(amount=_LEAST_KWH)
    return f"{max(low, _LEAST_KWH):.2g} – {high:.2g} kWh"


def loss_words(loss: float | None) -> str:
    """A loss in nats per token with three digits after the point; a dash when there is none."""
    return "–" if loss is None else f"{loss:.3f}"


def listed(items: Iterable[str]) -> str:
    """Things in a row: "a, b, c"."""
    return _(", ").join(items)


def clauses(parts: Iterable[str]) -> str:
    """Statements in a row that may have commas in them: "a, b; c". Empty ones are left out."""
    return _("; ").join(part for part in parts if part)


def labelled(what: str, name: str) -> str:
    """A thing and what it is or says: "Language: English"."""
    return _("{what}: {name}").format(what=what, name=name)


def ended(words: str) -> str:
    """Words as a sentence of their own: "3 rows change."."""
    return _("{sentence}.").format(sentence=words)


def sentences(*parts: str) -> str:
    """Sentences one after the other. Empty ones are left out."""
    text = ""
    for part in filter(None, parts):
        text = _("{sentence} {next_sentence}").format(sentence=text, next_sentence=part) if text else part
    return text


def amount_words(amount: float, sign: str = "") -> str:
    """An amount of money with its currency's sign: two places, or two significant ones below 0.1; no powers of ten."""
    if amount >= 0.1 or amount <= 0:
        return f"{sign}{amount:,.2f}"
    return f"{sign}{amount:.2g}" if amount >= _LEAST_AMOUNT else f"< {sign}{_LEAST_AMOUNT:.4f}"
