"""The job ``worker compare-versions``: what the newer of two versions of a family has different."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, Field

from studio.domain.datasets import DiffKind
from studio.ingest.versions.compare import compare
from studio.protocol.events import Finished
from studio.worker.importing import payload_line
from studio.worker.io import CommandReader, EventWriter
from studio.worker.limits import guard


class ComparePayload(BaseModel):
    """The first line on standard input. offset and limit: the page of differing rows. only: of this kind."""

    older_dir: Path
    newer_dir: Path
    offset: int = Field(0, ge=0)
    limit: int = Field(200, ge=0, le=10_000)
    only: DiffKind | None = None


def run(args: Sequence[str], writer: EventWriter, commands: CommandReader) -> None:
    """Read the payload, compare, and finish with the VersionDiff."""
    payload = ComparePayload.model_validate_json(payload_line(commands))
    check = guard(writer, commands, "compare-versions")
    diff = compare(payload.older_dir, payload.newer_dir, payload.offset, payload.limit, check, payload.only)
    writer.emit(Finished(result=diff.model_dump(mode="json")))
