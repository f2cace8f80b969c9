"""Small real runs of the engine for tests: a plan, rows, a recorder of events, a control that acts at a step."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from studio.domain.architectures import Method
from studio.domain.datasets import Split
from studio.domain.runs import RunPlan
from studio.domain.shapes import Shape
from studio.domain.specs import TrainSpec
from studio.engine.control import Reason
from studio.protocol.events import Event, Step

TOPICS = ["lamp", "desk", "chair", "mirror", "rug", "vase", "clock", "shelf"]


class Killed(BaseException):
    """Stands for a kill in the middle of a run."""


class Recorder:
    """Keeps events; ``kill_at`` raises at that step's event, as a kill would leave things."""

    def __init__(self, kill_at: int = 0) -> None:
        self.events: list[Event] = []
        self._kill_at = kill_at

    def __call__(self, event: Event) -> None:
        self.events.append(event)
        if isinstance(event, Step) and self._kill_at and event.step >= self._kill_at:
            _wait_for_checkpoints()
            raise Killed

    def of(self, kind: type[Any]) -> list[Any]:
        """The events of a type, in order."""
        return [e for e in self.events if isinstance(e, kind)]


def _wait_for_checkpoints() -> None:
    """Steps of a tiny model overtake a busy disk: what a kill shall leave is on it first.

    Kills in the middle of writing are drilled with real processes (tests/faults).
    """
    for thread in threading.enumerate():
        if thread.name == "checkpoint":
            thread.join()


class PlainControl:
    """Goes on, or stops once ``stop_after`` says so."""

    def __init__(self, stop_after: Callable[[], bool] = lambda: False) -> None:
        self._stop_after = stop_after

    @property
    def stop(self) -> bool:
        return self._stop_after()

    def check(self) -> None:
        return None

    def rest(self) -> None:
        return None

    def hold(self, step: int, reason: Reason, until: Callable[[], bool] | None = None) -> None:
        raise AssertionError(f"held at {step}: {reason}")

    def on_pause(self, before: Callable[[], int], after: Callable[[], None] = lambda: None) -> None:
        self.before, self.after = before, after


def chat_rows(split: Split, count: int = 24) -> Iterable[dict[str, Any]]:
    """Conversations of different lengths; a tenth each for validation and test."""
    for index in range(count):
        own = {3: Split.VALIDATION, 7: Split.TEST}.get(index % 10, Split.TRAIN)
        if own is split:
            topic = TOPICS[index % len(TOPICS)]
            yield {
                "row": index + 1,
                "messages": [
                    {
                        "role": "user",
                        "content": f"Where is my {topic} number {index}?" + " Please!" * (index % 5),
                    },
                    {
                        "role": "assistant",
                        "content": f"Your {topic} arrives tomorrow." + " Thanks." * (index % 3),
                    },
                ],
            }


def text_rows(split: Split) -> Iterable[dict[str, Any]]:
    """Plain text rows."""
    for row in chat_rows(split):
        yield {"row": row["row"], "text": " ".join(m["content"] for m in row["messages"])}


def make_plan(base: Path | None, shape: Shape = Shape.PROMPT_RESPONSE, **fields: Any) -> RunPlan:
    """A plan over ``chat_rows`` with one thread and one number format (a busy machine measures now this, now that)."""
    given = {
        "method": Method.LORA, "epochs": 2, "batch_size": 3, "threads": 1, "dtype": "float32", "base_format": "float",
        "early_stopping": 0, **fields,
    }  # fmt: skip
    return RunPlan(
        name="test", base_dir=str(base) if base else None, base_name="tiny", dataset_id="d", dataset_dir="",
        dataset_sha256="abc", dataset_name="rows", shape=shape, spec=TrainSpec(**given), probes=["Where is my lamp?"],
    )  # fmt: skip
