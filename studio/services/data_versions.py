"""Versions of a dataset: made by steps in a child process, undone and redone, compared, measured.

The versions of a family that count stand in one line, each the parent of the next. Undo marks the last one, redo takes
the mark away. A new version after an undo starts a new end of the line; the undone one is then out of redo's reach, but
its rows can be restored.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from studio.domain.datasets import DatasetVersion, DiffKind, VersionDiff
from studio.domain.ids import new_id
from studio.domain.recipes import AnyStep, RestoreStep, StepPreview
from studio.domain.shapes import SHAPES
from studio.domain.statistics import DatasetStatistics
from studio.errors import StudioError
from studio.i18n import _, ngettext
from studio.paths import WorkspacePaths
from studio.protocol.events import Event
from studio.services.changes import ChangeBus, Changes
from studio.services.data_results import read_kept, read_result, unreadable, version_of
from studio.services.data_sources import check_space
from studio.services.draft import draft_path, pending_in
from studio.services.ports import DatasetRepository, RunJob

STATISTICS_FILE = "statistics.json"


@dataclass(frozen=True)
class LabelOrder:
    """Rows to label next, the most useful first. basis: "uncertainty" of a small model, or "order" as they stand.

    labelled: rows that have a label already.
    """

    rows: tuple[int, ...]
    basis: str
    labelled: int


class DataVersionService:
    """Makes and walks the versions of datasets. Products follow to the version that counts; finished runs do not."""

    def __init__(
        self,
        repository: DatasetRepository,
        paths: WorkspacePaths,
        changes: ChangeBus,
        run_job: RunJob,
        tokenizer_dir: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._repository = repository
        self._paths = paths
        self._changes = changes
        self._run_job = run_job
        self._tokenizer_dir = tokenizer_dir

    def versions(self, dataset_id: str) -> list[DatasetVersion]:
        """The versions of this dataset's family that count, newest first. Raises NotFoundError."""
        return self._repository.family(version_of(self._repository, dataset_id).id)

    def history(self, dataset_id: str) -> list[DatasetVersion]:
        """The versions that led to this one, from the import on, this one last."""
        version: DatasetVersion | None = version_of(self._repository, dataset_id)
        line: list[DatasetVersion] = []
        while version is not None:
            line.append(version)
            version = self._repository.get(version.parent_id) if version.parent_id else None
        return line[::-1]

    def derive(
        self,
        dataset_id: str,
        steps: Sequence[AnyStep],
        note: str = "",
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
        *,
        with_draft: bool = False,
        keep_unchanged: bool = True,
    ) -> DatasetVersion:
        """A new version by these steps; the old one stays, products follow. Blocking.

        with_draft: the steps are the version's draft; otherwise a draft with changes is in the way, since it would be
        left behind. keep_unchanged: a version is made even where the steps find nothing to do; else the parent is
        returned. Raises StudioError ``version.not_newest``, ``version.no_steps``, ``draft.pending``, and what the
        child reports; JobCancelled. Nothing is kept then.
        """
        parent = version_of(self._repository, dataset_id)
        if not steps:
            raise StudioError(
                "version.no_steps", _("There is nothing to change."), _("Choose a change first.")
            )
        family = self._repository.family(parent.id, include_undone=True)
        self._check_newest(parent)
        if not with_draft:
            self.check_no_draft(parent)
        folder = self._paths.dataset(parent.id)
        check_space(self._paths.root, _bytes(folder / "rows.parquet"))
        new, number = new_id(), 1 + max(version.number for version in family)
        out = self._paths.dataset(new)
        payload = {
            "parent_dir": str(folder), "out_dir": str(out), "dataset_id": new, "number": number, "note": note,
            "steps": [step.model_dump(mode="json") for step in steps],
            "family_dirs": [str(self._paths.dataset(version.id)) for version in family],
        }  # fmt: skip
        try:
            made = read_result(DatasetVersion, self._run_job(["derive"], payload, on_event, cancel).result)
            _check_place(made, parent, number)
            if not keep_unchanged and _is_unchanged(made, parent):
                shutil.rmtree(out, ignore_errors=True)
                return parent
            made = made.with_licence(parent.spec.licence)  # may have been stated after the import
            self._repository.add(made)
        except StudioError:
            shutil.rmtree(out, ignore_errors=True)
            raise
        self._changes.publish(Changes.DATASETS | Changes.MATRIX)
        return made

    def undo(self, dataset_id: str) -> DatasetVersion:
        """Take the newest version of the family back; its parent, which is returned, is the newest again.

        Raises StudioError ``version.nothing_to_undo`` for an import, ``draft.pending``.
        """
        newest = self.newest(dataset_id)
        if newest.parent_id is None:
            raise StudioError(
                "version.nothing_to_undo",
                _("This is the data as it was imported; there is no change to undo."),
            )
        self.check_no_draft(newest)
        self._repository.set_undone(newest.id, True)
        self._changes.publish(Changes.DATASETS | Changes.MATRIX)
        return self.newest(newest.family_id)

    def redo(self, dataset_id: str) -> DatasetVersion | None:
        """Bring the version back that was undone last; None when there is none, or a new one was made since.

        Raises StudioError ``draft.pending``.
        """
        undone = self.undone(dataset_id)
        if undone is None:
            return None
        self.check_no_draft(self.newest(dataset_id))
        self._repository.set_undone(undone.id, False)
        self._changes.publish(Changes.DATASETS | Changes.MATRIX)
        return version_of(self._repository, undone.id)

    def undone(self, dataset_id: str) -> DatasetVersion | None:
        """The version that redo would bring back."""
        newest = self.newest(dataset_id)
        family = self._repository.family(newest.id, include_undone=True)
        after = [version for version in family if version.parent_id == newest.id]
        return after[0] if after else None

    def replaced(self, dataset_id: str) -> list[DatasetVersion]:
        """The undone versions that redo cannot bring back, since others took their place, newest first."""
        family = self._repository.family(dataset_id, include_undone=True)
        counting = {version.id for version in self.versions(dataset_id)}
        place, waiting = self.newest(dataset_id), {version.id for version in family} - counting
        while after := [version for version in family if version.parent_id == place.id]:
            place = after[0]
            waiting.discard(place.id)
        return [version for version in family if version.id in waiting]

    def newest(self, dataset_id: str) -> DatasetVersion:
        """The version of this dataset's family that counts."""
        return self.versions(dataset_id)[0]

    def try_step(self, dataset_id: str, step: AnyStep, cancel: threading.Event | None = None) -> StepPreview:
        """What a step would do, with examples; nothing is written. Blocking."""
        payload = {"dataset_dir": self._dir(dataset_id), "step": step.model_dump(mode="json")}
        return read_result(StepPreview, self._run_job(["try-step"], payload, None, cancel).result)

    def compare(
        self,
        older_id: str,
        newer_id: str,
        offset: int = 0,
        limit: int = 200,
        cancel: threading.Event | None = None,
        only: DiffKind | None = None,
    ) -> VersionDiff:
        """What the newer version has different, with a page of the rows that differ (in this way only). Blocking.

        Raises StudioError ``version.other_family`` for versions of different data.
        """
        older, newer = version_of(self._repository, older_id), version_of(self._repository, newer_id)
        if older.family_id != newer.family_id:
            raise StudioError(
                "version.other_family", _("These are not versions of the same data."),
                _("Choose two versions of one dataset."),
            )  # fmt: skip
        payload = {
            "older_dir": self._dir(older.id), "newer_dir": self._dir(newer.id), "offset": offset, "limit": limit,
            "only": only,
        }  # fmt: skip
        return read_result(VersionDiff, self._run_job(["compare-versions"], payload, None, cancel).result)

    def restore_version(
        self,
        dataset_id: str,
        version_id: str,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> DatasetVersion:
        """A new version with the rows of an older one of the same family. Blocking."""
        newest, wanted = self.newest(dataset_id), version_of(self._repository, version_id)
        if wanted.family_id != newest.family_id:
            raise StudioError("version.other_family", _("These are not versions of the same data."))
        if wanted.id == newest.id:
            raise StudioError("version.is_newest", _("This is the newest version already."))
        step = RestoreStep(version_id=wanted.id, number=wanted.number)
        return self.derive(newest.id, [step], "", on_event, cancel)

    def statistics(
        self,
        dataset_id: str,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> DatasetStatistics:
        """Figures of this version; measured once, then kept beside the rows. Blocking."""
        kept = self.kept_statistics(dataset_id)
        if kept is not None:
            return kept
        payload = {"dataset_dir": self._dir(dataset_id), "tokenizer_dir": self._tokenizer_dir()}
        finished = self._run_job(["measure-data"], payload, on_event, cancel)
        return read_result(DatasetStatistics, finished.result)

    def kept_statistics(self, dataset_id: str) -> DatasetStatistics | None:
        """The figures that were measured before; None when there are none that can be read."""
        return read_kept(DatasetStatistics, Path(self._dir(dataset_id)) / STATISTICS_FILE)

    def order_for_labelling(
        self, dataset_id: str, cancel: threading.Event | None = None, limit: int = 1000
    ) -> LabelOrder:
        """Which rows to label first; labels of an unsaved draft count. Blocking."""
        column = label_column(version_of(self._repository, dataset_id))
        draft = draft_path(self._paths.drafts, dataset_id)
        payload = {
            "dataset_dir": self._dir(dataset_id), "column": column, "limit": limit,
            "draft_path": str(draft) if draft.is_file() else None,
        }  # fmt: skip
        result = self._run_job(["order-labels"], payload, None, cancel).result
        try:
            return LabelOrder(tuple(map(int, result["rows"])), str(result["basis"]), int(result["labelled"]))
        except (KeyError, TypeError, ValueError) as problem:
            raise unreadable() from problem

    def check_no_draft(self, version: DatasetVersion) -> None:
        """Raise StudioError ``draft.pending`` when the version has edits that would be left behind."""
        pending = pending_in(draft_path(self._paths.drafts, version.id))
        if pending:
            raise StudioError(
                "draft.pending",
                ngettext(
                    "“{name}” has unsaved changes in {n} row.",
                    "“{name}” has unsaved changes in {n} rows.", pending,
                ).format(name=version.name, n=pending),
                _("Save them as a version, or throw them away, then try again: in the window, or by {command}").format(
                    command=f"studio data draft {version.id}"
                ),
            )  # fmt: skip

    def _check_newest(self, version: DatasetVersion) -> None:
        if self.newest(version.id).id != version.id:
            raise StudioError(
                "version.not_newest", _("“{name}” has a newer version by now.").format(name=version.name),
                _("Change the newest version, or go back to this one first."),
            )  # fmt: skip

    def _dir(self, dataset_id: str) -> str:
        return str(self._paths.dataset(version_of(self._repository, dataset_id).id))


def label_column(version: DatasetVersion) -> str:
    """The column that labels stand in. Raises StudioError ``label.no_column`` for a shape without one."""
    for name in ("label", "labels"):
        if name in SHAPES[version.shape].stored:
            return name
    raise StudioError("label.no_column", _("The rows of “{name}” have no labels.").format(name=version.name))


def _check_place(made: DatasetVersion, parent: DatasetVersion, number: int) -> None:
    if (made.family_id, made.parent_id, made.number) != (parent.family_id, parent.id, number):
        raise unreadable()


def _is_unchanged(made: DatasetVersion, parent: DatasetVersion) -> bool:
    """No step touched a row or the weights of the classes."""
    touched = any(each.changed or each.added or each.removed for each in made.made_by)
    return not touched and made.class_weights == parent.class_weights


def _bytes(path: Path) -> int:
    return path.stat().st_size if path.is_file() else 0
