"""What the playground needs around it, in memory: a chat host that answers when told to, and small services."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QObject, Signal

from studio.domain.basemodels import BaseModelInfo, BaseSource
from studio.domain.feedback import FeedbackItem
from studio.domain.ids import new_id
from studio.domain.runs import Run, RunPlan, RunState
from studio.domain.sampling import Sampling
from studio.domain.shapes import Shape
from studio.domain.specs import TrainSpec
from studio.errors import StudioError
from studio.gui.chat_host import ChatFailure
from studio.protocol.commands import ChatMessage, Predict
from studio.protocol.events import Answered, ModelLoaded, Predicted, PredictedItem, Token
from studio.services.changes import ChangeBus, Changes


@dataclass(frozen=True)
class Target:
    name: str
    base_dir: str
    adapter_dir: str | None = None


@dataclass
class Asked:
    """One request as the host received it."""

    request_id: str
    slot: str
    messages: list[ChatMessage]
    sampling: Sampling
    details: bool
    pieces: list[str] = field(default_factory=list)


class FakeChatHost(QObject):
    """The signals and methods of ChatHost; the test says what the models say."""

    token = Signal(object)
    answered = Signal(object)
    loaded = Signal(object)
    failed = Signal(object)
    note_changed = Signal(object)
    unloaded = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[tuple[str, Any]] = []
        self.unloads: list[str] = []
        self.open: list[Asked] = []
        self.asked: list[Asked] = []
        self.stops = 0
        self._note = ""

    def load(self, slot: str, target: Any) -> None:
        self.loads.append((slot, target))

    def unload(self, slot: str) -> None:
        self.unloads.append(slot)

    def generate(
        self,
        slot: str,
        messages: list[ChatMessage],
        sampling: Sampling | None = None,
        *,
        details: bool = False,
    ) -> str:
        request = Asked(new_id(), slot, list(messages), sampling or Sampling(), details)
        self.open.append(request)
        self.asked.append(request)
        return request.request_id

    def stop(self, request_id: str = "") -> None:
        self.stops += 1
        for request in [r for r in self.open if request_id in ("", r.request_id)]:
            self.end(reason="stopped", request=request)

    def note(self) -> str:
        return self._note

    def set_note(self, words: str) -> None:
        self._note = words
        self.note_changed.emit(words)

    def finish_loading(self) -> None:
        """Every model that was to be loaded is there."""
        for slot, target in self.loads:
            self.loaded.emit(ModelLoaded(slot=slot, name=target.name, seconds=1.2, memory_bytes=2**29))

    def say(self, text: str, position: int = 0, *, details: bool = False) -> None:
        """Stream a text word by word as the answer to an open request."""
        request = self.open[min(position, len(self.open) - 1)]
        words = [word if i == 0 else f" {word}" for i, word in enumerate(text.split(" "))]
        for number, word in enumerate(words):
            request.pieces.append(word)
            share = (0.97, 0.62, 0.31, 0.88, 0.06)[number % 5] if details else None
            others = [(word, share), (" perhaps", 0.2), (" never", 0.03)] if share is not None else []
            event = Token(request_id=request.request_id, text=word, probability=share, alternatives=others)
            self.token.emit(event)

    def end(self, *, reason: Any = "end", request: Asked | None = None) -> None:
        """The answer to a request (the first open one) is complete."""
        request = request or self.open[0]
        self.open.remove(request)
        self.answered.emit(
            Answered(
                request_id=request.request_id, slot=request.slot, text="".join(request.pieces),
                tokens=len(request.pieces), first_token_s=0.41, tokens_per_s=23.7,
                seed=request.sampling.seed if request.sampling.seed is not None else 42, stop_reason=reason,
            )
        )  # fmt: skip

    def fail_open(self) -> None:
        """The first open request fails."""
        request = self.open.pop(0)
        self.failed.emit(
            ChatFailure(
                "chat.failed", "The model could not answer.", "Try again.", request_id=request.request_id
            )
        )

    def fail_load(self, slot: str) -> None:
        """A model could not be loaded."""
        self.failed.emit(
            ChatFailure("model.no_weights", "The model's files are incomplete.", "Train it again.", slot=slot)
        )

    def crash(self) -> None:
        """The chat process is gone."""
        self.open.clear()
        self.failed.emit(ChatFailure("worker.crashed", "The chat process ended unexpectedly.", "Ask again."))


class FakePredictHost(QObject):
    """The signals and methods of PredictHost; the test says what the models answer."""

    progressed = Signal(object)
    answered = Signal(object)
    loaded = Signal(object)
    failed = Signal(object)
    note_changed = Signal(object)
    unloaded = Signal()

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[tuple[str, Any]] = []
        self.unloads: list[str] = []
        self.asked: list[Predict] = []
        self.stops = 0

    def load(self, slot: str, target: Any) -> None:
        self.loads.append((slot, target))

    def unload(self, slot: str) -> None:
        self.unloads.append(slot)

    def predict(self, slot: str, inputs: Any) -> str:
        self.asked.append(Predict(request_id=new_id(), slot=slot, inputs=list(inputs)))
        return self.asked[-1].request_id

    def stop(self, request_id: str = "") -> None:
        self.stops += 1

    def finish_loading(self, labels: list[str] | None = None) -> None:
        """Every model that was to be loaded is there."""
        for slot, target in self.loads:
            self.loaded.emit(
                ModelLoaded(slot=slot, name=target.name, seconds=0.4, memory_bytes=2**20, labels=labels or [])
            )

    def answer(self, *predictions: PredictedItem, place: int = -1) -> None:
        """The answers to a request, the last one by default."""
        request = self.asked[place]
        self.answered.emit(
            Predicted(
                request_id=request.request_id, slot=request.slot, predictions=list(predictions), seconds=0.1
            )
        )  # fmt: skip

    def fail(self, place: int = -1) -> None:
        """A request failed."""
        self.failed.emit(
            ChatFailure(
                "input.unreadable", "The picture cannot be read.", "Choose a PNG.",
                request_id=self.asked[place].request_id,
            )
        )  # fmt: skip


def base_info(path: str = "/models/small", name: str = "SmolLM2 135M Instruct") -> BaseModelInfo:
    return BaseModelInfo(
        id="small", name=name, path=path, source=BaseSource.BUNDLED, architecture="LlamaForCausalLM",
        parameters=134_515_008, size_bytes=2**29, languages=("en",), chat=True,
    )  # fmt: skip


def finished_run(
    name: str, product_id: str, *, base_dir: str | None = "/models/small", probes: list[str] | None = None,
    spec: TrainSpec | None = None,
) -> Run:  # fmt: skip
    plan = RunPlan(
        name=name, base_dir=base_dir, base_name="SmolLM2 135M Instruct", dataset_id="d1", dataset_dir="/d1",
        dataset_sha256="0", dataset_name="Shop questions", shape=Shape.MESSAGES,
        spec=spec or TrainSpec(), probes=probes or [],
    )  # fmt: skip
    return Run(plan, state=RunState.DONE, product_id=product_id)


class FakeRuns:
    def __init__(self, runs: list[Run]) -> None:
        self.runs = runs
        self.broken: set[str] = set()

    def list(self, product_id: str | None = None, limit: int = 100, offset: int = 0) -> list[Run]:
        return [run for run in self.runs if product_id in (None, run.product_id)][offset : offset + limit]

    def chat_target(self, run_id: str | None, base: BaseModelInfo | None = None) -> Target:
        if run_id in self.broken:
            raise StudioError("run.no_model", "This run has no model yet.", "Wait until it is finished.")
        if run_id is None:
            assert base is not None
            return Target(base.name, base.path)
        run = next(run for run in self.runs if run.id == run_id)
        return Target(run.name, str(run.plan.base_dir), f"/runs/{run_id}/model")


class FakeModels:
    def __init__(self, infos: list[BaseModelInfo]) -> None:
        self.infos = infos

    def available(self) -> list[BaseModelInfo]:
        return self.infos


class FakeFeedback:
    def __init__(self) -> None:
        self.items: list[FeedbackItem] = []
        self.problem: StudioError | None = None

    def add(self, item: FeedbackItem) -> Changes:
        if self.problem:
            raise self.problem
        self.items.append(item)
        return Changes.FEEDBACK


class FakeOutbound:
    def __init__(self) -> None:
        self.hosts: list[str] = []

    def record(self, host: str, purpose: str) -> Changes:
        self.hosts.append(host)
        return Changes.OUTBOUND

    def list(self, limit: int = 500) -> list[Any]:
        return []


class FakeServices:
    """The services that the playground asks: two finished runs of two products and one base model."""

    def __init__(self) -> None:
        self.changes = ChangeBus()
        mine = finished_run(
            "Customer service, run 3", "p1", probes=["Who pays for the parcel?", "Is it waterproof?"]
        )
        other = finished_run("Recommendations, run 1", "p2")
        waiting = Run(finished_run("Not finished", "p1").plan, state=RunState.RUNNING, product_id="p1")
        self.runs = FakeRuns([mine, other, waiting])
        self.models = FakeModels([base_info()])
        self.feedback = FakeFeedback()
        self.outbound = FakeOutbound()
        self.settings: Any = None
