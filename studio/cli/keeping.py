"""Keeps the queue going while a command waits for several runs: a search, a K-fold, or all that waits."""

from __future__ import annotations

import time
from collections.abc import Callable

from studio.cli.call import Call
from studio.cli.following import POLL_S
from studio.cli.progress import ProgressLine
from studio.domain.runs import Run, RunState
from studio.i18n import _
from studio.services.container import Services


def keep_going(call: Call, services: Services, done: Callable[[], bool]) -> bool:
    """Start run after run until ``done``; False when Ctrl+C came first. The run under way is left to itself."""
    call.interrupts.allow(1)
    named = ""
    with ProgressLine(call.out) as progress:
        while not done():
            if call.interrupts.count:
                return False
            for run_id, events in services.runs.poll():
                if run_id != named:
                    named = run_id
                    call.out.say(services.runs.get(run_id).name)
                for event in events:
                    progress(event)
            time.sleep(POLL_S)
    return True


def waiting_lines(services: Services) -> list[tuple[object, ...]]:
    """The run under way and those that wait, as rows of a table."""
    return [
        (place or "", run.id, run.name, queue_words(services, run))
        for place, run in enumerate(
            [*services.runs.active(), *services.runs.queue()], 1 - len(services.runs.active())
        )
    ]


def queue_words(services: Services, run: Run) -> str:
    """``running``, ``waits until 22:00`` or ``waits for its turn``."""
    if run.state is RunState.PAUSED:
        return _("paused")
    if run.state is RunState.RUNNING:
        return _("running")
    return services.runs.waiting_words(run) or _("waits for its turn")
