"""The predict worker: keeps kept models of any kind but language models loaded, and answers batches of inputs."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Sequence
from pathlib import Path

from studio.engine.devices import memory_used, pick_device, set_threads, use_fast_float32
from studio.engine.predict import Predictor, load_predictor
from studio.engine.tasks.keeping import read_task
from studio.engine.threads import default_threads
from studio.errors import StudioError
from studio.i18n import _
from studio.ingest.media import StoredMedia
from studio.protocol.commands import Command, Load, Predict, Unload
from studio.protocol.events import Finished, ModelLoaded, Predicted, PredictedItem, Progress, RequestFailed
from studio.worker.io import CommandReader, EventWriter, started_event
from studio.worker.serving import RequestServer, is_out_of_memory

PIECE = 64  # inputs between two looks at the commands


def run(args: Sequence[str], writer: EventWriter, commands: CommandReader) -> None:
    """Serve until told to quit, cancelled, or left by the parent."""
    threads = set_threads()
    writer.emit(started_event(writer, "predict", device="cpu", threads=threads))
    PredictWorker(writer, commands).serve()
    writer.emit(Finished())


class PredictWorker(RequestServer):
    """Models in slots that answer inputs."""

    def __init__(self, writer: EventWriter, commands: CommandReader) -> None:
        super().__init__(writer, commands)
        self._slots: dict[str, Predictor] = {}

    def carry_out(self, command: Command) -> None:
        if isinstance(command, Load):
            self._load(command)
        elif isinstance(command, Unload):
            self._slots.pop(command.slot, None)
        elif isinstance(command, Predict):
            self._predict(command)

    def give_up(self, command: Command) -> None:
        if isinstance(command, Predict):
            self._tell(command, [], time.monotonic(), stopped=True)

    def failure(self, request_id: str, error: Exception) -> RequestFailed:
        if is_out_of_memory(error):
            return RequestFailed(
                request_id=request_id, code="predict.out_of_memory",
                message=_("There is not enough memory for this model and these inputs."),
                hint=_("Close other programs, or give fewer inputs at once."),
            )  # fmt: skip
        return RequestFailed(
            request_id=request_id, code="predict.failed",
            message=_("The model could not answer: {error}").format(error=f"{type(error).__name__}: {error}"),
            hint=_("Try again; if it happens again, load the model anew."),
        )  # fmt: skip

    def _load(self, command: Load) -> None:
        self._slots.pop(command.slot, None)  # its memory is free before the next one needs some
        device = pick_device(command.device)
        started, before = time.monotonic(), memory_used(device)
        set_threads(command.threads or default_threads())
        if device.type == "cpu":
            use_fast_float32()
        folder = Path(command.base_dir)
        document = read_task(folder)
        self._slots[command.slot] = load_predictor(folder, device, StoredMedia())
        goal = document.get("goal") or {}
        self._writer.emit(
            ModelLoaded(
                slot=command.slot, name=command.name, seconds=time.monotonic() - started,
                memory_bytes=max(0, memory_used(device) - before),
                architecture=str(document["architecture"]), labels=[str(label) for label in goal.get("labels", [])],
            )
        )  # fmt: skip

    def _predict(self, command: Predict) -> None:
        predictor = self._slots.get(command.slot)
        if predictor is None:
            raise StudioError("predict.no_model", _("No model is loaded."), _("Choose a model first."))
        started, found = time.monotonic(), list[PredictedItem]()
        for place in range(0, len(command.inputs), PIECE):
            if self.should_stop(command.request_id):
                break
            piece = predictor.predict(command.inputs[place : place + PIECE])
            found += [PredictedItem.model_validate(dataclasses.asdict(answer)) for answer in piece]
            if len(command.inputs) > PIECE:
                self._writer.emit(Progress(phase="predicting", done=len(found), total=len(command.inputs)))
        self._tell(command, found, started, stopped=len(found) < len(command.inputs))

    def _tell(self, command: Predict, found: list[PredictedItem], started: float, *, stopped: bool) -> None:
        self._writer.emit(
            Predicted(
                request_id=command.request_id, slot=command.slot, predictions=found,
                seconds=time.monotonic() - started, stopped=stopped,
            )
        )  # fmt: skip
