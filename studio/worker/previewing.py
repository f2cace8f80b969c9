"""The job ``worker preview-source``: the first rows of a source, with what was detected about it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from pydantic import BaseModel

from studio.domain.datasets import ImportSpec
from studio.ingest.members import members_of
from studio.ingest.multi_source import examine
from studio.ingest.prefetch import attended
from studio.protocol.events import Finished
from studio.worker.importing import payload_line
from studio.worker.io import CommandReader, EventWriter
from studio.worker.limits import guard


class PreviewPayload(BaseModel):
    """The first line on standard input. scratch: where archives are unpacked; None: the system's place."""

    spec: ImportSpec
    scratch: Path | None = None


def run(args: Sequence[str], writer: EventWriter, commands: CommandReader) -> None:
    """Read the payload, look at the source, and finish with the SourcePreview."""
    payload = PreviewPayload.model_validate_json(payload_line(commands))
    check = guard(writer, commands, "preview-source")
    with (
        TemporaryDirectory(prefix="preview-", dir=payload.scratch) as folder,
        members_of(payload.spec, Path(folder) / "unpacked", check, heads_only=True) as members,
    ):
        preview = attended(lambda: examine(payload.spec, members, preview=True).preview(), check)
    writer.emit(Finished(result=preview.model_dump(mode="json")))
