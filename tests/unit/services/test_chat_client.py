"""Waiting for answers of a chat process that does what it should, fails, or leaves."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

import pytest

from studio.domain.sampling import Sampling
from studio.errors import StudioError
from studio.protocol.commands import ChatMessage
from studio.services.chat_client import ChatClient
from studio.services.children import JobCancelled
from studio.services.runs import ChatTarget

CHAT = """
import json, sys
def emit(**fields):
    print(json.dumps({"v": 1, **fields}), flush=True)
for line in sys.stdin:
    command = json.loads(line)
    if command["type"] == "load":
        if command["base_dir"] == "leave":
            sys.exit(3)
        if command["base_dir"] == "broken":
            emit(type="request_failed", request_id="a", code="model.broken", message="Broken.", hint="Mend it.")
        if command["base_dir"] in ("good", "slow"):
            emit(type="model_loaded", slot="a", name=command["name"], seconds=0.1, memory_bytes=1)
    if command["type"] == "generate":
        said = command["messages"][-1]["content"].upper()
        for piece in said:
            emit(type="token", request_id=command["request_id"], text=piece)
        if said == "WAIT":
            command = json.loads(sys.stdin.readline())
            said, reason = "W", command["type"] + "ped"
        emit(type="answered", request_id=command["request_id"], slot="a", text=said, tokens=len(said),
             first_token_s=0.1, tokens_per_s=10.0, seed=1, stop_reason="stopped" if said == "W" else "end")
    if command["type"] == "quit":
        emit(type="finished")
        break
"""
Connect = Callable[[], ChatClient]


def connect(cancel: threading.Event | None = None) -> ChatClient:
    return ChatClient(cancel, lambda *_args: [sys.executable, "-c", CHAT])


def target(folder: str) -> ChatTarget:
    return ChatTarget("Model", folder, None)


def ask(client: ChatClient, text: str) -> tuple[str, str, str]:
    pieces: list[str] = []
    answer = client.ask(
        [ChatMessage(role="user", content=text)], Sampling(), lambda token: pieces.append(token.text)
    )
    return answer.text, "".join(pieces), answer.stop_reason


def test_answers_come_piece_by_piece_one_after_the_other() -> None:
    with connect() as client:
        assert client.load(target("good")).name == "Model"
        assert ask(client, "one") == ("ONE", "ONE", "end")
        assert ask(client, "two") == ("TWO", "TWO", "end")


def test_stop_ends_the_answer() -> None:
    with connect() as client:
        client.load(target("good"))
        answer = client.ask(
            [ChatMessage(role="user", content="wait")], Sampling(),
            lambda token: client.stop() if token.text == "T" else None,
        )  # fmt: skip
        assert (answer.text, answer.stop_reason) == ("W", "stopped")


@pytest.mark.parametrize(("folder", "code"), [("broken", "model.broken"), ("leave", "worker.crashed")])
def test_trouble_is_raised(folder: str, code: str) -> None:
    with connect() as client, pytest.raises(StudioError) as caught:
        client.load(target(folder))
    assert caught.value.code == code


def test_cancel_ends_waiting() -> None:
    cancel = threading.Event()
    threading.Timer(0.2, cancel.set).start()
    with connect(cancel) as client, pytest.raises(JobCancelled):
        client.load(target("says nothing"))
