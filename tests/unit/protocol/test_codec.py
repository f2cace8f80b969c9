"""What one process says, another understands; what it cannot understand does no harm."""

from __future__ import annotations

import json
import math

from hypothesis import given, settings
from hypothesis import strategies as st

from studio.domain.sampling import Sampling
from studio.protocol.codec import decode_command, decode_event, encode
from studio.protocol.commands import ChatMessage, Generate, Load, Stop
from studio.protocol.events import Evaluated, Log, Step, Token

texts = st.text(max_size=80)
numbers = st.floats(allow_nan=True, allow_infinity=True)


@settings(deadline=None)
@given(text=texts, seq=st.integers(0, 2**53))
def test_texts_of_any_kind_survive_on_one_line(text: str, seq: int) -> None:
    event = Token(request_id="r", text=text, seq=seq)
    line = encode(event)
    assert "\n" not in line
    assert "\r" not in line
    assert decode_event(line.encode("utf-8", "surrogatepass").decode("utf-8", "surrogatepass")) == event


@settings(deadline=None)
@given(loss=numbers, norm=numbers)
def test_numbers_that_are_none_become_null(loss: float, norm: float) -> None:
    event = Step(step=1, total_steps=2, epoch=0.5, loss=loss, lr=0.1, grad_norm=norm, tokens_per_s=1,
                 memory_bytes=1, elapsed_s=1)  # fmt: skip
    found = json.loads(encode(event))
    assert (found["loss"] is None) == (not math.isfinite(loss))
    decoded = decode_event(encode(event))
    assert isinstance(decoded, Step)
    assert decoded.grad_norm == (norm if math.isfinite(norm) else None)


@settings(deadline=None)
@given(line=st.one_of(texts, st.binary(max_size=60).map(lambda b: b.decode("latin-1"))))
def test_noise_is_not_an_event(line: str) -> None:
    assert decode_event(line) is None
    assert decode_command(line) is None


def test_unknown_types_are_ignored_and_unknown_fields_too() -> None:
    assert decode_event('{"v":1,"seq":1,"t":0,"type":"from_the_future"}') is None
    event = decode_event('{"v":1,"seq":1,"t":0,"type":"log","level":"info","message":"x","new":1}')
    assert event == Log(level="info", message="x", seq=1)


def test_a_line_cut_short_is_not_an_event() -> None:
    line = encode(Evaluated(step=1, epoch=1, loss=1.0, perplexity=2.7, rows=3, is_best=True))
    assert all(decode_event(line[:cut]) is None for cut in range(len(line)))


def test_commands_come_back_as_they_were() -> None:
    messages = [ChatMessage(role="user", content="你好")]
    for command in (
        Stop(request_id="a"),
        Load(slot="tuned", name="n", base_dir="/b", adapter_dir="/a"),
        Generate(request_id="r", slot="base", messages=messages, sampling=Sampling(temperature=0)),
    ):
        assert decode_command(encode(command)) == command
