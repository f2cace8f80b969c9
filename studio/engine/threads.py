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
QUIET_LOOKS: Final = 3  # in a row, before threads spin (again)
SPARE: Final = 0.3  # of a core: a window that draws takes less
_SPINS: Final = "10000"  # some 100 µs; with 1,000 two thirds of the gain, with 200,000 no more
_POLICY, _COUNT = "OMP_WAIT_POLICY", "GOMP_SPINCOUNT"


def default_threads() -> int:
    """Physical cores that this process may use; its share of them where several on this machine train together."""
    physical = psutil.cpu_count(logical=False) or os.cpu_count() or 1
    together = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    return max(1, min(physical, len(_own_cores())) // together)


@contextmanager
def spin_while_alone(threads: int | None = None) -> Iterator[None]:
    """Within, torch's ``threads`` (None: the default number) spin while no other program wants their cores.

    To be entered before torch is imported. Without effect where torch is loaded, where its OpenMP is not GNU's
    (Windows, macOS), where the environment chooses, and for one thread, which waits for nobody.
    """
    count = threads or default_threads()
    library = _load_openmp() if count > 1 else None
    if library is None:
        yield
        return
    over = threading.Event()
    watcher = threading.Thread(
        target=_watch, args=(Crowd(library), OtherPrograms(), count, over), name="other programs", daemon=True
    )
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

    @property
    def here(self) -> bool:
        return self._holder is not None

    def call(self) -> None:
        """Gather them; they count when this returns."""
        if self._holder is not None:
            return
        gathered = threading.Event()
        self._leave.clear()
        self._holder = threading.Thread(target=self._hold, args=(gathered,), name="crowd", daemon=True)
        self._holder.start()
        gathered.wait()

    def dismiss(self) -> None:
        """They end; OpenMP frees a group with the thread that began it."""
        if self._holder is not None:
            self._leave.set()
            self._holder.join()
            self._holder = None

    def _hold(self, gathered: threading.Event) -> None:
        nothing = ctypes.cast(ctypes.CDLL(None).getpid, ctypes.c_void_p)
        self._library.GOMP_parallel(nothing, None, ctypes.c_uint(len(_own_cores()) + 1), ctypes.c_uint(0))
        gathered.set()
        self._leave.wait()


class OtherPrograms:
    """What others use of the cores that this process may use."""

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
        cores = psutil.cpu_times(percpu=True)
        # Not "guest", which is part of "user"; "steal" is not ours to give.
        used = sum(
            sum(getattr(cores[core], kind, 0.0) for kind in ("user", "nice", "system", "irq", "softirq"))
            for core in _own_cores()
            if core < len(cores)
        )
        return float(used - own.user - own.system)


def _watch(crowd: Crowd, others: OtherPrograms, threads: int, over: threading.Event) -> None:
    """Keep the crowd while others want more than the cores that our threads leave. It begins with the crowd."""
    cores, quiet = len(_own_cores()), 0
    crowd.call()
    while not over.wait(LOOK_EVERY_S):
        wanted = others.busy_cores()
        quiet = quiet + 1 if wanted + threads <= cores + SPARE else 0
        if not quiet:
            crowd.call()
        elif quiet >= QUIET_LOOKS:
            crowd.dismiss()
    crowd.dismiss()


def _load_openmp() -> ctypes.CDLL | None:
    """GNU's OpenMP as torch brings it, told to spin; None where that cannot be."""
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


def _own_cores() -> list[int]:
    """Numbers of the (logical) cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))
