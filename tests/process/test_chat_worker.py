"""The chat worker as a real child process: streaming, stopping, bad folders, and what happens when someone dies."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from studio.domain.sampling import Sampling
from studio.protocol.commands import ChatMessage, Generate, Load, Quit, Stop, Unload
from studio.protocol.events import Answered, Finished, Log, ModelLoaded, RequestFailed, Token
from tests.helpers.serving_child import ServingChild
from tests.helpers.tiny_model import write_tiny_model

LONG = Sampling(temperature=1, max_new_tokens=4096, seed=1)
SHORT = Sampling(temperature=0, max_new_tokens=6, seed=1)


class Chat(ServingChild):
    """A chat worker and its two pipes."""

    def __init__(self, home: Path) -> None:
        super().__init__("chat", home, patience_s=30)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(10)
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                pipe.close()


@pytest.fixture(scope="module")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that can go on for thousands of tokens."""
    return write_tiny_model(tmp_path_factory.mktemp("models") / "long", max_length=16_384)


@pytest.fixture(scope="module")
def lasting_chat(tmp_path_factory: pytest.TempPathFactory, model_dir: Path) -> Iterator[Chat]:
    chat = Chat(tmp_path_factory.mktemp("home"))
    chat.send(load(model_dir))
    chat.wait_for(ModelLoaded)
    yield chat
    chat.close()


@pytest.fixture
def chat(tmp_path: Path, model_dir: Path) -> Iterator[Chat]:
    fresh = Chat(tmp_path)
    fresh.send(load(model_dir))
    fresh.wait_for(ModelLoaded)
    yield fresh
    fresh.close()


def load(folder: Path, slot: str = "base") -> Load:
    return Load(slot=slot, name="tiny", base_dir=str(folder))


def ask(request_id: str, sampling: Sampling = SHORT, text: str = "Hello", **more: object) -> Generate:
    return Generate.model_validate(
        {
            "request_id": request_id,
            "slot": "base",
            "messages": [ChatMessage(role="user", content=text)],
            "sampling": sampling,
            **more,
        }
    )


def test_streams_tokens_and_ends_with_the_whole_answer(lasting_chat: Chat) -> None:
    lasting_chat.send(ask("a", details=True))
    *tokens, last = lasting_chat.wait_for(Answered)
    assert isinstance(last, Answered)
    assert "".join(t.text for t in tokens if isinstance(t, Token)) == last.text
    assert last.tokens == 6
    assert last.stop_reason == "length"
    assert last.first_token_s > 0
    first = tokens[0]
    assert isinstance(first, Token)
    assert first.probability is not None
    assert len(first.alternatives) == 5


def test_two_requests_are_answered_one_after_the_other(lasting_chat: Chat) -> None:
    lasting_chat.send(ask("one"), ask("two"))
    seen = lasting_chat.until(lambda e: isinstance(e, Answered) and e.request_id == "two")
    order = [e.request_id for e in seen if isinstance(e, (Token, Answered))]
    assert order == sorted(order)  # "one" before "two", never mixed
    answers = [e.text for e in seen if isinstance(e, Answered)]
    assert answers[0] == answers[1]  # same seed, same answer


def test_stop_ends_the_answer_at_once_and_keeps_what_was_said(lasting_chat: Chat) -> None:
    lasting_chat.send(ask("long", LONG))
    before = lasting_chat.until(lambda e: isinstance(e, Token) and bool(e.text))
    lasting_chat.send(Stop(request_id="long"))
    stopped_at = time.monotonic()
    after = lasting_chat.wait_for(Answered)
    assert time.monotonic() - stopped_at < 2
    last = after[-1]
    assert isinstance(last, Answered)
    assert last.stop_reason == "stopped"
    assert last.text == "".join(e.text for e in before + after if isinstance(e, Token))


def test_stop_also_ends_a_request_that_is_waiting(lasting_chat: Chat) -> None:
    lasting_chat.send(ask("first", LONG), ask("second", LONG))
    lasting_chat.wait_for(Token)
    lasting_chat.send(Stop(request_id="second"))
    seen = lasting_chat.wait_for(Answered)
    assert isinstance(seen[-1], Answered)
    assert (seen[-1].request_id, seen[-1].tokens) == ("second", 0)
    lasting_chat.send(Stop())
    last = lasting_chat.wait_for(Answered)[-1]
    assert isinstance(last, Answered)
    assert (last.request_id, last.stop_reason) == ("first", "stopped")


def test_a_stop_for_another_request_changes_nothing(lasting_chat: Chat) -> None:
    lasting_chat.send(ask("mine"), Stop(request_id="other"))
    last = lasting_chat.wait_for(Answered)[-1]
    assert isinstance(last, Answered)
    assert last.stop_reason == "length"


def test_a_missing_folder_fails_that_request_only(lasting_chat: Chat, tmp_path: Path) -> None:
    lasting_chat.send(load(tmp_path / "nowhere", "tuned"), ask("still there"))
    failed, *_rest, last = lasting_chat.wait_for(Answered)
    assert isinstance(failed, RequestFailed)
    assert (failed.code, failed.request_id) == ("model.not_found", "tuned")
    assert "nowhere" in failed.message
    assert isinstance(last, Answered)


def test_asking_an_empty_slot_is_told(lasting_chat: Chat) -> None:
    lasting_chat.send(ask("x", slot="tuned"))
    failed = lasting_chat.wait_for(RequestFailed)[-1]
    assert isinstance(failed, RequestFailed)
    assert (failed.code, failed.request_id) == ("chat.not_loaded", "x")


def test_a_hanging_template_fails_that_request_only(lasting_chat: Chat, tmp_path: Path) -> None:
    folder = write_tiny_model(tmp_path / "hanging")
    (folder / "chat_template.jinja").write_text(
        "{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}"
    )
    lasting_chat.send(load(folder, "tuned"), ask("hangs", slot="tuned"), Unload(slot="tuned"), ask("next"))
    seen = lasting_chat.until(lambda e: isinstance(e, Answered) and e.request_id == "next")
    failed = [e for e in seen if isinstance(e, RequestFailed)]
    assert [(e.request_id, e.code) for e in failed] == [("hangs", "model.template")]


def test_a_long_conversation_is_shortened_and_says_so(lasting_chat: Chat, tmp_path: Path) -> None:
    lasting_chat.send(load(write_tiny_model(tmp_path / "short"), "tuned"))
    lasting_chat.wait_for(ModelLoaded)
    turns = [
        ChatMessage(role="assistant" if i % 2 else "user", content="lamp and desk " * 10) for i in range(21)
    ]
    lasting_chat.send(
        Generate(request_id="much", slot="tuned", messages=turns, sampling=SHORT), Unload(slot="tuned")
    )
    seen = lasting_chat.wait_for(Answered)
    logs = [e for e in seen if isinstance(e, Log)]
    assert len(logs) == 1
    assert "oldest messages" in logs[0].message


@pytest.mark.slow
def test_quit_ends_with_a_last_word(chat: Chat) -> None:
    chat.send(Quit())
    assert isinstance(chat.wait_for(Finished)[-1], Finished)
    assert chat.process.wait(10) == 0


@pytest.mark.slow
def test_when_the_parent_goes_the_worker_goes_even_in_mid_answer(chat: Chat) -> None:
    chat.send(ask("long", LONG))
    chat.wait_for(Token)
    assert chat.process.stdin
    chat.process.stdin.close()
    assert chat.process.wait(10) == 0


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="POSIX signals")
def test_a_killed_worker_leaves_nothing_behind(chat: Chat) -> None:
    chat.send(ask("long", LONG))
    chat.wait_for(Token)
    children = psutil.Process(chat.process.pid).children(recursive=True)
    chat.process.kill()
    assert chat.process.wait(10) == -signal.SIGKILL
    assert not [child for child in children if child.is_running()]
