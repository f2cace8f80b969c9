"""A file opened as the import does, and all of its rows."""

from __future__ import annotations

from pathlib import Path

from studio.ingest.readers.batches import Reader
from studio.ingest.readers.registry import container_kind, open_container

Row = tuple[object, ...]


def opened(path: Path, sheet: str | None = None) -> Reader:
    kind = container_kind(path, path.read_bytes()[:4096])
    assert kind is not None
    return open_container(kind, path, sheet)


def rows(reader: Reader) -> list[Row]:
    """(row number, cells…) of all rows kept."""
    wanted = {name: name for name in reader.columns}
    return [row for batch in reader.batches(wanted) for row in batch.frame.iter_rows()]


def rejected(reader: Reader) -> list[tuple[int, str]]:
    wanted = {name: name for name in reader.columns}
    return [(item.row, item.code) for batch in reader.batches(wanted) for item in batch.rejected]
