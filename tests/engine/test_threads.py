"""Threads spin while no other program wants the cores. What torch's OpenMP makes of it is tested in processes of their
own, for it must be loaded anew."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from studio.engine import threads

CORES = 4
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="GNU's OpenMP")


class Scripted:
    """Other programs that want so many cores at each look; the end of the watch when all is said."""

    def __init__(self, wanted: Sequence[float]) -> None:
        self._wanted = list(wanted)

    def busy_cores(self) -> float:
        return self._wanted.pop(0)

    def wait(self, _seconds: float) -> bool:
        return not self._wanted


class Crowd:
    """Remembers at each look whether it is there."""

    def __init__(self) -> None:
        self.here = False
        self.calls: list[bool] = []

    def call(self) -> None:
        self.here = True
        self.calls.append(True)

    def dismiss(self) -> None:
        self.here = False
        self.calls.append(False)


@pytest.mark.parametrize(
    ("wanted", "calls"),
    [
        ([0, 0], [True]),  # not yet quiet for long enough
        ([0, 0.2, 0.1], [True, False]),
        ([0, 0, 1, 0, 0], [True, True]),
        ([0, 0, 0, 0.5, 0, 0, 0], [True, False, True, False]),
        ([1, 1, 1], [True, True, True, True]),
    ],
)
def test_the_crowd_is_there_while_others_want_the_cores(
    monkeypatch: pytest.MonkeyPatch, wanted: list[float], calls: list[bool]
) -> None:
    monkeypatch.setattr(threads, "_own_cores", lambda: list(range(CORES)))
    crowd, others = Crowd(), Scripted(wanted)
    threads._watch(crowd, others, CORES, others)  # type: ignore[arg-type]
    assert crowd.calls == [*calls, False]  # at the end it always goes


def test_what_leaves_room_for_our_threads_disturbs_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_own_cores", lambda: list(range(CORES)))
    crowd, others = Crowd(), Scripted([2, 2, 2])
    threads._watch(crowd, others, CORES - 2, others)  # type: ignore[arg-type]
    assert crowd.calls == [True, False, False]


def test_a_busy_program_is_seen() -> None:
    others = threads.OtherPrograms()
    subprocess.run([sys.executable, "-c", "sum(range(20_000_000))"], check=True)
    assert others.busy_cores() > 0.2


def in_a_process(script: str, **environment: str) -> str:
    own = {key: value for key, value in os.environ.items() if not key.startswith(("OMP_", "GOMP_"))}
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=False,
        env={**own, **environment},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


SPINS = """
import os, threading, ctypes
from studio.engine import threads
threads.LOOK_EVERY_S, threads.QUIET_LOOKS = 0.01, 1
wanted, looked = 0.0, threading.Semaphore(0)
class Others:
    def busy_cores(self):
        looked.release()
        return wanted
threads.OtherPrograms = Others
count = lambda: len(os.listdir("/proc/self/task"))
def after(looks):
    while looked.acquire(blocking=False): pass
    for _ in range(looks): looked.acquire()
    return count()
with threads.spin_while_alone(2):
    import torch
    torch.set_num_threads(2)
    states = torch.randn(400, 400)
    seen = [torch.equal(states @ states, states @ states)]
    wanted = 0.0; alone = after(4)
    wanted = 9.0; crowded = after(4)
    first = states.exp()
    wanted = 0.0; again = after(4)
    seen += [torch.equal(first, states.exp()), crowded - alone == len(os.sched_getaffinity(0)) + 1, again == alone]
seen += ["GOMP_SPINCOUNT" not in os.environ, [t.name for t in threading.enumerate()] == ["MainThread"]]
print(seen)
"""


@linux_only
def test_other_programs_call_a_crowd_that_goes_with_them() -> None:
    assert in_a_process(SPINS) == str([True] * 6)


LOADED = "from studio.engine import threads; print(threads._load_openmp() is not None)"


@linux_only
def test_who_chose_in_the_environment_is_obeyed() -> None:
    assert in_a_process(LOADED) == "True"
    for chosen in ({"OMP_WAIT_POLICY": "active"}, {"GOMP_SPINCOUNT": "5"}):
        assert in_a_process(LOADED, **chosen) == "False"
    assert in_a_process("import torch; " + LOADED) == "False"


def test_one_thread_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden() -> Any:
        raise AssertionError

    monkeypatch.setattr(threads, "_load_openmp", forbidden)
    with threads.spin_while_alone(1):
        pass
