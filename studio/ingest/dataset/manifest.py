"""What a dataset folder says of itself: manifest.json, and the names of its files."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Final

from studio.domain.datasets import DatasetVersion
from studio.ingest import errors

MANIFEST_FILE: Final = "manifest.json"
REJECTED_FILE: Final = "rejected.jsonl"
STATISTICS_FILE: Final = "statistics.json"


def read_manifest(dataset_dir: Path) -> DatasetVersion:
    """What a version says of itself. Raises StudioError import.broken when it cannot be read."""
    with suppress(OSError, ValueError):
        return DatasetVersion.model_validate_json((dataset_dir / MANIFEST_FILE).read_bytes())
    raise errors.broken(str(dataset_dir), MANIFEST_FILE)


def write_manifest(folder: Path, version: DatasetVersion) -> None:
    (folder / MANIFEST_FILE).write_text(version.model_dump_json(indent=1), encoding="utf-8")
