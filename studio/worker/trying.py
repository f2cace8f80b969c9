"""The job ``worker try-step``: what a step would do to a dataset version; nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from studio.domain.recipes import AnyStep
from studio.ingest.versions.trying import try_step
from studio.protocol.events import Finished
from studio.worker.importing import payload_line
from studio.worker.io import CommandReader, EventWriter
from studio.worker.limits import guard


class TryPayload(BaseModel):
    """The first line on standard input."""

    dataset_dir: Path
    step: AnyStep


def run(args: Sequence[str], writer: EventWriter, commands: CommandReader) -> None:
    """Read the payload, try the step, and finish with the StepPreview."""
    payload = TryPayload.model_validate_json(payload_line(commands))
    check = guard(writer, commands, "try-step")
    preview = try_step(payload.dataset_dir, payload.step, writer.emit, check)
    writer.emit(Finished(result=preview.model_dump(mode="json")))
