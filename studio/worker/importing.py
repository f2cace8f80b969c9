"""The job ``worker import``: one source into one dataset folder, in a process that can be dropped at any time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pydantic import BaseModel

from studio.domain.datasets import ImportSpec
from studio.errors import StudioError
from studio.i18n import _
from studio.ingest.importer import Importer
from studio.protocol.events import Finished
from studio.worker.io import CommandReader, EventWriter
from studio.worker.limits import guard

PAYLOAD_TIMEOUT_S: Final = 30.0


class ImportPayload(BaseModel):
    """The first line on standard input."""

    spec: ImportSpec
    out_dir: Path
    dataset_id: str


def run(args: Sequence[str], writer: EventWriter, commands: CommandReader) -> None:
    """Read the payload, import, and finish with the DatasetVersion."""
    payload = ImportPayload.model_validate_json(payload_line(commands))
    check = guard(writer, commands, "import")
    version = Importer(payload.spec, payload.out_dir, writer.emit, check).run(payload.dataset_id)
    writer.emit(Finished(result=version.model_dump(mode="json")))


def payload_line(commands: CommandReader) -> str:
    """The job's description. Raises StudioError worker.no_payload when none comes."""
    line = commands.read_line(PAYLOAD_TIMEOUT_S)
    if line is None:
        raise StudioError("worker.no_payload", _("The job was started without saying what to do."))
    return line
