"""How long a child works on after a moment, in seconds of its own processors: the same on a machine that is busy."""

from __future__ import annotations

import resource
import subprocess
from typing import Any

import psutil


class WorkAfter:
    """From now on; no other child of this process may end meanwhile."""

    def __init__(self, child: subprocess.Popen[Any]) -> None:
        spent = psutil.Process(child.pid).cpu_times()
        self._start = _of_ended_children() + spent.user + spent.system

    def seconds(self) -> float:
        """Until the child's end; it must have been waited for."""
        return _of_ended_children() - self._start


def _of_ended_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime
