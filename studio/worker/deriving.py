"""The job ``worker derive``: one dataset version and some steps into the next version's folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from studio.domain.recipes import AnyStep
from studio.ingest.versions.derive import Deriver
from studio.protocol.events import Finished
from studio.worker.importing import payload_line
from studio.worker.io import CommandReader, EventWriter
from studio.worker.limits import guard


class DerivePayload(BaseModel):
    """The first line on standard input. family_dirs: None to find the family beside the parent."""

    parent_dir: Path
    out_dir: Path
    dataset_id: str
    steps: list[AnyStep]
    note: str = ""
    number: int | None = None
    family_dirs: list[Path] | None = None


def run(args: Sequence[str], writer: EventWriter, commands: CommandReader) -> None:
    """Read the payload, derive, and finish with the DatasetVersion."""
    payload = DerivePayload.model_validate_json(payload_line(commands))
    check = guard(writer, commands, "derive")
    deriver = Deriver(payload.parent_dir, payload.out_dir, writer.emit, check, payload.family_dirs)
    version = deriver.run(payload.dataset_id, payload.steps, payload.note, payload.number)
    writer.emit(Finished(result=version.model_dump(mode="json")))
