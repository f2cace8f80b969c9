"""Ctrl+C, progress lines, JSON values, column roles, words."""

from __future__ import annotations

import io
import json
import math
import signal
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from studio.cli import words
from studio.cli.importing import roles_of
from studio.cli.interrupts import Interrupts
from studio.cli.output import Output, plain
from studio.cli.progress import LINE_EVERY_S, ProgressLine
from studio.cli.train import _tell_estimate
from studio.domain.datasets import ImportSpec
from studio.domain.runs import FitEstimate
from studio.domain.shapes import ColumnRole
from studio.errors import StudioError
from studio.protocol import events as ev
from studio.words import duration_words, loss_words, size_words
from tests.helpers import builders


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_check_tells_the_energy() -> None:
    estimate = FitEstimate(
        ready=True, steps=7, trained_tokens=1, real_tokens=1, rows=1, rows_cut=0, parameters=1, trainable=1,
        seconds_low=1, seconds=2, seconds_high=3, memory_bytes=1, memory_available_bytes=1, disk_bytes=1,
        disk_free_bytes=1, energy_kwh_low=0.05, energy_kwh_high=0.08, tokens_per_s=1, device="cpu", dtype="float32",
    )  # fmt: skip
    out = io.StringIO()
    call: Any = SimpleNamespace(out=Output(False, out, io.StringIO()))
    _tell_estimate(call, estimate, reads_text=True)
    assert "Energy: 0.05 – 0.08 kWh" in out.getvalue()


def test_interrupts_count_then_raise() -> None:
    before = signal.getsignal(signal.SIGINT)
    with Interrupts() as interrupts:
        interrupts.allow(2)
        signal.raise_signal(signal.SIGINT)
        assert (interrupts.count, interrupts.cancelled.is_set()) == (1, False)
        signal.raise_signal(signal.SIGINT)
        assert (interrupts.count, interrupts.cancelled.is_set()) == (2, True)
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        interrupts.allow(0)
        assert not interrupts.cancelled.is_set()
        with pytest.raises(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_json_has_the_last_line_of_stdout_alone() -> None:
    out, err = io.StringIO(), io.StringIO()
    output = Output(True, out, err)
    output.say("[bold]hello[/bold]")
    output.table(["a"], [[1], [None]])
    output.result({"loss": math.nan, "at": datetime(2026, 1, 1, tzinfo=UTC), "role": ColumnRole.TEXT})
    assert json.loads(out.getvalue()) == {"loss": None, "at": "2026-01-01T00:00:00+00:00", "role": "text"}
    assert "[bold]hello[/bold]" in err.getvalue()
    assert "–" in err.getvalue()


def test_plain_values() -> None:
    spec = ImportSpec(source="a.csv", roles={"q": ColumnRole.PROMPT})
    assert plain((spec, {ColumnRole.TEXT: math.inf}))[0]["roles"] == {"q": "prompt"}
    assert plain({ColumnRole.TEXT: math.inf}) == {"text": None}


def test_pictures_are_counted_as_rows_and_named_shortly() -> None:
    text = io.StringIO()
    with ProgressLine(Output(False, text, text), reads_text=False) as progress:
        progress(builders.step(1, 1, total=100))
        progress(
            ev.ProbeAnswered(
                step=1, index=0, prompt=f"{'ab' * 32}.png", answer="circle", tokens=0, seconds=0.1
            )
        )
        progress(
            ev.ProbeAnswered(step=1, index=1, prompt="Where is it?", answer="there", tokens=0, seconds=0.1)
        )
    words = text.getvalue()
    assert "rows/s" in words
    assert "tokens" not in words
    assert "  abababab….png → circle" in words
    assert "  Where is it? → there" in words


def test_progress_in_a_pipe_is_a_line_now_and_then() -> None:
    text, clock = io.StringIO(), Clock()
    with ProgressLine(Output(False, text, text), clock) as progress:
        progress(ev.Phase(name="training"))
        for number in range(1, 6):
            clock.now += LINE_EVERY_S / 4
            progress(builders.step(number, number, total=100))
        progress(builders.step(100, 100, total=100))
        progress(builders.evaluated(101, 100, loss=1.5))
        progress(ev.Phase(name="training"))
    lines = text.getvalue().splitlines()
    assert lines[0] == "Training…"
    assert [line.split(":")[0] for line in lines[1:4]] == [
        "Step 1 of 100",
        "Step 5 of 100",
        "Step 100 of 100",
    ]
    assert "1.500" in lines[4]
    assert "best" in lines[4]
    assert len(lines) == 5


def test_roles() -> None:
    assert roles_of(["prompt=问 题", "response=b=c"]) == {
        "问 题": ColumnRole.PROMPT,
        "b=c": ColumnRole.RESPONSE,
    }
    assert roles_of([]) is None
    for text in ("question=prompt", "prompt", "prompt="):
        with pytest.raises(StudioError):
            roles_of([text])


def test_words() -> None:
    assert duration_words(200) == "3 min 20 s"
    assert duration_words(7260) == "2 h 1 min"
    assert words.excerpt("a\n b" + "c" * 100, 10) == "a bcccccc…"
    assert size_words(3e9) == "3.0 GB"
    assert loss_words(None) == "–"
