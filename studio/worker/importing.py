"""The job ``worker import``: one source into one dataset folder, in a process that can be dropped at any time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import psutil
from pydantic import BaseModel

from studio.domain.datasets import ImportSpec
from studio.errors import StudioError
from studio.i18n import _
from studio.ingest.importer import Importer
from studio.protocol.commands import Cancel, Quit, Stop
from studio.protocol.events import Failed, Finished
from studio.worker.io import CommandReader, EventWriter, JobCancelled, started_event

PAYLOAD_TIMEOUT_S: Final = 30.0
# RLIMIT_AS would count the address space polars reserves and never touches; what is watched is resident memory.
MEMORY_LIMIT_BYTES: Final = 1536 << 20
_WATCH_EVERY_S: Final = 0.1


class ImportPayload(BaseModel):
    """The first line on standard input."""

    spec: ImportSpec
    out_dir: Path
    dataset_id: str


def run(args: Sequence[str], writer: EventWriter, commands: CommandReader) -> None:
    """Read the payload, import, and finish with the DatasetVersion."""
    payload = ImportPayload.model_validate_json(payload_line(commands))
    writer.emit(started_event(writer, "import"))
    MemoryWatch(writer).start()

    def check() -> None:
        dropped = any(isinstance(command, Cancel | Stop | Quit) for command in commands.poll())
        if dropped or commands.eof:
            raise JobCancelled

    version = Importer(payload.spec, payload.out_dir, writer.emit, check).run(payload.dataset_id)
    writer.emit(Finished(result=version.model_dump(mode="json")))


def payload_line(commands: CommandReader) -> str:
    """The job's description. Raises StudioError worker.no_payload when none comes."""
    line = commands.read_line(PAYLOAD_TIMEOUT_S)
    if line is None:
        raise StudioError("worker.no_payload", _("The job was started without saying what to do."))
    return line


class MemoryWatch(threading.Thread):
    """Ends this process, with a sentence, before a hostile file takes the whole machine's memory."""

    def __init__(self, writer: EventWriter, limit_bytes: int = MEMORY_LIMIT_BYTES) -> None:
        super().__init__(name="memory-watch", daemon=True)
        self._writer = writer
        self._limit = limit_bytes

    def run(self) -> None:
        process = psutil.Process()
        while process.memory_info().rss < self._limit:
            time.sleep(_WATCH_EVERY_S)
        self._writer.emit(
            Failed(
                code="import.out_of_memory",
                message=_("The file needs more memory than an import may take ({limit} MB).").format(
                    limit=self._limit >> 20
                ),
                hint=_("Save it as JSONL, CSV or Parquet, which are read piece by piece."),
            )
        )
        os._exit(1)  # the other threads are inside native code and cannot be asked
