"""The job ``worker order-labels``: which rows to label first."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pydantic import BaseModel, Field

from studio.ingest.versions.label_order import order_for_labelling
from studio.protocol.events import Finished
from studio.worker.importing import payload_line
from studio.worker.io import CommandReader, EventWriter
from studio.worker.limits import guard


class OrderPayload(BaseModel):
    """The first line on standard input. draft_path: journal of edits that are no version yet."""

    dataset_dir: Path
    column: str
    draft_path: Path | None = None
    limit: int = Field(1000, ge=1, le=100_000)


def run(args: Sequence[str], writer: EventWriter, commands: CommandReader) -> None:
    """Read the payload, order, and finish with rows, basis and labelled."""
    payload = OrderPayload.model_validate_json(payload_line(commands))
    check = guard(writer, commands, "order-labels")
    order = order_for_labelling(payload.dataset_dir, payload.column, payload.draft_path, payload.limit, check)
    writer.emit(Finished(result=order))
