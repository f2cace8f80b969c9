"""From a dataset folder to its doctor.json, which appears whole or not at all."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final

from studio.domain.findings import DoctorReport, DoctorSpec
from studio.ingest import errors
from studio.ingest.dataset.manifest import REJECTED_FILE, read_manifest
from studio.ingest.doctor.examine import Doctor
from studio.ingest.doctor.view import DatasetView
from studio.protocol.events import Event

REPORT_FILE: Final = "doctor.json"


def diagnose(
    dataset_dir: Path, spec: DoctorSpec, emit: Callable[[Event], None], check: Callable[[], None]
) -> DoctorReport:
    """Examine a dataset and keep the report in its folder.

    Raises StudioError (import.broken, doctor.tokenizer, import.disk_full, import.unwritable) and whatever
    ``check`` raises; then the folder is as it was.
    """
    version = read_manifest(dataset_dir)
    view = DatasetView(dataset_dir, version.shape, dataset_dir / REJECTED_FILE, check, emit)
    report = Doctor(view, spec).examine(version.id, version.content_sha256)
    check()
    write_report(dataset_dir, report)
    return report


def write_report(dataset_dir: Path, report: DoctorReport) -> None:
    """Replace doctor.json by write-aside and rename."""
    aside = dataset_dir / f".{REPORT_FILE}.{uuid.uuid4().hex}"
    try:
        with aside.open("w", encoding="utf-8") as file:
            file.write(report.model_dump_json(indent=1))
            file.flush()
            os.fsync(file.fileno())
        os.replace(aside, dataset_dir / REPORT_FILE)
    except OSError as error:
        aside.unlink(missing_ok=True)
        raise errors.write_failed(error) from error
