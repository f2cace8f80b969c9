"""Threads spin while no other program wants the cores. What torch's OpenMP makes of it is tested in processes of their
own, for it must be loaded anew."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from studio.engine import threads

CORES = 4
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="GNU's OpenMP")


class Scripted:
    """Other programs that want so many cores at each look; the end of the watch when all is said."""

    def __init__(self, wanted: Sequence[float | Exception]) -> None:
        self._wanted = list(wanted)

    def busy_cores(self) -> float:
        wanted = self._wanted.pop(0)
        if isinstance(wanted, Exception):
            raise wanted
        return wanted

    def wait(self, _seconds: float) -> bool:
        return not self._wanted


class Crowd:
    """Remembers its comings (True) and goings."""

    def __init__(self) -> None:
        self.changes: list[bool] = []

    def call(self) -> None:
        if self.changes[-1:] != [True]:
            self.changes.append(True)

    def dismiss(self) -> None:
        if self.changes[-1:] != [False]:
            self.changes.append(False)


def changes(monkeypatch: pytest.MonkeyPatch, wanted: Sequence[float | Exception], count: int) -> list[bool]:
    crowd, others = Crowd(), Scripted(wanted)
    monkeypatch.setattr(threads, "_physical_cores", lambda: CORES)
    monkeypatch.setattr(threads, "OtherPrograms", lambda: others)
    try:
        threads._watch(crowd, count, others)  # type: ignore[arg-type]
    except psutil.Error:
        assert any(isinstance(said, psutil.Error) for said in wanted)
    return crowd.changes


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ([0, 0], [True]),  # not yet quiet for long enough
        ([0, 0.2, 0.1, 0], [True, False, True]),
        ([0, 0, 1, 0, 0], [True]),
        ([0, 0, 0, 1, 0, 0, 0], [True, False, True]),  # one busy look is no program
        ([0, 0, 0, 0.5, 0.6, 1, 0, 0, 0, 0], [True, False, True, False, True]),
        ([1, 1, 1], [True]),
        ([0, 0, 0, psutil.AccessDenied(1)], [True, False, True]),  # what cannot be seen is let be
    ],
)
def test_the_crowd_is_there_while_others_want_the_cores_and_at_the_end(
    monkeypatch: pytest.MonkeyPatch, wanted: list[float | Exception], expected: list[bool]
) -> None:
    assert changes(monkeypatch, wanted, CORES) == expected


def test_what_leaves_room_for_our_threads_disturbs_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    assert changes(monkeypatch, [2, 2, 2, 2], CORES - 2) == [True, False, True]


def times(*cores: float) -> list[Any]:
    return [
        SimpleNamespace(user=busy, nice=0.0, system=0.0, idle=5.0, iowait=1.0, steal=2.0) for busy in cores
    ]


@pytest.mark.parametrize(
    ("own_cores", "before", "after", "own", "expected"),
    [
        ([0, 1], (1, 1), (2, 2), 2.0, 0.0),  # our own work is not others'
        ([0, 1], (1, 1), (2, 2), 0.5, 1.5),
        ([1], (1, 1), (9, 2), 0.0, 1.0),  # what goes on on other cores is nothing to us
        ([0, 2], (1, 1), (2, 2), 0.0, 2.0),  # a list without the core that is switched off
    ],
)
def test_what_others_use_of_our_cores(
    monkeypatch: pytest.MonkeyPatch,
    own_cores: list[int],
    before: Any,
    after: Any,
    own: float,
    expected: float,
) -> None:
    said, used, clock = [times(*before), times(*after)], [0.0, own], [10.0, 11.0]
    process = SimpleNamespace(cpu_times=lambda: SimpleNamespace(user=used.pop(0), system=0.0))
    monkeypatch.setattr(threads, "_own_cores", lambda: own_cores)
    monkeypatch.setattr(threads.psutil, "Process", lambda: process)
    monkeypatch.setattr(threads.psutil, "cpu_times", lambda percpu: said.pop(0))
    monkeypatch.setattr(threads, "time", SimpleNamespace(monotonic=lambda: clock.pop(0)))
    assert threads.OtherPrograms().busy_cores() == pytest.approx(expected)


def test_a_busy_program_is_seen() -> None:
    others = threads.OtherPrograms()
    subprocess.run([sys.executable, "-c", "sum(range(20_000_000))"], check=True)
    assert others.busy_cores() > 0.2


@pytest.mark.parametrize(
    ("said", "cores"), [("max 100000", float("inf")), ("150000 100000", 1.5), ("-1 100000", float("inf"))]
)
def test_a_containers_share_limits_the_threads(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, said: str, cores: float
) -> None:
    (tmp_path / "cpu.max").write_text(said)
    monkeypatch.setattr(threads, "_QUOTA", tmp_path / "cpu.max")
    monkeypatch.setattr(threads, "_physical_cores", lambda: CORES)
    assert threads._quota_cores() == cores
    assert threads.default_threads() == (1 if cores < CORES else CORES)
    monkeypatch.setattr(threads, "_QUOTA", tmp_path / "none")
    monkeypatch.setattr(threads, "_QUOTA_V1", (tmp_path / "none", tmp_path / "none"))
    assert threads._quota_cores() == float("inf")


def test_threads_that_cannot_be_had_are_an_error_and_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    def none_more(_thread: Any) -> None:
        raise RuntimeError("can't start new thread")

    library: Any = SimpleNamespace(GOMP_parallel=pytest.fail)
    with monkeypatch.context() as patch:
        patch.setattr(threads.threading.Thread, "start", none_more)
        with pytest.raises(RuntimeError):
            threads.Crowd(library).call()


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
import os, resource, time
from studio.engine import threads
count = lambda: len(os.listdir("/proc/self/task"))
def until(wanted):
    while count() != wanted: time.sleep(0.01)
crowd = threads._the_crowd()
import torch
torch.set_num_threads(2)
states = torch.randn(400, 400)
def slept():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
    for _ in range(300): states.exp()
    return resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - before
first = states.exp()
alone = count()
for attempt in range(20):  # other programs make even those sleep that spin
    awake = slept()
    crowd.call()
    assert count() == alone + len(os.sched_getaffinity(0)) + 1
    assert torch.equal(first, states.exp())
    asleep = slept()
    crowd.dismiss()
    until(alone)
    if 2 * awake < asleep: break
else: raise SystemExit(f"{awake} {asleep}")
assert "GOMP_SPINCOUNT" not in os.environ
"""


@linux_only
@pytest.mark.skipif(threads.default_threads() < 2, reason="one thread waits for nobody")
def test_threads_spin_but_in_a_crowd() -> None:
    in_a_process(SPINS)


WATCHED = """
import threading
from studio.engine import threads
names = lambda: {thread.name for thread in threading.enumerate()}
for _time in range(2):  # a process may train twice
    with threads.spin_while_alone(2):
        import torch
        assert "other programs" in names()
    assert "other programs" not in names() and "crowd" in names()
"""


@linux_only
@pytest.mark.skipif(threads._quota_cores() < len(threads._own_cores()), reason="a share of the cores only")
def test_others_are_watched_within_and_threads_sleep_afterwards() -> None:
    in_a_process(WATCHED)


@linux_only
def test_workers_do_not_bring_torch_before_it_is_told_to_spin() -> None:
    script = "import sys, studio.worker.main, studio.worker.training, studio.worker.estimating; "
    assert in_a_process(script + "print('torch' in sys.modules)") == "False"


LOADED = "from studio.engine import threads; print(threads._load_openmp() is not None)"


@linux_only
def test_who_chose_in_the_environment_is_obeyed() -> None:
    assert in_a_process(LOADED) == "True"
    for chosen in ({"OMP_WAIT_POLICY": "active"}, {"GOMP_SPINCOUNT": "5"}):
        assert in_a_process(LOADED, **chosen) == "False"
    assert in_a_process("import torch; " + LOADED) == "False"


def test_one_thread_waits_for_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(threads, "_the_crowd", lambda: pytest.fail("called"))
    with threads.spin_while_alone(1):
        pass
