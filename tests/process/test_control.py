"""How a run is told to wait and waits by itself; that the computer stays awake meanwhile, and nothing is left over."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from studio.engine.control import Reason
from studio.protocol.codec import encode
from studio.protocol.commands import Cancel, Command, Pause, Resume, Stop
from studio.protocol.events import Event, Paused, Resumed
from studio.worker import control as control_module
from studio.worker.awake import Awake
from studio.worker.companions import Companions, team_rank
from studio.worker.control import CommandControl
from studio.worker.io import CommandReader, JobCancelled
from tests.engine.helpers import make_plan

WHY = Reason("run.disk_full", "The disk is full.", "Free some space.")


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_module, "PAUSE_POLL_S", 0.001)
    monkeypatch.setattr(control_module, "HOLD_POLL_S", 0.0)
    monkeypatch.setattr(control_module, "POLL_INTERVAL_S", -1.0)


class Desk:
    """A control, its mailbox, and what it said."""

    def __init__(self, folder: Path) -> None:
        self.mailbox = folder / "commands.jsonl"
        self.said: list[Event] = []
        self.control = CommandControl(
            CommandReader(None, self.mailbox), self.said.append, end_with_parent=False
        )

    def say(self, command: Command) -> None:
        with self.mailbox.open("a", encoding="utf-8") as file:
            file.write(encode(command) + "\n")


def test_a_pause_waits_for_a_place_where_the_state_is_whole(tmp_path: Path) -> None:
    desk, done = Desk(tmp_path), []

    def save() -> int:
        done.append("saved")
        desk.say(Resume())
        return 7

    desk.control.on_pause(save, lambda: done.append("taken up"))
    desk.say(Pause())
    desk.control.check()  # in the middle of an evaluation, say
    assert (done, desk.said) == ([], [])
    desk.control.rest()
    assert done == ["saved", "taken up"]
    assert [type(event) for event in desk.said] == [Paused, Resumed]
    assert desk.said[0].step == 7  # type: ignore[attr-defined]


def test_a_run_that_holds_by_itself_says_why_and_goes_on_when_it_can(tmp_path: Path) -> None:
    desk, answers = Desk(tmp_path), [False, False, True]
    desk.control.hold(3, WHY, lambda: answers.pop(0))
    paused, resumed = desk.said
    assert isinstance(paused, Paused)
    assert (paused.step, paused.code, paused.message, paused.hint) == (3, WHY.code, WHY.message, WHY.hint)
    assert isinstance(resumed, Resumed)
    assert answers == []


@pytest.mark.parametrize("command", [Resume(), Stop()])
def test_the_user_ends_a_hold(command: Command, tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.say(command)
    desk.control.hold(3, WHY)
    assert desk.control.stop is isinstance(command, Stop)


def test_cancel_is_heard_in_a_hold(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.say(Cancel())
    with pytest.raises(JobCancelled):
        desk.control.hold(3, WHY)


def test_a_disk_that_takes_not_even_the_word_stops_no_hold(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    def full(event: Event) -> None:
        raise OSError(28, "No space left on device")

    control = CommandControl(CommandReader(None, tmp_path / "c"), full, end_with_parent=False)
    control.hold(3, WHY, lambda: True)
    assert "No space" in capsys.readouterr().err


@pytest.fixture
def inhibitor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for the system's own program, which holds its lock for as long as its last argument runs."""
    if sys.platform != "linux":
        pytest.skip("Linux's way of staying awake")
    program = tmp_path / "systemd-inhibit"
    program.write_text('#!/bin/sh\necho "$@" > "$0.said"\nexec cat\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return program


def until(true: object, wait_s: float = 20) -> bool:
    deadline = time.monotonic() + wait_s
    while not true() and time.monotonic() < deadline:  # type: ignore[operator]
        time.sleep(0.01)
    return bool(true())  # type: ignore[operator]


def test_the_computer_stays_awake_but_not_during_a_pause(inhibitor: Path, tmp_path: Path) -> None:
    with Awake() as awake:
        assert awake.held
        assert until(lambda: Path(f"{inhibitor}.said").exists())
        assert "--what=sleep:idle" in Path(f"{inhibitor}.said").read_text()
        held: list[bool] = []
        control = CommandControl(
            CommandReader(None, tmp_path / "c"), lambda event: None, end_with_parent=False, awake=awake
        )
        control.hold(1, WHY, lambda: held.append(awake.held) is None)
        assert held == [False]
        assert awake.held
    assert not awake.held


def test_a_killed_trainer_lets_the_computer_sleep(inhibitor: Path) -> None:
    code = (
        "import time; from studio.worker.awake import Awake; a = Awake(); a.keep(); "
        "print(a._helper.pid, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    helper = psutil.Process(int(process.stdout.readline()))
    process.kill()
    process.wait()
    process.stdout.close()
    assert until(lambda: not helper.is_running() or helper.status() == psutil.STATUS_ZOMBIE)


def test_a_system_without_the_program_is_no_obstacle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with Awake() as awake:
        assert not awake.held
    with Awake(wanted=False) as awake:
        assert not awake.held


def test_a_run_for_one_process_starts_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    with Companions(make_plan(None), tmp_path) as companions:
        companions.start()
        assert companions._processes == []
    assert team_rank() == 0
