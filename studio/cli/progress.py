"""Shows what a worker says: one moving line in a terminal, a line now and then in a file or pipe."""

from __future__ import annotations

import time
from collections.abc import Callable
from types import TracebackType

from rich.status import Status

from studio.cli import words
from studio.cli.output import Output
from studio.i18n import _
from studio.protocol.events import (
    Evaluated,
    Event,
    Log,
    Paused,
    Phase,
    Planned,
    ProbeAnswered,
    Progress,
    Resumed,
    Step,
)
from studio.services.phases import phase_words
from studio.words import duration_words, loss_words, speed_words

LINE_EVERY_S = 10.0


class ProgressLine:
    """A listener to events; use as a context manager around the work.

    reads_text: whether what is trained takes tokens or rows.
    """

    def __init__(
        self, out: Output, clock: Callable[[], float] = time.monotonic, *, reads_text: bool = True
    ) -> None:
        self._console = out.progress
        self._reads_text = reads_text
        self._clock = clock
        self._status: Status | None = None
        self._phase = ""
        self._said_at = -LINE_EVERY_S

    def __enter__(self) -> ProgressLine:
        if self._console.is_terminal:
            self._status = self._console.status("")
            self._status.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._status is not None:
            self._status.stop()

    def __call__(self, event: Event) -> None:
        """Show this event; may be called from a reader thread."""
        if isinstance(event, Phase):
            self._enter_phase(event.name)
        elif isinstance(event, Step):
            self._moving(_step_words(event, self._reads_text), event.step in (1, event.total_steps))
        elif isinstance(event, Progress):
            self._moving(_progress_words(self._phase, event))
        elif text := _lasting_words(event):
            self._console.print(text, soft_wrap=True)

    def _enter_phase(self, name: str) -> None:
        text = phase_words(name)
        if text == self._phase:
            return
        self._phase = text
        if self._status is not None:
            self._status.update(text)
        else:
            self._console.print(text, soft_wrap=True)

    def _moving(self, text: str, always: bool = False) -> None:
        if self._status is not None:
            self._status.update(text)
        elif always or self._clock() - self._said_at >= LINE_EVERY_S:
            self._said_at = self._clock()
            self._console.print(text, soft_wrap=True)


def _step_words(event: Step, reads_text: bool) -> str:
    text = _("Step {step} of {total}: loss {loss}, {speed}").format(
        step=event.step,
        total=event.total_steps,
        loss=loss_words(event.loss),
        speed=speed_words(event.tokens_per_s, reads_text=reads_text),
    )
    if event.eta_s is None or event.step >= event.total_steps:
        return text
    return text + _(", about {time} left").format(time=duration_words(event.eta_s))


def _progress_words(phase: str, event: Progress) -> str:
    done = f"{event.done:,}" if event.total is None else f"{event.done:,} / {event.total:,}"
    return f"{phase or phase_words(event.phase)} {done}"


def _lasting_words(event: Event) -> str:
    """What stays on the screen; empty for events that nobody needs to read later."""
    if isinstance(event, Planned):
        return _("{rows} rows to learn from, {steps} updates, {trainable} of {parameters} weights learn.").format(
            rows=f"{event.rows:,}", steps=f"{event.total_steps:,}", trainable=f"{event.trainable:,}",
            parameters=f"{event.parameters:,}",
        )  # fmt: skip
    if isinstance(event, Evaluated):
        best = _(" (best so far)") if event.is_best else ""
        return _("Check at step {step}: loss {loss} on rows that it does not learn from").format(
            step=event.step, loss=loss_words(event.loss)
        ) + best  # fmt: skip
    if isinstance(event, ProbeAnswered):
        return f"  {words.asked(event.prompt)} → {words.excerpt(event.answer, 100)}"
    if isinstance(event, Paused):
        return _("Paused at step {step}.").format(step=event.step)
    if isinstance(event, Resumed):
        return _("Goes on from step {step}.").format(step=event.step)
    if isinstance(event, Log) and event.level in ("warning", "error"):
        return event.message
    return ""
