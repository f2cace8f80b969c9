"""The job ``worker preview-source``: the first rows of a source, with what was detected about it."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel

from studio.domain.datasets import ImportSpec
from studio.ingest.opening import open_source
from studio.protocol.events import Finished
from studio.worker.importing import payload_line
from studio.worker.io import CommandReader, EventWriter
from studio.worker.limits import guard


class PreviewPayload(BaseModel):
    """The first line on standard input."""

    spec: ImportSpec


def run(args: Sequence[str], writer: EventWriter, commands: CommandReader) -> None:
    """Read the payload, look at the source, and finish with the SourcePreview."""
    payload = PreviewPayload.model_validate_json(payload_line(commands))
    guard(writer, commands, "preview-source")
    preview = open_source(payload.spec).preview()
    writer.emit(Finished(result=preview.model_dump(mode="json")))
