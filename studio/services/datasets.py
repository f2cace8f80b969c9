"""Datasets: imported by a child process, remembered with their hashes, read page by page."""

from __future__ import annotations

import builtins
import itertools
import re
import shutil
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

from studio.domain.datasets import DatasetVersion, ImportSpec, RejectedRow, SourcePreview, Split
from studio.domain.datasets import title as shape_title
from studio.domain.ids import new_id
from studio.domain.recipes import Recipe
from studio.domain.shapes import ColumnRole, Shape
from studio.errors import NotFoundError, StudioError
from studio.i18n import _, current_language
from studio.paths import WorkspacePaths
from studio.protocol.events import Event
from studio.services.changes import ChangeBus, Changes
from studio.services.data_hub import DataHub
from studio.services.data_results import read_result, version_of
from studio.services.data_sources import check_sources, check_space, keep_pasted, source_bytes
from studio.services.data_versions import DataVersionService
from studio.services.ports import DatasetRepository, RowPages, RunJob
from studio.services.recipes import steps_here
from studio.services.samples import CUSTOMER_SERVICE, Sample

PREVIEW_TIMEOUT_S = 60
_STORED_NAME = re.compile(r"[0-9a-f]{64}\.\w{1,8}")


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
        *,
        versions: DataVersionService | None = None,
        hub: DataHub | None = None,
    ) -> None:
        self._repository = repository
        self._pages = pages
        self._paths = paths
        self._changes = changes
        self._run_job = run_job
        self._tokenizer_dir = tokenizer_dir
        self._versions = versions or DataVersionService(repository, paths, changes, run_job, tokenizer_dir)
        self._hub = hub

    def preview(self, spec: ImportSpec, cancel: threading.Event | None = None) -> SourcePreview:
        """The first rows of a source and what was detected. Blocking; raises StudioError, JobCancelled."""
        check_sources(spec)
        finished = self._run_job(
            ["preview-source"], {"spec": spec.model_dump(mode="json")}, None, cancel, PREVIEW_TIMEOUT_S
        )
        return SourcePreview.model_validate(finished.result)

    def import_(
        self,
        spec: ImportSpec,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
        recipe: Recipe | None = None,
    ) -> DatasetVersion:
        """Import sources as a new dataset; with a recipe, its steps then make a second version, which is returned.

        Where the recipe finds nothing to do there is no second version.
        Blocking; raises StudioError, JobCancelled. Nothing is kept of an import that fails; when only the recipe
        fails or is cancelled, the imported version stays.
        """
        check_sources(spec)
        check_space(self._paths.root, source_bytes(spec))
        if spec.tokenizer_dir is None:
            spec = spec.model_copy(update={"tokenizer_dir": self._tokenizer_dir()})
        if recipe is not None and recipe.roles and spec.roles is None:
            spec = self._with_roles(spec, recipe, cancel)
        dataset = self._imported(spec, on_event, cancel)
        if recipe is None or not recipe.steps:
            return dataset
        steps = steps_here(recipe, spec.tokenizer_dir)
        return self._versions.derive(
            dataset.id, steps, recipe.name, on_event, cancel, keep_unchanged=False
        )  # fmt: skip

    def import_sample(
        self,
        language: str | None = None,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
        sample: Sample = CUSTOMER_SERVICE,
    ) -> DatasetVersion:
        """A bundled example, imported once for each language (``en`` or ``zh_CN``; None: the active one)."""
        source = sample.source(language or current_language())
        for dataset in self.list():
            if dataset.source_path == str(source) and dataset.shape is sample.shape:
                return dataset
        spec = ImportSpec(
            source=str(source), name=_(sample.title), roles=sample.roles, shape=sample.shape, shares=sample.shares
        )  # fmt: skip
        return self.import_(spec, on_event, cancel)

    def to_label(
        self,
        dataset_id: str,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> DatasetVersion:
        """The plain texts of this version as a dataset of its own whose rows wait for labels. Blocking.

        Raises StudioError ``dataset.no_plain_texts``, ``draft.pending`` and as ``import_`` does.
        """
        texts = self.get(dataset_id)
        if texts.shape is not Shape.TEXT:
            raise StudioError(
                "dataset.no_plain_texts", _("“{name}” is not plain text.").format(name=texts.name),
                _("Choose a dataset of the kind “{kind}”.").format(kind=shape_title(Shape.TEXT)),
            )  # fmt: skip
        self._versions.check_no_draft(texts)
        spec = ImportSpec(
            source=str(self._paths.dataset(texts.id) / "rows.parquet"), origin=texts.spec.origin,
            name=_("{name} (to label)").format(name=texts.name), roles={"text": ColumnRole.TEXT},
            shape=Shape.TEXT_LABEL, shares=texts.spec.shares, licence=texts.spec.licence,
        )  # fmt: skip
        return self.import_(spec, on_event, cancel)

    def paste(self, text: str, name: str = "") -> ImportSpec:
        """Keep pasted text as a source; its format is detected when it is read. Raises StudioError."""
        return keep_pasted(text, self._paths.pasted, name)

    def fetch(
        self,
        repo: str,
        hub: str | None = None,
        endpoint: str | None = None,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> ImportSpec:
        """Fetch a dataset repository and give it as a source (see DataHub.fetch). Blocking."""
        if self._hub is None:
            raise StudioError("hub.no_consent", _("Downloads from the hub are not allowed."))
        return self._hub.fetch(repo, hub, endpoint, on_event, cancel)

    def list(self, include_deleted: bool = False) -> builtins.list[DatasetVersion]:
        """The newest version of each family, newest first."""
        return self._repository.list(include_deleted)

    def get(self, dataset_id: str) -> DatasetVersion:
        """One dataset version. Raises NotFoundError ``dataset.unknown``."""
        return version_of(self._repository, dataset_id)

    def delete(self, dataset_id: str) -> Changes:
        """Put a dataset with all its versions into the bin; the files stay."""
        return self._set_deleted(dataset_id, True)

    def restore(self, dataset_id: str) -> Changes:
        """Take a dataset with all its versions out of the bin."""
        return self._set_deleted(dataset_id, False)

    def state_licence(self, dataset_id: str, licence: str) -> Changes:
        """Say under which terms this data may be used, for all its versions; "" takes it back."""
        self._repository.set_licence(self.get(dataset_id).id, " ".join(licence.split()))
        return self._changes.publish(Changes.DATASETS)

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

    def rows(self, dataset_id: str, numbers: Sequence[int]) -> builtins.list[dict[str, str]]:
        """The rows with these numbers, in the order asked; numbers that are not there are left out."""
        return self._pages.rows(self._folder(dataset_id), numbers)

    def find(
        self, dataset_id: str, text: str, columns: Sequence[str] = (), offset: int = 0, limit: int = 200
    ) -> builtins.list[int]:
        """Numbers of the rows that hold ``text`` in one of these columns (none: all content), in the order of pages."""
        return self._pages.find(self._folder(dataset_id), text, columns, offset, limit)

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

    def image_path(self, name: str) -> Path:
        """The file of an image cell. Raises NotFoundError ``dataset.no_image`` for a name that is none."""
        problem = _("“{name}” is not an image of this workspace.").format(name=name)
        return _stored(self._paths.images, name, NotFoundError("dataset.no_image", problem))

    def recording_path(self, name: str) -> Path:
        """The file of a recording's cell. Raises NotFoundError ``dataset.no_recording`` for a name that is none."""
        problem = _("“{name}” is not a recording of this workspace.").format(name=name)
        return _stored(self._paths.audio, name, NotFoundError("dataset.no_recording", problem))

    def _imported(
        self, spec: ImportSpec, on_event: Callable[[Event], None] | None, cancel: threading.Event | None
    ) -> DatasetVersion:
        dataset_id = new_id()
        folder = self._paths.dataset(dataset_id)
        payload = {"spec": spec.model_dump(mode="json"), "out_dir": str(folder), "dataset_id": dataset_id}
        try:
            dataset = read_result(DatasetVersion, self._run_job(["import"], payload, on_event, cancel).result)
            self._repository.add(dataset)
        except StudioError:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        self._changes.publish(Changes.DATASETS)
        return dataset

    def _with_roles(self, spec: ImportSpec, recipe: Recipe, cancel: threading.Event | None) -> ImportSpec:
        """The recipe's roles and shape, when the source has all of its columns; else they are detected as usual."""
        if spec.shape not in (None, recipe.shape or spec.shape):  # another kind of rows is wanted
            return spec
        columns = set(self.preview(spec, cancel).columns)
        wanted = {name for name, role in recipe.roles.items() if role is not ColumnRole.IGNORE}
        if not wanted <= columns:
            return spec
        return spec.model_copy(update={"roles": recipe.roles, "shape": spec.shape or recipe.shape})

    def _folder(self, dataset_id: str) -> Path:
        return self._paths.dataset(self.get(dataset_id).id)

    def _set_deleted(self, dataset_id: str, deleted: bool) -> Changes:
        self._repository.set_deleted(self.get(dataset_id).id, deleted)
        return self._changes.publish(Changes.DATASETS)


def is_sample(dataset: DatasetVersion) -> bool:
    """Whether this is the bundled customer service data."""
    return dataset.source_path in {str(CUSTOMER_SERVICE.source(language)) for language in ("en", "zh_CN")}


def _stored(store: Path, name: str, problem: NotFoundError) -> Path:
    """A file of a store by its name, which is its content's; raises the problem for what is no such name."""
    if not _STORED_NAME.fullmatch(name):
        raise problem
    return store / name[:2] / name
