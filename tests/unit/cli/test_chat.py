"""A conversation in the terminal: what the model is told, and the ways out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from studio.cli import chat
from studio.domain.sampling import Sampling
from studio.paths import default_base_model_dir
from studio.protocol.commands import ChatMessage
from studio.protocol.events import Answered, ModelLoaded, Token
from studio.services.runs import ChatTarget
from tests.helpers.model_folders import write_model
from tests.unit.cli.conftest import Studio


class FakeChat:
    """Answers every question with its number, and remembers what it was told."""

    def __init__(self, _cancel: object) -> None:
        self.told: list[list[str]] = []
        self.sampling: list[Sampling] = []
        self.closed = False

    def __enter__(self) -> FakeChat:
        return self

    def __exit__(self, *_error: object) -> None:
        self.closed = True

    def load(self, target: ChatTarget, device: str) -> ModelLoaded:
        self.loaded = (target.name, device)
        return ModelLoaded(slot="a", name=target.name, seconds=0.5, memory_bytes=1)

    def ask(
        self, messages: list[ChatMessage], sampling: Sampling, on_token: Callable[[Token], None]
    ) -> Answered:
        self.told.append([f"{m.role}: {m.content}" for m in messages])
        self.sampling.append(sampling)
        text = f"answer {len(self.told)}"
        on_token(Token(request_id="r", text=text))
        return Answered(
            request_id="r", slot="a", text=text, tokens=2, first_token_s=0.1, tokens_per_s=20.0, seed=1,
            stop_reason="end",
        )  # fmt: skip


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[FakeChat]:
    """The chat clients that were made."""
    write_model(default_base_model_dir())
    clients: list[FakeChat] = []

    def make(cancel: object) -> FakeChat:
        clients.append(FakeChat(cancel))
        return clients[-1]

    monkeypatch.setattr(chat, "ChatClient", make)
    return clients


def typed(monkeypatch: pytest.MonkeyPatch, *lines: str | type[BaseException]) -> None:
    waiting: Iterator[str | type[BaseException]] = iter(lines)

    def answer(_prompt: str) -> str:
        line = next(waiting)
        if not isinstance(line, str):
            raise line
        return line

    monkeypatch.setattr("builtins.input", answer)


def test_once(studio: Studio, made: list[FakeChat]) -> None:
    said = studio(
        "chat", "--once", "Hello?", "--system", "Be kind.", "--temperature", "0", "--max-new-tokens", "9"
    )
    expected: dict[str, Any] = {"answer": "answer 1", "tokens": 2, "first_token_s": 0.1, "tokens_per_s": 20.0}
    assert said.code == 0
    assert expected.items() <= said.data.items()
    assert made[0].told == [["system: Be kind.", "user: Hello?"]]
    assert made[0].sampling == [Sampling(temperature=0, max_new_tokens=9)]
    assert made[0].loaded[1] == "auto"
    assert made[0].closed


def test_conversation_is_remembered_until_begun_anew(
    studio: Studio, made: list[FakeChat], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed(monkeypatch, "one", "  ", "two", "/new", "three", EOFError)
    said = studio("chat", plain=True)
    assert said.code == 0
    assert made[0].told == [
        ["user: one"],
        ["user: one", "assistant: answer 1", "user: two"],
        ["user: three"],
    ]
    assert "answer 3" in said.out


@pytest.mark.parametrize(("line", "code"), [("/quit", 0), ("/exit", 0), (KeyboardInterrupt, 130)])
def test_ways_out(
    studio: Studio,
    made: list[FakeChat],
    monkeypatch: pytest.MonkeyPatch,
    line: str | type[BaseException],
    code: int,
) -> None:
    typed(monkeypatch, line)
    assert studio("chat", plain=True).code == code
    assert made[0].closed
