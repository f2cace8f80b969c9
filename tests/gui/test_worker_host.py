"""The owners of child processes: news arrives in order, crashes are told, and no thread is left behind."""

from __future__ import annotations

import sys
import textwrap
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from pytestqt.qtbot import QtBot

from studio.domain.runs import RunState
from studio.errors import StudioError
from studio.gui.chat_host import ChatFailure, ChatHost
from studio.gui.worker_host import RunHost
from studio.protocol.commands import ChatMessage
from studio.protocol.events import Event, Failed, Finished, Paused, Step
from studio.services.children import WorkerProcess
from tests.gui.runs_fakes import FakeRuns, make_estimate, make_run, step_event

TARGET = SimpleNamespace(name="Tiny", base_dir="/models/tiny", adapter_dir=None)
HELLO = [ChatMessage(role="user", content="Hello")]

# A chat worker in miniature; what it does with "generate" is decided by the question.
CHAT_CHILD = textwrap.dedent(
    """
    import json, os, sys, time
    seq = 0
    def say(**event):
        global seq
        seq += 1
        sys.stdout.write(json.dumps({"v": 1, "seq": seq, **event}) + "\\n")
        sys.stdout.flush()
    for line in sys.stdin:
        command = json.loads(line)
        kind = command["type"]
        if kind == "load" and "broken" in command["base_dir"]:
            say(type="request_failed", request_id="", code="model.broken", message="This model is broken.")
        elif kind == "load":
            name = command["name"] + "@" + command.get("device", "")
            say(type="model_loaded", slot=command["slot"], name=name, seconds=0.1, memory_bytes=1)
        elif kind == "generate":
            asked = command["messages"][-1]["content"]
            if asked == "die":
                print("about to die", file=sys.stderr, flush=True)
                os._exit(3)
            if asked == "silence":
                continue
            if asked == "noise":
                print("Downloading shards: 100%|#####|", flush=True)
                print('{"type": "unheard_of"}', flush=True)
                print('{"cut short', flush=True)
            for piece in ("Good ", "day"):
                say(type="token", request_id=command["request_id"], text=piece)
            say(type="answered", request_id=command["request_id"], slot=command["slot"], text="Good day",
            tokens=2,
                first_token_s=0.1, tokens_per_s=9.0, seed=1, stop_reason="end")
        elif kind == "quit":
            say(type="finished", result={})
            break
    """
)


class Spawner:
    """Starts CHAT_CHILD as a real process and remembers its pids."""

    def __init__(self, folder: Path) -> None:
        self._script = folder / "chat_child.py"
        self._script.write_text(CHAT_CHILD, encoding="utf-8")
        self.pids: list[int] = []

    def __call__(self, on_event: Callable[[Event], None]) -> WorkerProcess:
        process = WorkerProcess(
            ["chat"], on_event=on_event, command=lambda *_args: [sys.executable, str(self._script)]
        )
        self.pids.append(process.pid)
        return process


@pytest.fixture
def spawner(tmp_path: Path) -> Spawner:
    return Spawner(tmp_path)


@pytest.fixture
def chat(qtbot: QtBot, spawner: Spawner) -> Iterator[ChatHost]:
    host = ChatHost(spawner, stop_grace_ms=300, free_memory=lambda: 1)
    yield host
    assert host.shutdown()
    assert not [pid for pid in spawner.pids if psutil.pid_exists(pid)], "a chat process was left behind"
    assert not [t for t in threading.enumerate() if t.name.startswith("worker-chat")], (
        "a thread was left behind"
    )


def load(qtbot: QtBot, chat: ChatHost, slot: str = "a") -> None:
    with qtbot.waitSignal(chat.loaded, timeout=10_000):
        chat.load(slot, TARGET)


def test_an_answer_streams_in_order(qtbot: QtBot, chat: ChatHost) -> None:
    load(qtbot, chat)
    pieces: list[str] = []
    chat.token.connect(lambda event: pieces.append(event.text))
    with qtbot.waitSignal(chat.answered, timeout=10_000) as heard:
        request_id = chat.generate("a", HELLO)
    assert pieces == ["Good ", "day"]
    assert heard.args[0].request_id == request_id
    assert not chat.busy()


def test_noise_on_stdout_is_not_heard(qtbot: QtBot, chat: ChatHost) -> None:
    load(qtbot, chat)
    with qtbot.waitSignal(chat.answered, timeout=10_000) as heard:
        chat.generate("a", [ChatMessage(role="user", content="noise")])
    assert heard.args[0].text == "Good day"


def test_a_child_that_dies_is_told_and_the_next_question_starts_another(
    qtbot: QtBot, chat: ChatHost, spawner: Spawner
) -> None:
    load(qtbot, chat)
    with qtbot.waitSignal(chat.failed, timeout=10_000) as heard:
        chat.generate("a", [ChatMessage(role="user", content="die")])
    failure: ChatFailure = heard.args[0]
    assert failure.code == "worker.crashed"
    assert "about to die" in failure.details
    assert not chat.busy()
    with qtbot.waitSignals([chat.loaded, chat.answered], timeout=10_000):
        chat.generate("a", HELLO)
    assert len(spawner.pids) == 2


def test_a_child_killed_from_outside_is_told(qtbot: QtBot, chat: ChatHost, spawner: Spawner) -> None:
    load(qtbot, chat)
    chat.generate("a", [ChatMessage(role="user", content="silence")])
    with qtbot.waitSignal(chat.failed, timeout=10_000) as heard:
        psutil.Process(spawner.pids[0]).kill()
    assert heard.args[0].code == "worker.crashed"


def test_a_deaf_child_is_ended_when_it_does_not_stop(qtbot: QtBot, chat: ChatHost, spawner: Spawner) -> None:
    load(qtbot, chat)
    chat.generate("a", [ChatMessage(role="user", content="silence")])
    with qtbot.waitSignal(chat.failed, timeout=10_000) as heard:
        chat.stop()
    assert heard.args[0].code == "worker.deaf"
    qtbot.waitUntil(lambda: not psutil.pid_exists(spawner.pids[0]), timeout=10_000)


def test_a_model_that_does_not_load_is_told_with_its_slot(qtbot: QtBot, chat: ChatHost) -> None:
    with qtbot.waitSignal(chat.failed, timeout=10_000) as heard:
        chat.load("b", SimpleNamespace(name="Bad", base_dir="/broken", adapter_dir=None))
    assert (heard.args[0].code, heard.args[0].slot) == ("model.broken", "b")
    assert not chat.busy()


def test_nothing_can_be_asked_of_an_empty_slot(chat: ChatHost) -> None:
    with pytest.raises(StudioError) as caught:
        chat.generate("a", HELLO)
    assert caught.value.code == "chat.no_model"


def test_training_takes_the_memory_and_says_so(qtbot: QtBot, chat: ChatHost, spawner: Spawner) -> None:
    load(qtbot, chat)
    run = make_run(estimate=make_estimate(device="cuda"))
    with qtbot.waitSignals([chat.unloaded, chat.note_changed], timeout=10_000):
        chat.set_active_runs([run])
    qtbot.waitUntil(lambda: not psutil.pid_exists(spawner.pids[0]), timeout=10_000)
    assert "processor" in chat.note()
    names: list[str] = []
    chat.loaded.connect(lambda event: names.append(event.name))
    with qtbot.waitSignal(chat.answered, timeout=10_000):
        chat.generate("a", HELLO)
    assert names == ["Tiny@cpu"]
    chat.set_active_runs([])
    assert chat.note() == ""


def test_an_idle_chat_gives_its_memory_back(qtbot: QtBot, spawner: Spawner) -> None:
    host = ChatHost(spawner, idle_ms=150)
    with qtbot.waitSignals([host.loaded, host.unloaded], timeout=10_000):
        host.load("a", TARGET)
    qtbot.waitUntil(lambda: not psutil.pid_exists(spawner.pids[0]), timeout=10_000)
    assert host.shutdown()


def test_a_program_that_cannot_start_is_told(qtbot: QtBot) -> None:
    def spawn(_on_event: Callable[[Event], None]) -> WorkerProcess:
        raise FileNotFoundError("python is gone")

    host = ChatHost(spawn)
    with qtbot.waitSignal(host.failed, timeout=10_000) as heard:
        host.load("a", TARGET)
    assert heard.args[0].details == "python is gone"
    assert host.shutdown()


@pytest.fixture
def runs() -> FakeRuns:
    return FakeRuns()


@pytest.fixture
def host(qtbot: QtBot, runs: FakeRuns) -> Iterator[RunHost]:
    made = RunHost(runs)
    yield made
    assert made.shutdown()


def test_events_arrive_on_the_gui_thread_in_order(qtbot: QtBot, host: RunHost, runs: FakeRuns) -> None:
    run = make_run()
    runs.runs = [run]
    threads: list[threading.Thread] = []
    host.run_events.connect(lambda _news: threads.append(threading.current_thread()))
    runs.news = [(run.id, [step_event(1), step_event(2)])]
    with qtbot.waitSignal(host.run_events, timeout=5000) as heard:
        host.start()
    run_id, events = heard.args[0]
    assert run_id == run.id
    assert [event.step for event in events if isinstance(event, Step)] == [1, 2]
    assert threads == [threading.main_thread()]
    assert host.recent(run.id) == events


def test_the_status_follows_the_run(qtbot: QtBot, host: RunHost, runs: FakeRuns) -> None:
    run = make_run()
    runs.runs = [run, make_run("Next", RunState.QUEUED)]
    with qtbot.waitSignals([host.status_changed, host.queue_changed, host.device_changed], timeout=5000):
        host.start()
    assert host.queue_length() == 1
    assert host.has_running()
    assert "GB" in host.device()
    with qtbot.waitSignal(host.status_changed, timeout=5000):
        runs.news = [(run.id, [step_event(360), Paused(step=360)])]
    status = host.status()
    assert status is not None
    assert (status.fraction, status.paused) == (0.5, True)


def test_the_end_of_a_run_is_told(qtbot: QtBot, host: RunHost, runs: FakeRuns) -> None:
    run = make_run()
    runs.runs = [run]
    with qtbot.waitSignal(host.active_changed, timeout=5000):
        host.start()
    with qtbot.waitSignals([host.run_ended, host.active_changed], timeout=5000):
        runs.put(replace(run, state=RunState.DONE))
        runs.news = [(run.id, [Finished()])]
    assert host.status() is None
    assert not host.has_running()


def test_a_crash_is_an_ended_run(qtbot: QtBot, host: RunHost, runs: FakeRuns) -> None:
    runs.news = [("x", [Failed(code="worker.crashed", message="It was killed.")])]
    with qtbot.waitSignal(host.run_ended, timeout=5000) as heard:
        host.start()
    assert heard.args == ["x"]


def test_trouble_is_told_once_and_following_goes_on(qtbot: QtBot, host: RunHost, runs: FakeRuns) -> None:
    runs.problem = OSError("disk on fire")
    problems: list[Exception] = []
    host.failed.connect(problems.append)
    with qtbot.waitSignal(host.failed, timeout=5000):
        host.start()
    qtbot.wait(350)  # three more polls
    assert len(problems) == 1
    runs.problem = None
    with qtbot.waitSignal(host.run_events, timeout=5000):
        runs.news = [("x", [step_event(1)])]


def test_shutting_down_twice_does_no_harm(qtbot: QtBot, host: RunHost) -> None:
    host.start()
    assert host.shutdown()
    assert host.shutdown()
