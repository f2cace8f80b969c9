"""The job ``worker export-data``: a dataset version into a file for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from pydantic import BaseModel

from studio.domain.datasets import Split
from studio.ingest.export.exporter import Exporter
from studio.protocol.events import Finished
from studio.worker.importing import payload_line
from studio.worker.io import CommandReader, EventWriter
from studio.worker.limits import guard


class ExportPayload(BaseModel):
    """The first line on standard input. splits: None for all rows."""

    dataset_dir: Path
    format: Literal["csv", "jsonl", "xlsx", "parquet"]
    out: Path
    splits: list[Split] | None = None


def run(args: Sequence[str], writer: EventWriter, commands: CommandReader) -> None:
    """Read the payload, export, and finish with path, rows and size_bytes."""
    payload = ExportPayload.model_validate_json(payload_line(commands))
    check = guard(writer, commands, "export-data")
    splits = None if payload.splits is None else [split.value for split in payload.splits]
    exporter = Exporter(payload.dataset_dir, writer.emit, check)
    writer.emit(Finished(result=exporter.run(payload.format, payload.out, splits)))
