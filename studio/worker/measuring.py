"""The job ``worker measure-data``: the figures of one dataset version, kept beside its rows."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel

from studio.ingest.dataset.measure import Measurer, keep
from studio.protocol.events import Finished
from studio.worker.importing import payload_line
from studio.worker.io import CommandReader, EventWriter
from studio.worker.limits import guard


class MeasurePayload(BaseModel):
    """The first line on standard input. tokenizer_dir: folder with tokenizer.json, None for characters only."""

    dataset_dir: Path
    tokenizer_dir: Path | None = None


def run(args: Sequence[str], writer: EventWriter, commands: CommandReader) -> None:
    """Read the payload, measure, keep the figures, and finish with the DatasetStatistics."""
    payload = MeasurePayload.model_validate_json(payload_line(commands))
    check = guard(writer, commands, "measure-data")
    statistics = Measurer(payload.dataset_dir, payload.tokenizer_dir, writer.emit, check).run()
    keep(statistics, payload.dataset_dir)
    writer.emit(Finished(result=statistics.model_dump(mode="json")))
