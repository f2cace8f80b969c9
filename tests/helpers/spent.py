"""How long a child works on after a moment, on a machine that may be busy with other things."""

from __future__ import annotations

import subprocess
import time
from typing import Any

import psutil

MOST_S = 30.0  # by the clock, however busy the machine is


class WorkAfter:
    """From now on; no other child of this process may end meanwhile."""

    def __init__(self, child: subprocess.Popen[Any]) -> None:
        spent = psutil.Process(child.pid).cpu_times()
        self._start = _of_ended_children() + spent.user + spent.system
        self._began = time.monotonic()
        self._ended = 0.0

    def end(self) -> None:
        """What was waited for has come; the child itself may still put its things away."""
        self._ended = time.monotonic()

    def seconds(self) -> float:
        """By the clock until ``end``, or of the child's processors until it ended if that is less: then the machine
        was busy. The child must have been waited for."""
        by_clock = self._ended - self._began
        assert 0 <= by_clock < MOST_S
        return min(by_clock, _of_ended_children() - self._start)


def _of_ended_children() -> float:
    import resource  # not on Windows, where these tests do not run

    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
