"""Datasets on their way out: as files for other programs, and as a card that says what they are."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from studio.domain.datasets import DatasetVersion, SourceRecord, Split
from studio.domain.shapes import Shape
from studio.errors import ResourceError, StudioError
from studio.i18n import _
from studio.paths import WorkspacePaths
from studio.protocol.events import Event
from studio.services.data_doctor import DataDoctorService
from studio.services.data_results import version_of
from studio.services.data_versions import DataVersionService
from studio.services.ports import CardWriter, DatasetFacts, DatasetRepository, RunJob
from studio.words import listed, size_words

FORMATS = ("csv", "jsonl", "xlsx", "parquet")
_SPACE_FACTOR = 4  # free bytes for each byte of Parquet: text formats do not pack


class DataExportService:
    """Writes datasets into files outside the workspace."""

    def __init__(
        self,
        repository: DatasetRepository,
        paths: WorkspacePaths,
        run_job: RunJob,
        versions: DataVersionService,
        doctor: DataDoctorService,
        write_card: CardWriter,
    ) -> None:
        self._repository = repository
        self._paths = paths
        self._run_job = run_job
        self._versions = versions
        self._doctor = doctor
        self._write_card = write_card

    def export(
        self,
        dataset_id: str,
        format: str,
        out: Path,
        splits: Sequence[Split] | None = None,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> Path:
        """Write the rows (of these splits; None: all) as csv, jsonl, xlsx or parquet. Blocking.

        An existing file is replaced only when the new one is complete, and never one that data was imported from.
        Raises StudioError ``export.unknown_format``, ``export.no_folder``, ``export.is_folder``,
        ``export.is_source``; ResourceError ``export.no_disk``; what the child reports; JobCancelled.
        """
        version = version_of(self._repository, dataset_id)
        target = out.expanduser().absolute()
        _check_format(format)
        folder = self._paths.dataset(version.id)
        _check_target(target, folder / "rows.parquet")
        self._check_no_source(target)
        payload = {
            "dataset_dir": str(folder), "format": format, "out": str(target),
            "splits": [split.value for split in splits] if splits else None,
        }  # fmt: skip
        result = self._run_job(["export-data"], payload, on_event, cancel).result
        return Path(str(result.get("path", target)))

    def _check_no_source(self, target: Path) -> None:
        """An original file is never touched, whichever dataset came from it."""
        if not target.exists():
            return
        place = target.resolve()
        for dataset in self._repository.list(include_deleted=True):
            files = {Path(dataset.source_path), *(_file_of(record) for record in dataset.sources)}
            if place in {file.resolve() for file in files}:
                raise StudioError(
                    "export.is_source",
                    _("“{name}” was imported from {path}: the original is never overwritten.").format(
                        name=dataset.name, path=target
                    ),
                    _("Choose another name or folder."),
                )

    def card(self, dataset_id: str) -> str:
        """The dataset card in Markdown, in the active language, from what is known of this version now."""
        version = version_of(self._repository, dataset_id)
        return self._write_card(
            DatasetFacts(
                dataset=version, history=tuple(self._versions.history(version.id)),
                statistics=self._versions.kept_statistics(version.id), report=self._doctor.report(version.id),
            )
        )  # fmt: skip


def format_for(out: Path, version: DatasetVersion) -> str:
    """The format that the name of a file asks for. Pictures and recordings go into an archive or a folder, with a
    table beside them: that is CSV."""
    ending = out.suffix.lower().removeprefix(".")
    has_files = version.shape in (Shape.IMAGE_LABEL, Shape.AUDIO_LABEL)
    return "csv" if has_files and ending in ("", "zip") else ending


def _file_of(record: SourceRecord) -> Path:
    """On the disk: a file of a folder, or the source itself (an archive with all its members, for one)."""
    source = Path(record.path)
    return source / record.member if source.is_dir() else source


def _check_format(name: str) -> None:
    if name not in FORMATS:
        raise StudioError(
            "export.unknown_format", _("Data cannot be written as “{name}”.").format(name=name),
            _("Choose one of these: {names}").format(names=listed(FORMATS)),
        )  # fmt: skip


def _check_target(target: Path, rows: Path) -> None:
    if target.is_dir():
        raise StudioError(
            "export.is_folder", _("{path} is a folder.").format(path=target), _("Add a name for the file.")
        )
    if not target.parent.is_dir():
        raise StudioError(
            "export.no_folder", _("There is no folder {path}.").format(path=target.parent),
            _("Make it first, or choose another place."),
        )  # fmt: skip
    needed = _SPACE_FACTOR * (rows.stat().st_size if rows.is_file() else 0)
    free = shutil.disk_usage(target.parent).free
    if free < needed:
        raise ResourceError(
            "export.no_disk",
            _("There may not be enough free disk space there: {need} needed, {free} free.").format(
                need=size_words(needed), free=size_words(free)
            ),
            _("Free some space, or choose another place."),
        )
