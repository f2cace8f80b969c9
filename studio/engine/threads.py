"""How many threads compute, and how they wait for each other: awake while the cores are theirs, else asleep.

An update is some ten thousand short pieces of work that all threads share, and a thread that sleeps between them wakes
50 µs late: LoRA of a 135M model on two cores did 335 tokens/s in float32 and 465 in bfloat16 with sleeping threads, 480
and 790 with threads that stay awake (spin) a little. But where another program wants the same cores, spinning keeps
each waiting for the other: two runs beside each other 410 tokens/s each asleep, 95 awake. OpenMP lets one choose before
it is loaded only. GNU's, however, counts threads: with more of them than cores it waits as little as its policy says
(``OMP_WAIT_POLICY=passive``, see ``engine/__init__``: not at all), and that is looked up at every wait. So other
programs' use of the cores is watched, and a group of threads that do nothing is kept while they are wanted.

No torch here: its OpenMP must be loaded by ``spin_while_alone`` first.
"""

from __future__ import annotations

import ctypes
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import psutil

LOOK_EVERY_S: Final = 0.3
BUSY_LOOKS: Final = 2  # in a row, before threads sleep: processor times tick in 10 ms
QUIET_LOOKS: Final = 3  # in a row, before they spin (again)
_SPINS: Final = "10000"  # some 100 µs; with 1,000 two thirds of the gain, with 200,000 no more
_POLICY, _COUNT = "OMP_WAIT_POLICY", "GOMP_SPINCOUNT"
# Microseconds of processor time in so many of the clock; "max" without a limit.
_QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")
_QUOTA_V1: Final = (Path("/sys/fs/cgroup/cpu/cpu.cfs_quota_us"), Path("/sys/fs/cgroup/cpu/cpu.cfs_period_us"))

_crowd: Crowd | None = None  # of this process, once its OpenMP was loaded to spin


def default_threads() -> int:
    """Physical cores that this process may use; its share of them where several on this machine train together."""
    together = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return max(1, int(min(_physical_cores(), _quota_cores())) // together)


@contextmanager
def spin_while_alone(threads: int | None = None) -> Iterator[None]:
    """Within, torch's ``threads`` (None: the default number) spin while no other program wants their cores.

    To be entered before torch is imported. Without effect where torch is loaded, where its OpenMP is not GNU's
    (Windows, macOS), where the environment chooses, where a container's share is less than its cores, and for one
    thread, which waits for nobody. Afterwards threads sleep.
    """
    count = threads or default_threads()
    crowd = _the_crowd() if count > 1 and _quota_cores() >= len(_own_cores()) else None
    if crowd is None:
        yield
        return
    over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(crowd, count, over), name="other programs", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


class Crowd:
    """Threads that do nothing, more than there are cores: while they are there, all others sleep when they wait."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self._library = library
        self._leave = threading.Event()
        self._holder: threading.Thread | None = None

    def call(self) -> None:
        """Gather them; they count when this returns. Raises RuntimeError where so many threads cannot be had."""
        if self._holder is not None:
            return
        size = len(_own_cores()) + 1
        _try_threads(size)  # OpenMP would end the process
        gathered = threading.Event()
        self._leave.clear()
        self._holder = threading.Thread(target=self._hold, args=(size, gathered), name="crowd", daemon=True)
        self._holder.start()
        gathered.wait()

    def dismiss(self) -> None:
        """Let them end; OpenMP frees a group with the thread that began it."""
        if self._holder is not None:
            self._leave.set()
            self._holder.join()
            self._holder = None

    def _hold(self, size: int, gathered: threading.Event) -> None:
        try:
            nothing = ctypes.cast(ctypes.CDLL(None).getpid, ctypes.c_void_p)
            self._library.GOMP_parallel(nothing, None, ctypes.c_uint(size), ctypes.c_uint(0))
        finally:
            gathered.set()
        self._leave.wait()


class OtherPrograms:
    """What others use of the cores that this process may use. Raises OSError and psutil.Error."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._looked, self._used = time.monotonic(), self._seconds()

    def busy_cores(self) -> float:
        """Cores that others kept busy since the last call."""
        looked, used = self._looked, self._used
        self._looked, self._used = time.monotonic(), self._seconds()
        return max(0.0, self._used - used) / max(1e-3, self._looked - looked)

    def _seconds(self) -> float:
        """Of processor time by others so far."""
        own = self._process.cpu_times()
        cores, numbers = psutil.cpu_times(percpu=True), _own_cores()
        if max(numbers) < len(cores):  # else some are switched off and the list is shorter than the numbers
            cores = [cores[number] for number in numbers]
        # Not "guest", which is part of "user"; "steal" is not ours to give.
        kinds = ("user", "nice", "system", "irq", "softirq")
        used = sum(getattr(core, kind, 0.0) for core in cores for kind in kinds)
        return float(used - own.user - own.system)


def _watch(crowd: Crowd, threads: int, over: threading.Event) -> None:
    """Keep the crowd but while others leave our threads their cores; it is there at the beginning and at the end."""
    cores = _physical_cores()
    most = cores - threads + max(0.3, 0.05 * cores)  # a window that draws takes less
    busy, quiet = BUSY_LOOKS, 0
    try:
        crowd.call()
        others = OtherPrograms()
        while not over.wait(LOOK_EVERY_S):
            wanted = others.busy_cores() > most
            busy, quiet = (busy + 1, 0) if wanted else (0, quiet + 1)
            if busy >= BUSY_LOOKS:
                crowd.call()
            elif quiet >= QUIET_LOOKS:
                crowd.dismiss()
    finally:
        crowd.call()  # to sleep is always right


def _the_crowd() -> Crowd | None:
    """This process's, with GNU's OpenMP as torch brings it told to spin; None where that cannot be."""
    global _crowd
    if _crowd is None and (library := _load_openmp()) is not None:
        _crowd = Crowd(library)
    return _crowd


def _load_openmp() -> ctypes.CDLL | None:
    if "torch" in sys.modules or not sys.platform.startswith("linux"):
        return None
    if os.environ.get(_POLICY) != "passive" or _COUNT in os.environ:
        return None
    torch = find_spec("torch")
    folder = Path(torch.origin).parent / "lib" if torch is not None and torch.origin else None
    path = next(iter(sorted(folder.glob("libgomp*.so*"))), None) if folder is not None else None
    if path is None:
        return None
    os.environ[_COUNT] = _SPINS  # read when it is loaded; children choose for themselves
    try:
        return ctypes.CDLL(str(path))
    except OSError:
        return None
    finally:
        del os.environ[_COUNT]


def _try_threads(count: int) -> None:
    """Raises RuntimeError where this process cannot have so many more threads."""
    leave = threading.Event()
    tried: list[threading.Thread] = []
    try:
        for _number in range(count):
            tried.append(threading.Thread(target=leave.wait, daemon=True))
            tried[-1].start()
    finally:
        leave.set()
        for thread in tried:
            if thread.ident is not None:
                thread.join()


def _own_cores() -> list[int]:
    """Numbers of the (logical) cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def _physical_cores() -> int:
    """That this process may use: two that share one core count once."""
    return min(psutil.cpu_count(logical=False) or os.cpu_count() or 1, len(_own_cores()))


def _quota_cores() -> float:
    """Cores' worth of time that a container may use; infinite without a limit."""
    try:
        if _QUOTA.is_file():
            quota, period = _QUOTA.read_text(encoding="ascii").split()
        else:
            quota, period = (path.read_text(encoding="ascii").strip() for path in _QUOTA_V1)
        return float(quota) / float(period) if float(quota) > 0 else float("inf")
    except (OSError, ValueError):  # "max", or no such control group
        return float("inf")
