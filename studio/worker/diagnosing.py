"""The job ``worker diagnose``: the data doctor's look at one dataset version, kept in its folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from studio.domain.findings import DoctorSpec
from studio.ingest.doctor.report import diagnose
from studio.protocol.events import Finished
from studio.worker.importing import payload_line
from studio.worker.io import CommandReader, EventWriter
from studio.worker.limits import guard


class DiagnosePayload(BaseModel):
    """The first line on standard input."""

    dataset_dir: Path
    spec: DoctorSpec = DoctorSpec()


def run(args: Sequence[str], writer: EventWriter, commands: CommandReader) -> None:
    """Read the payload, examine, and finish with the DoctorReport."""
    payload = DiagnosePayload.model_validate_json(payload_line(commands))
    check = guard(writer, commands, "diagnose")
    report = diagnose(payload.dataset_dir, payload.spec, writer.emit, check)
    writer.emit(Finished(result=report.model_dump(mode="json")))
