"""Real child processes: heard, noisy, deaf, crashed, and never leaving anything behind."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest

from studio.errors import StudioError
from studio.protocol.commands import Stop
from studio.protocol.events import Cancelled, Event, Failed, Finished, Phase
from studio.services.children import JobCancelled, JobFailed, WorkerProcess, run_job, worker_command
from studio.services.follower import RunFollower, post_command
from studio.services.processes import ProcessIdentity, find_worker, identity_of, outcome_sentence

HEAD = """
import json, os, signal, subprocess, sys, time
def emit(type, **fields):
    print(json.dumps({"v": 1, "type": type, **fields}), flush=True)
"""


class Script:
    """Makes WorkerProcess run a small Python program instead of a worker."""

    def __init__(self, body: str) -> None:
        self.body = HEAD + body

    def __call__(self, *args: str) -> list[str]:
        return [sys.executable, "-c", self.body, *args]


def finished(body: str, **kwargs: object) -> tuple[Finished, list[Event]]:
    heard: list[Event] = []
    result = run_job(["job"], on_event=heard.append, command=Script(body), timeout_s=60, **kwargs)  # type: ignore[arg-type]
    return result, heard


def gone(pid: int) -> bool:
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            if psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        threading.Event().wait(0.02)
    return False


def test_the_payload_is_the_first_line_and_the_result_comes_back() -> None:
    result, heard = finished(
        "spec = json.loads(sys.stdin.readline())\nemit('phase', name=spec['x'])\nemit('finished', result=spec)",
        payload={"x": "读"},
    )
    assert result.result == {"x": "读"}
    assert [event.name for event in heard if isinstance(event, Phase)] == ["读"]
    assert isinstance(heard[-1], Finished)


def test_noise_on_standard_output_is_not_taken_for_events() -> None:
    result, heard = finished(
        "print('loading 3%...')\nprint('{broken')\nprint('[1, 2]')\nemit('from_the_future')\n"
        "sys.stdout.buffer.write(b'\\xff\\xfe\\n'); sys.stdout.flush()\nemit('finished', result={'ok': 1})"
    )
    assert result.result == {"ok": 1}
    assert heard == [result]


def test_only_the_first_terminal_event_counts() -> None:
    result, heard = finished("emit('finished', result={'n': 1})\nemit('failed', code='x', message='y')")
    assert result.result == {"n": 1}
    assert len(heard) == 1


def test_a_failure_keeps_code_message_hint_and_details() -> None:
    with pytest.raises(JobFailed) as caught:
        finished("emit('failed', code='a.b', message='What', hint='Next', details='Trace')")
    problem = caught.value
    assert (problem.code, problem.message, problem.hint, problem.details) == ("a.b", "What", "Next", "Trace")


def test_an_exit_without_a_last_word_is_a_crash_with_the_last_lines() -> None:
    with pytest.raises(StudioError) as caught:
        finished("print('the reason', file=sys.stderr)\nsys.exit(7)")
    assert caught.value.code == "worker.crashed"
    assert "7" in caught.value.message
    assert "the reason" in caught.value.details  # type: ignore[attr-defined]


def test_a_killed_child_is_said_to_have_been_ended() -> None:
    with pytest.raises(StudioError, match="SIGKILL"):
        finished("os.kill(os.getpid(), signal.SIGKILL)")


def test_a_child_that_hears_cancel_ends_by_itself() -> None:
    cancel = threading.Event()
    body = (
        "emit('phase', name='ready')\nline = sys.stdin.readline()\nassert 'cancel' in line\nemit('cancelled')"
    )
    with pytest.raises(JobCancelled):
        run_job(["job"], on_event=lambda event: cancel.set(), cancel=cancel, command=Script(body))


def test_a_deaf_child_is_killed_with_all_it_started(tmp_path: Path) -> None:
    body = (
        "signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "emit('phase', name=str(child.pid))\ntime.sleep(600)"
    )
    ready = threading.Event()
    pids: list[int] = []

    def hear(event: Event) -> None:
        if isinstance(event, Phase):
            pids.append(int(event.name))
            ready.set()

    process = WorkerProcess(["job"], on_event=hear, command=Script(body), stderr_path=tmp_path / "log")
    assert ready.wait(30)
    outcome = process.cancel(grace_s=0.2)
    assert isinstance(outcome.terminal, Failed)
    assert outcome.returncode == -signal.SIGKILL
    assert gone(process.pid)
    assert gone(pids[0])


def test_grandchildren_left_behind_are_ended_and_do_not_hold_the_result() -> None:
    body = (
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        "emit('finished', result={'pid': child.pid})"
    )
    began = time.monotonic()
    result, _ = finished(body)
    assert time.monotonic() - began < 20
    assert gone(int(result.result["pid"]))


def test_a_job_that_takes_too_long_is_ended() -> None:
    with pytest.raises(StudioError) as caught:
        run_job(["job"], command=Script("time.sleep(600)"), timeout_s=0.3)
    assert caught.value.code == "worker.timeout"


def test_a_listener_that_raises_does_not_lose_the_child() -> None:
    def broken(event: Event) -> None:
        raise RuntimeError("a page's mistake")

    result = run_job(["job"], on_event=broken, command=Script("emit('phase', name='x')\nemit('finished')"))
    assert isinstance(result, Finished)


def test_closing_a_long_lived_child_ends_its_input() -> None:
    ended: list[Event] = []
    process = WorkerProcess(
        ["chat"], on_event=ended.append, command=Script("for line in sys.stdin: pass\nemit('finished')")
    )
    process.send(Stop())
    process.close()
    assert not process.running
    assert isinstance(ended[-1], Finished)
    process.send(Stop())  # to nobody: nothing happens


def test_a_real_worker_refuses_an_unknown_verb() -> None:
    with pytest.raises(StudioError) as caught:
        run_job(["no-such-verb"], timeout_s=60)
    assert caught.value.code == "worker.crashed"


def test_the_command_line_is_this_program() -> None:
    assert worker_command("train", "/x")[1:] == ["-m", "studio", "worker", "train", "/x"]


# Followers and identities


def line(seq: int, name: str = "x") -> str:
    return (
        json.dumps({"v": 1, "seq": seq, "t": 0, "type": "phase", "name": name}, separators=(",", ":")) + "\n"
    )


def test_a_follower_waits_for_the_end_of_a_line(tmp_path: Path) -> None:
    follower = RunFollower(tmp_path)
    assert follower.poll() == []
    events = tmp_path / "events.jsonl"
    events.write_text(line(1) + line(2)[:20])
    assert [event.seq for event in follower.poll()] == [1]
    events.write_text(line(1) + line(2))
    assert [event.seq for event in follower.poll()] == [2]
    assert follower.poll() == []


def test_a_follower_skips_what_is_known_and_survives_a_torn_line(tmp_path: Path) -> None:
    (tmp_path / "events.jsonl").write_text(line(1) + line(2) + line(3)[:25] + line(4) + line(4) + line(5))
    assert [event.seq for event in RunFollower(tmp_path, after_seq=1).poll()] == [2, 4, 5]


def test_commands_reach_the_mailbox_in_order(tmp_path: Path) -> None:
    post_command(tmp_path, Stop())
    post_command(tmp_path, Stop(request_id="2"))
    stored = [json.loads(text) for text in (tmp_path / "commands.jsonl").read_text().splitlines()]
    assert [command["request_id"] for command in stored] == ["", "2"]


def test_a_worker_is_known_by_number_start_and_token(tmp_path: Path) -> None:
    me = identity_of(os.getpid())
    assert me is not None
    identity = ProcessIdentity(me.pid, me.started_at, "mine")
    assert find_worker(identity, tmp_path, "mine") is not None
    assert find_worker(identity, tmp_path, "another") is None
    assert find_worker(ProcessIdentity(me.pid, me.started_at - 3600), tmp_path) is None
    assert find_worker(None, tmp_path) is None


def test_a_follower_says_whether_the_worker_lives(tmp_path: Path) -> None:
    follower = RunFollower(tmp_path)
    assert not follower.alive()
    (tmp_path / "worker.json").write_text("{half")
    assert not follower.alive()
    me = psutil.Process()
    identity = {"pid": me.pid, "pid_started_at": me.create_time(), "token": "t"}
    (tmp_path / "worker.json").write_text(json.dumps(identity))
    assert follower.alive()
    assert not RunFollower(tmp_path, token="other").alive()


@pytest.mark.parametrize(
    ("code", "words"),
    [(None, "gone"), (3, "exit code 3"), (-9, "SIGKILL"), (-15, "SIGTERM"), (-11, "SIGSEGV")],
)
def test_an_outcome_is_a_sentence(code: int | None, words: str) -> None:
    assert words in outcome_sentence(code)


def test_cancelled_is_told_apart_from_failed() -> None:
    with pytest.raises(JobCancelled) as caught:
        finished("emit('cancelled')")
    assert caught.value.code == "job.cancelled"
    assert not isinstance(caught.value, JobFailed)
    assert Cancelled().type == "cancelled"
