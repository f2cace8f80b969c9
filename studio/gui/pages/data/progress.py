"""Work on data under way, told to a progress panel: what is being done, count, rate and time left."""

from __future__ import annotations

from typing import Final

from studio.gui.widgets import ProgressPanel
from studio.i18n import N_, _
from studio.protocol.events import Event, Phase, Progress
from studio.services.phases import phase_words
from studio.words import size_words

_RATES: Final = {"rows": N_("{n} rows/s"), "files": N_("{n} files/s"), "images": N_("{n} images/s")}
_MB: Final = 1e6


def show_event(panel: ProgressPanel, event: Event) -> None:
    """Bring a panel up to date with what a child process told."""
    if isinstance(event, Phase):
        panel.set_label(phase_words(event.name))
    elif isinstance(event, Progress) and event.unit == "bytes":
        rate = f"MB, {size_words(event.rate)}/s" if event.rate else "MB"
        total = event.total / _MB if event.total else None
        panel.set_progress(event.done / _MB, total, rate=rate, eta_s=event.eta_s)
    elif isinstance(event, Progress):
        words = _(_RATES[event.unit]) if event.unit in _RATES else "{n}/s"
        rate = words.format(n=f"{event.rate:,.0f}") if event.rate else ""
        panel.set_progress(event.done, event.total, rate=rate, eta_s=event.eta_s)
