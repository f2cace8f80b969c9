"""Who owns a process of the playground: starts it when first needed, speaks with it, and lets it go.

The process is started, spoken to and ended in a thread of its own, because starting a child and waiting for its end
take longer than a window may stand still. A crash of the child is a message, and the next question starts a new one.
Chatting and predicting share all of this; what they ask is their own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import psutil
from PySide6.QtCore import QObject, Qt, QThread, QTimer, Signal, Slot

from studio.domain.runs import Run
from studio.errors import StudioError
from studio.i18n import _
from studio.protocol.commands import Command, Load, Quit, Stop, Unload
from studio.protocol.events import (
    TERMINAL,
    Cancelled,
    Event,
    Failed,
    ModelLoaded,
    RequestFailed,
)

log = logging.getLogger(__name__)
IDLE_MS = 10 * 60 * 1000
STOP_GRACE_MS = 10_000  # a child that does not stop answering within this time is deaf
QUIT_GRACE_S = 2.0
SHORT_MEMORY_BYTES = 2 * 2**30  # a run that starts with less than this left gets the memory of the playground


class ModelProcess(Protocol):
    """What is used of services.children.WorkerProcess."""

    def send(self, command: Command) -> Any: ...

    def close(self, grace_s: float = ...) -> Any: ...


class Target(Protocol):
    """What is used of services.runs.ChatTarget."""

    @property
    def name(self) -> str: ...

    @property
    def base_dir(self) -> Any: ...

    @property
    def adapter_dir(self) -> Any: ...


Spawn = Callable[[Callable[[Event], None]], ModelProcess]


@dataclass(frozen=True)
class ModelFailure:
    """A question or a loading that failed. request_id or slot may be empty: then all that were open have
    failed.
    """

    code: str
    message: str
    hint: str = ""
    details: str = ""
    request_id: str = ""
    slot: str = ""


class _Speaker(QObject):
    """Lives in a thread of its own and alone touches the process."""

    heard = Signal(object)  # (generation, Event), from the process's reader thread
    trouble = Signal(object)  # ModelFailure

    def __init__(self, spawn: Spawn) -> None:
        super().__init__()
        self._spawn = spawn
        self._process: ModelProcess | None = None
        self._generation = 0

    @Slot(object)
    def say(self, commands: list[Command]) -> None:
        """Send commands, starting a process first when there is none."""
        try:
            process = self._process or self._start()
            for command in commands:
                process.send(command)
        except (OSError, StudioError) as problem:
            self._drop(grace_s=0.1)
            self.trouble.emit(ModelFailure("worker.crashed", _crash_text(), _again_text(), str(problem)))

    @Slot(object)
    def forget(self, generation: int) -> None:
        """The process of this generation said its last word."""
        if generation == self._generation and self._process is not None:
            self._drop(grace_s=0.1)

    @Slot()
    def quit_process(self) -> None:
        """Ask the process to leave, and make it leave when it does not."""
        if self._process is None:
            return
        self._generation += 1  # what it still says is of no interest
        self._process.send(Quit())
        self._drop(grace_s=QUIT_GRACE_S)

    @Slot()
    def finish(self) -> None:
        self.quit_process()
        QThread.currentThread().quit()

    def _start(self) -> ModelProcess:
        self._generation += 1
        generation = self._generation
        self._process = self._spawn(lambda event: self.heard.emit((generation, event)))
        return self._process

    def _drop(self, grace_s: float) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.close(grace_s=grace_s)


def _crash_text() -> str:
    return _("The model's process ended unexpectedly.")


def _again_text() -> str:
    return _("Ask again: it starts anew by itself.")


class ModelHost(QObject):
    """Load models into slots, ask them, and hear their answers.

    spawn: starts a process and gives it the function that hears its events (from any thread).
    Signals, all on the GUI thread: answered(the event that ends a request), loaded(ModelLoaded), failed(ModelFailure),
    note_changed(str) (why answers may be slow; empty when there is nothing to say), unloaded() (memory was given
    back).
    """

    answered = Signal(object)
    loaded = Signal(object)
    failed = Signal(object)
    note_changed = Signal(object)
    unloaded = Signal()
    _say = Signal(object)
    _forget = Signal(object)
    _quit_process = Signal()
    _finish = Signal()

    def __init__(
        self,
        spawn: Spawn,
        parent: QObject | None = None,
        *,
        idle_ms: int = IDLE_MS,
        stop_grace_ms: int = STOP_GRACE_MS,
        free_memory: Callable[[], int] = lambda: psutil.virtual_memory().available,
    ) -> None:
        super().__init__(parent)
        self._free_memory = free_memory
        self._wanted: dict[str, Load] = {}  # what each slot shall hold
        self._sent: dict[str, Load] = {}  # what the living process was told to load
        self._open: dict[str, str] = {}  # request id -> slot
        self._loading: set[str] = set()
        self._training = False
        self._closed = False
        self._generation = 0  # of the process that is listened to; older ones are past
        self._idle = _single_shot(self, idle_ms, self.release)
        self._deaf = _single_shot(self, stop_grace_ms, self._on_deaf)
        self._thread = QThread()
        self._thread.setObjectName(type(self).__name__)
        self._speaker = _Speaker(spawn)
        self._speaker.moveToThread(self._thread)
        queued = Qt.ConnectionType.QueuedConnection
        self._say.connect(self._speaker.say, queued)
        self._forget.connect(self._speaker.forget, queued)
        self._quit_process.connect(self._speaker.quit_process, queued)
        self._finish.connect(self._speaker.finish, queued)
        self._speaker.heard.connect(self._on_event, queued)
        self._speaker.trouble.connect(self._lose_process, queued)

    def load(self, slot: str, target: Target) -> None:
        """Put a model into a slot; ``loaded`` or ``failed`` follows. The same model again is answered by
        ``loaded``.
        """
        adapter = str(target.adapter_dir) if target.adapter_dir else None
        self._wanted[slot] = Load(
            slot=slot,
            name=target.name,
            base_dir=str(target.base_dir),
            adapter_dir=adapter,
            device="cpu" if self._training else "auto",
        )
        self._sent.pop(slot, None)
        self._send(self._missing_loads([slot]))

    def ask(self, request: Any) -> str:
        """Send a request (with request_id and slot) to the model in its slot, which is loaded again by itself if its
        process is gone; returns the request's id.

        Raises StudioError ``chat.no_model`` when nothing was put into the slot.
        """
        if request.slot not in self._wanted:
            raise StudioError("chat.no_model", _("No model is chosen."), _("Choose a model first."))
        self._open[request.request_id] = request.slot
        self._send([*self._missing_loads([request.slot]), request])
        return str(request.request_id)

    def take(self, event: Event) -> bool:
        """Whether the event ends a request; subclasses tell of those that come on the way."""
        return False

    def stop(self, request_id: str = "") -> None:
        """End an answer (empty: all); what was said so far arrives as ``answered`` with stop_reason
        "stopped".
        """
        if self._open:
            self._send([Stop(request_id=request_id)])
            self._deaf.start()

    def unload(self, slot: str) -> None:
        """Take the model out of a slot."""
        self._wanted.pop(slot, None)
        if self._sent.pop(slot, None) is not None:
            self._send([Unload(slot=slot)])

    def busy(self) -> bool:
        """A question is being answered or a model is being loaded."""
        return bool(self._open or self._loading)

    def release(self) -> None:
        """Give back the memory: the process ends; the next question loads its model again."""
        if not self.busy() and self._sent:
            self._sent.clear()
            self._generation += 1  # its last word is expected and of no interest
            self._quit_process.emit()
            self.unloaded.emit()

    def set_active_runs(self, runs: Sequence[Run]) -> None:
        """Runs have started or ended (connect RunHost.active_changed).

        The playground makes room: with little memory left it gives its own back, and on a GPU it moves to the
        processor.
        """
        active = bool(runs)
        if active == self._training:
            return
        self._training = active
        short = self._free_memory() < SHORT_MEMORY_BYTES
        if active and (short or any(run.estimate and run.estimate.device != "cpu" for run in runs)):
            self._wanted = {
                slot: load.model_copy(update={"device": "cpu"}) for slot, load in self._wanted.items()
            }
            self.release()
        self.note_changed.emit(self.note())

    def note(self) -> str:
        """One sentence on why answers may be slow now; empty when nothing trains."""
        if not self._training:
            return ""
        return _("A model is being trained, so answers are made on the processor and come more slowly.")

    def shutdown(self, timeout_ms: int = 8000) -> bool:
        """End the process and the thread. True when the thread has ended."""
        self._idle.stop()
        self._deaf.stop()
        if not self._thread.isRunning():
            return True
        self._closed = True
        self._finish.emit()
        return self._thread.wait(timeout_ms)

    def _missing_loads(self, slots: list[str]) -> list[Command]:
        loads = [self._wanted[slot] for slot in slots if self._sent.get(slot) != self._wanted[slot]]
        for load in loads:
            self._sent[load.slot] = load
            self._loading.add(load.slot)
        return list(loads)

    def _send(self, commands: list[Command]) -> None:
        if not self._thread.isRunning():
            self._thread.start()
        self._idle.start()
        if commands:
            self._say.emit(commands)

    def _on_event(self, news: tuple[int, Event]) -> None:
        generation, event = news
        if self._closed or generation < self._generation:
            return
        self._generation = generation
        self._idle.start()
        if self.take(event):
            self._close_request(getattr(event, "request_id", ""))
            self.answered.emit(event)
        elif isinstance(event, ModelLoaded):
            self._loading.discard(event.slot)
            self.loaded.emit(event)
        elif isinstance(event, RequestFailed):
            self._on_request_failed(event)
        elif isinstance(event, TERMINAL):
            self._on_last_word(generation, event)

    def _on_request_failed(self, event: RequestFailed) -> None:
        slot = self._close_request(event.request_id)
        if slot is None:  # a loading that failed; the worker names its slot in request_id, or gives none
            slot = event.request_id if event.request_id in self._loading else next(iter(self._loading), "")
            self._loading.discard(slot)
            self._sent.pop(slot, None)
        self.failed.emit(
            ModelFailure(event.code, event.message, event.hint, request_id=event.request_id, slot=slot)
        )

    def _on_last_word(self, generation: int, event: Event) -> None:
        self._forget.emit(generation)
        self._generation = generation + 1
        if isinstance(event, Failed):
            details = event.details
            self._lose_process(ModelFailure(event.code, event.message, event.hint or _again_text(), details))
        elif self.busy() or isinstance(event, Cancelled):
            self._lose_process(ModelFailure("worker.crashed", _crash_text(), _again_text()))
        else:
            self._sent.clear()

    def _lose_process(self, failure: ModelFailure) -> None:
        self._deaf.stop()
        self._open.clear()
        self._loading.clear()
        self._sent.clear()
        self.failed.emit(failure)

    def _close_request(self, request_id: str) -> str | None:
        slot = self._open.pop(request_id, None)
        if not self._open:
            self._deaf.stop()
        return slot

    def _on_deaf(self) -> None:
        self._generation += 1
        self._quit_process.emit()
        self._lose_process(
            ModelFailure(
                "worker.deaf", _("The model's process did not react, so it was ended."), _again_text()
            )
        )


def _single_shot(parent: QObject, interval_ms: int, callback: Callable[[], None]) -> QTimer:
    timer = QTimer(parent)
    timer.setSingleShot(True)
    timer.setInterval(interval_ms)
    timer.timeout.connect(callback)
    return timer
