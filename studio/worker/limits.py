"""What a data job may take of the machine: hostile files end the job, with a sentence, and nothing else.

Resident memory is watched, because an address-space limit would count what polars reserves and never touches
(1.9 GB for 0.5 GB used); RLIMIT_DATA, far above, is the wall for what grows faster than the watch looks. Beyond it
allocations fail inside native code and the process aborts: only the child dies.
Windows has no such limits; there the watch and the lower priority are all.
"""

from __future__ import annotations

import os
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import psutil

from studio.i18n import _
from studio.protocol.commands import Cancel, Quit, Stop
from studio.protocol.events import Event, Failed
from studio.worker.io import CommandReader, EventWriter, JobCancelled, started_event
from studio.worker.isolation import leave_network

_WATCH_EVERY_S: Final = 0.05
_DATA_FACTOR: Final = (
    4  # RLIMIT_DATA per byte of memory limit; an import of a clean file uses 0.8 GB for 0.5 GB
)
_ENDLESS_S: Final = 900.0


@dataclass(frozen=True)
class Limits:
    """memory_bytes: resident. file_bytes: the largest file it may write. wall_s: from start to end.

    stall_s: without any use of a processor and without a look at the commands, e.g. a network drive that hangs.
    """

    memory_bytes: int = 1536 << 20
    open_files: int = 256
    file_bytes: int | None = None
    wall_s: float | None = None
    stall_s: float = 120.0
    network: bool = False
    niceness: int = 10


JOB_LIMITS: Final = {
    "import": Limits(),
    "preview-source": Limits(file_bytes=1 << 30, wall_s=30.0, niceness=5),
    "diagnose": Limits(),
    "derive": Limits(),
    "try-step": Limits(file_bytes=1 << 30, wall_s=60.0, niceness=5),
    "compare-versions": Limits(file_bytes=1 << 30, wall_s=60.0, niceness=5),
    "measure-data": Limits(),
    "export-data": Limits(),
    "order-labels": Limits(),
    "fetch-dataset": Limits(network=True, stall_s=600.0),
}


OFFLINE: Final = frozenset({"predict"})  # without limits, but it opens pictures and recordings of strangers


def isolate(job: str) -> None:
    """What must happen before any thread runs: leave the network. Jobs that are not named here are let be."""
    limits = JOB_LIMITS.get(job)
    if job in OFFLINE or (limits is not None and not limits.network):
        leave_network()


def guard(writer: EventWriter, commands: CommandReader, job: str) -> Callable[[], None]:
    """Say that the job started, put its limits in force, and return what it has to call often.

    The returned check raises JobCancelled when the user dropped the job or the parent is gone.
    """
    limits = JOB_LIMITS[job]
    writer.emit(started_event(writer, job))
    restrict(limits)
    watch = Watch(writer, limits)
    watch.start()

    def check() -> None:
        watch.seen_at = time.monotonic()
        dropped = any(isinstance(command, Cancel | Stop | Quit) for command in commands.poll())
        if dropped or commands.eof:
            raise JobCancelled

    return check


def restrict(limits: Limits) -> None:
    """Put the limits in force that the system itself keeps. A limit it refuses to set is left as it is."""
    if sys.platform == "win32":
        psutil.Process().nice(psutil.BELOW_NORMAL_PRIORITY_CLASS)
        return
    os.nice(limits.niceness)
    import resource  # not on Windows

    _lower(resource.RLIMIT_CORE, 0)
    _lower(resource.RLIMIT_NOFILE, limits.open_files)
    if limits.file_bytes is not None:
        _lower(resource.RLIMIT_FSIZE, limits.file_bytes)
    if sys.platform == "linux":  # macOS takes it and does not heed it
        _lower(resource.RLIMIT_DATA, limits.memory_bytes * _DATA_FACTOR)


def _lower(kind: int, value: int) -> None:
    import resource

    _soft, hard = resource.getrlimit(kind)
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    try:
        resource.setrlimit(kind, (value, value))
    except (OSError, ValueError):
        return


class Watch(threading.Thread):
    """Ends this process, with a sentence, when it takes too much memory or time, or waits for nothing."""

    def __init__(self, writer: EventWriter, limits: Limits) -> None:
        super().__init__(name="limits", daemon=True)
        self.seen_at = time.monotonic()  # when the job last looked at its commands
        self._writer = writer
        self._limits = limits
        self._process = psutil.Process()
        self._began = time.monotonic()
        self._cpu_s = 0.0
        self._busy_at = self._began

    def run(self) -> None:
        while not self._writer.ended:
            failed = self.broken_limit(self._process.memory_info().rss, time.monotonic())
            if failed is not None:
                self._writer.emit(failed)
                os._exit(1)  # the other threads are inside native code and cannot be asked
            time.sleep(_WATCH_EVERY_S)

    def broken_limit(self, resident_bytes: int, now: float) -> Event | None:
        """The failure to tell of, or None. now: of time.monotonic()."""
        if resident_bytes >= self._limits.memory_bytes:
            return _out_of_memory(self._limits.memory_bytes)
        if self._limits.wall_s is not None and now - self._began > self._limits.wall_s:
            return _too_slow(self._limits.wall_s)
        used = sum(self._process.cpu_times()[:2])
        if used - self._cpu_s > 0.02 * max(0.0, now - self._busy_at) or self.seen_at > self._busy_at:
            self._cpu_s, self._busy_at = used, now
        if now - self._busy_at > self._limits.stall_s or now - self.seen_at > _ENDLESS_S:
            return _stalled(max(now - self._busy_at, now - self.seen_at))
        return None


def _out_of_memory(limit_bytes: int) -> Failed:
    return Failed(
        code="import.out_of_memory",
        message=_("The data needs more memory than this may take ({limit} MB).").format(
            limit=limit_bytes >> 20
        ),
        hint=_(
            "Save it as JSONL, CSV or Parquet, which are read piece by piece, or take fewer rows at once."
        ),
    )


def _too_slow(limit_s: float) -> Failed:
    return Failed(
        code="import.too_slow",
        message=_("This took longer than {seconds} seconds and was ended.").format(seconds=round(limit_s)),
        hint=_("Try again when the computer is less busy, or with a smaller file."),
    )


def _stalled(waited_s: float) -> Failed:
    return Failed(
        code="import.stalled",
        message=_("Nothing has moved for {seconds} seconds; the job was ended.").format(
            seconds=round(waited_s)
        ),
        hint=_("Check that the drive with the file answers, then start again."),
    )
