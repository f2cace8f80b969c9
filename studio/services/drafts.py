"""Edits of one dataset version before they become the next: found again after a crash, saved, or thrown away."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path

from studio.domain.datasets import DatasetVersion
from studio.domain.ids import new_id
from studio.domain.recipes import EditStep
from studio.errors import StudioError
from studio.i18n import _
from studio.paths import WorkspacePaths
from studio.protocol.events import Event
from studio.services.changes import ChangeBus, Changes
from studio.services.data_versions import DataVersionService
from studio.services.draft import Draft as Draft
from studio.services.draft import draft_path, pending_in
from studio.services.draft_journal import Journal
from studio.services.files import write_atomically

INLINE_BYTES = 64 * 1024  # edits beyond this travel as a file, so that no stored record carries them all


class DraftService:
    """The drafts of a workspace; each version has at most one, which lives in one journal."""

    def __init__(self, versions: DataVersionService, paths: WorkspacePaths, changes: ChangeBus) -> None:
        self._versions = versions
        self._paths = paths
        self._changes = changes
        self._lock = threading.Lock()
        self._open: dict[str, Draft] = {}

    def open(self, dataset_id: str) -> Draft:
        """The draft of this version, as it was left; the same object while it is open. Raises NotFoundError."""
        with self._lock:
            if dataset_id not in self._open:
                self._versions.versions(dataset_id)  # refuses an id that is none
                self._open[dataset_id] = Draft(Journal(self._path(dataset_id)))
            return self._open[dataset_id]

    def pending(self, dataset_id: str) -> int:
        """Rows that the draft of this version would change, add or remove."""
        with self._lock:
            draft = self._open.get(dataset_id)
        if draft is not None:
            return draft.count
        return pending_in(self._path(dataset_id))

    def discard(self, dataset_id: str) -> Changes:
        """Throw the draft of this version away."""
        with self._lock:
            draft = self._open.pop(dataset_id, None)
        if draft is not None:
            draft.close()
        self._path(dataset_id).unlink(missing_ok=True)
        return self._changes.publish(Changes.DATASETS)

    def save(
        self,
        dataset_id: str,
        note: str = "",
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> DatasetVersion:
        """Make a version of the draft, which is then done with; it must not be changed meanwhile. Blocking.

        When the data has a newer version by now, the edits are put on top of that. Raises StudioError
        ``draft.empty`` and as DataVersionService.derive does; the draft stays then.
        """
        draft = self.open(dataset_id)
        if not draft.count:
            raise StudioError("draft.empty", _("There are no changes to save."))
        draft.sync()
        step = draft.step()
        file = self._as_file(dataset_id, step)
        try:
            parent = self._versions.newest(dataset_id)
            sent = EditStep(edits_file=str(file)) if file else step
            made = self._versions.derive(parent.id, [sent], note, on_event, cancel, with_draft=True)
        finally:
            if file:
                file.unlink(missing_ok=True)
        self.discard(dataset_id)
        return made

    def close(self) -> None:
        """Make all drafts durable and let go of their journals."""
        with self._lock:
            drafts, self._open = list(self._open.values()), {}
        for draft in drafts:
            draft.close()

    def _as_file(self, dataset_id: str, step: EditStep) -> Path | None:
        edits = json.dumps(step.model_dump(mode="json", include={"cells", "added", "removed"}))
        if len(edits) <= INLINE_BYTES:
            return None
        path = self._paths.drafts / f"{dataset_id}-{new_id(6)}.edits.json"
        write_atomically(path, edits)
        return path

    def _path(self, dataset_id: str) -> Path:
        return draft_path(self._paths.drafts, dataset_id)
