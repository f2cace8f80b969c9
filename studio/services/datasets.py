"""Datasets: imported by a child process, remembered with their hashes, read page by page."""

from __future__ import annotations

import builtins
import itertools
import shutil
import threading
from collections.abc import Callable
from pathlib import Path

from pydantic import ValidationError

from studio.domain.datasets import DatasetVersion, ImportSpec, RejectedRow, SourcePreview, Split, SplitShares
from studio.domain.ids import new_id
from studio.domain.shapes import ColumnRole
from studio.errors import NotFoundError, ResourceError, StudioError
from studio.i18n import _, current_language
from studio.paths import WorkspacePaths, resource_path
from studio.protocol.events import Event, Phase
from studio.services.changes import ChangeBus, Changes
from studio.services.children import JobCancelled
from studio.services.ports import DatasetRepository, RowPages, RunJob

PREVIEW_TIMEOUT_S = 60
_SPACE_FACTOR = 3  # free bytes for each byte of the source: rows, rejected rows, and the copy being built


class DatasetService:
    """Import, list and read datasets. ``tokenizer_dir`` gives the folder that imports count tokens with, if any."""

    def __init__(
        self,
        repository: DatasetRepository,
        pages: RowPages,
        paths: WorkspacePaths,
        changes: ChangeBus,
        run_job: RunJob,
        tokenizer_dir: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._repository = repository
        self._pages = pages
        self._paths = paths
        self._changes = changes
        self._run_job = run_job
        self._tokenizer_dir = tokenizer_dir

    def preview(self, spec: ImportSpec, cancel: threading.Event | None = None) -> SourcePreview:
        """The first rows of a source and what was detected. Blocking; raises StudioError, JobCancelled."""
        _check_source(spec)
        finished = self._run_job(
            ["preview-source"], {"spec": spec.model_dump(mode="json")}, None, cancel, PREVIEW_TIMEOUT_S
        )
        return SourcePreview.model_validate(finished.result)

    def import_(
        self,
        spec: ImportSpec,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> DatasetVersion:
        """Import a source as a new dataset. Blocking; raises StudioError, JobCancelled (nothing is kept then)."""
        _check_source(spec)
        self._check_space(Path(spec.source).stat().st_size)
        if spec.tokenizer_dir is None:
            spec = spec.model_copy(update={"tokenizer_dir": self._tokenizer_dir()})
        dataset_id = new_id()
        folder = self._paths.dataset(dataset_id)
        payload = {"spec": spec.model_dump(mode="json"), "out_dir": str(folder), "dataset_id": dataset_id}
        try:
            dataset = _imported(self._run_job(["import"], payload, on_event, cancel).result)
            self._repository.add(dataset)
        except StudioError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._changes.publish(Changes.DATASETS)
        return dataset

    def import_sample(
        self,
        language: str | None = None,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> DatasetVersion:
        """The bundled customer service questions, imported once for each language (``en`` or ``zh_CN``)."""
        source = sample_source(language or current_language())
        for dataset in self.list():
            if dataset.source_path == str(source):
                return dataset
        name = _("Customer service (sample)")
        roles = {"question": ColumnRole.PROMPT, "answer": ColumnRole.RESPONSE}
        return self.import_(ImportSpec(source=str(source), name=name, roles=roles), on_event, cancel)

    def resplit(
        self,
        dataset_id: str,
        shares: SplitShares,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> DatasetVersion:
        """A new version of the same rows with other shares; the old one stays. Blocking; raises as import_ does."""
        dataset = self.get(dataset_id)
        rows = self._paths.dataset(dataset_id) / "rows.parquet"
        self._check_space(rows.stat().st_size if rows.is_file() else 0)
        new = new_id()
        folder = self._paths.dataset(new)
        if on_event is not None:
            on_event(Phase(name="writing"))
        version = self._pages.resplit(self._paths.dataset(dataset.id), folder, new, shares)
        if cancel is not None and cancel.is_set():
            shutil.rmtree(folder, ignore_errors=True)
            raise JobCancelled
        self._repository.add(version)
        self._changes.publish(Changes.DATASETS)
        return version

    def list(self, include_deleted: bool = False) -> builtins.list[DatasetVersion]:
        """Datasets, newest first."""
        return self._repository.list(include_deleted)

    def get(self, dataset_id: str) -> DatasetVersion:
        """One dataset. Raises NotFoundError ``dataset.unknown``."""
        dataset = self._repository.get(dataset_id)
        if dataset is None:
            raise NotFoundError("dataset.unknown", _("This data is not in the workspace any more."))
        return dataset

    def delete(self, dataset_id: str) -> Changes:
        """Put a dataset into the bin; its files stay."""
        return self._set_deleted(dataset_id, True)

    def restore(self, dataset_id: str) -> Changes:
        """Take a dataset out of the bin."""
        return self._set_deleted(dataset_id, False)

    def columns(self, dataset_id: str) -> builtins.list[str]:
        """Column names of the rows, in order."""
        return self._pages.columns(self._folder(dataset_id))

    def page(
        self, dataset_id: str, offset: int, limit: int, split: Split | None = None
    ) -> builtins.list[dict[str, str]]:
        """Up to ``limit`` rows from the ``offset``-th on, of one split or of all; cells as text, columns in order."""
        folder = self._folder(dataset_id)
        return (
            self._pages.page(folder, offset, limit, split)
            if split
            else self._pages.page(folder, offset, limit)
        )

    def rejected(self, dataset_id: str, offset: int = 0, limit: int = 100) -> builtins.list[RejectedRow]:
        """Source rows that were put aside, with the reason for each."""
        path = self._folder(dataset_id) / "rejected.jsonl"
        if not path.is_file():
            return []
        with path.open(encoding="utf-8") as lines:
            return [
                RejectedRow.model_validate_json(line)
                for line in itertools.islice(lines, offset, offset + limit)
            ]

    def _folder(self, dataset_id: str) -> Path:
        return self._paths.dataset(self.get(dataset_id).id)

    def _set_deleted(self, dataset_id: str, deleted: bool) -> Changes:
        self._repository.set_deleted(self.get(dataset_id).id, deleted)
        return self._changes.publish(Changes.DATASETS)

    def _check_space(self, source_bytes: int) -> None:
        if shutil.disk_usage(self._paths.root).free < _SPACE_FACTOR * source_bytes:
            raise ResourceError(
                "dataset.no_disk", _("There is not enough free disk space to import this file."),
                _("Free some space, or move the workspace to a larger disk."),
            )  # fmt: skip


def sample_source(language: str) -> Path:
    """The bundled customer service data in this language; English for a language without its own."""
    return resource_path("samples", f"customer_service_{'zh' if language.startswith('zh') else 'en'}.csv")


def is_sample(dataset: DatasetVersion) -> bool:
    """Whether this is the bundled customer service data."""
    return dataset.source_path in {str(sample_source("en")), str(sample_source("zh_CN"))}


def _check_source(spec: ImportSpec) -> None:
    path = Path(spec.source)
    try:
        missing = not path.is_file()
    except OSError:  # e.g. a name that this system cannot have
        missing = True
    if missing:
        raise NotFoundError(
            "dataset.no_file",
            _("There is no file {path}.").format(path=path.name),
            _("Choose the file again."),
        )


def _imported(result: dict[str, object]) -> DatasetVersion:
    try:
        return DatasetVersion.model_validate(result)
    except ValidationError as problem:
        raise StudioError(
            "dataset.bad_result", _("The import ended with a result that cannot be read."), _("Try again.")
        ) from problem
