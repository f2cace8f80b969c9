"""Sizes, times and bases of runs in words, the same on the Train and the Runs page."""

from __future__ import annotations

from studio.domain.runs import STATE_TITLES, Placement, RunState
from studio.domain.values import Basis, Value
from studio.domain.verdicts import VerdictKind
from studio.gui.theme import Tone
from studio.i18n import N_, _
from studio.services.phases import phase_words as phase_words
from studio.words import amount_words, duration_words

STATE_TONES: dict[RunState, Tone] = {
    RunState.QUEUED: "neutral",
    RunState.RUNNING: "accent",
    RunState.PAUSED: "warning",
    RunState.DONE: "success",
    RunState.FAILED: "error",
    RunState.INTERRUPTED: "warning",
    RunState.CANCELLED: "neutral",
}
STATE_ICONS: dict[RunState, str] = {
    RunState.QUEUED: "queue",
    RunState.RUNNING: "play",
    RunState.PAUSED: "pause",
    RunState.CANCELLED: "minus",
}
VERDICT_TONES: dict[VerdictKind, Tone] = {
    VerdictKind.BETTER: "success",
    VerdictKind.SAME: "neutral",
    VerdictKind.WORSE: "error",
    VerdictKind.NO_BASE: "accent",
}
VERDICT_ICONS = {
    VerdictKind.BETTER: "arrow-up",
    VerdictKind.SAME: "minus",
    VerdictKind.WORSE: "arrow-down",
    VerdictKind.NO_BASE: "star",
}
_BASES = {Basis.MEASURED: N_("measured"), Basis.IMPORTED: N_("imported"), Basis.ASSUMED: N_("assumed")}


def state_words(state: RunState) -> str:
    """The state's name in the active language."""
    return _(STATE_TITLES[state])


def count_words(count: float) -> str:
    """A large count in short: 950, 12.3k, 135M, 1.5B."""
    for size, unit in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if count >= size:
            return f"{count / size:.3g}{unit}"
    return f"{count:.0f}"


def range_words(low_s: float, high_s: float) -> str:
    """A span of time, e.g. "10 min 0 s – 15 min 20 s"."""
    low, high = duration_words(low_s), duration_words(high_s)
    return low if low == high else f"{low} – {high}"


def money_words(value: Value) -> str:
    """An amount with unit and basis, e.g. "0.03 CNY (assumed)"."""
    amount = amount_words(value.amount)
    return _("{amount} {unit} ({basis})").format(amount=amount, unit=value.unit, basis=_(_BASES[value.basis]))


def place_words(place: Placement) -> str:
    """Where a run is computed; empty for this computer alone."""
    if place.kind == "ray":
        return _("on the Ray cluster {address}").format(address=place.address)
    if place.kind == "processes":
        return _("{n} processes side by side").format(n=place.processes)
    return ""
