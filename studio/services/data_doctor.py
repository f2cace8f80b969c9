"""The data doctor as the window and the command line use it: examine a version, keep the report, fix what it found."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from studio.domain.datasets import DatasetVersion
from studio.domain.findings import DoctorReport, DoctorSpec, Finding
from studio.domain.recipes import FindingKind, FixAction, FixStep
from studio.errors import StudioError
from studio.i18n import _
from studio.paths import WorkspacePaths
from studio.protocol.events import Event
from studio.services.changes import ChangeBus, Changes
from studio.services.data_results import read_kept, read_result, version_of
from studio.services.data_versions import DataVersionService
from studio.services.ports import DatasetRepository, RunJob
from studio.words import listed

REPORT_FILE = "doctor.json"
_ORDER = {kind: place for place, kind in enumerate(FindingKind)}


class DataDoctorService:
    """Examines dataset versions. ``tokenizer_dir`` gives the folder that lengths are counted with, if any."""

    def __init__(
        self,
        repository: DatasetRepository,
        paths: WorkspacePaths,
        changes: ChangeBus,
        run_job: RunJob,
        versions: DataVersionService,
        tokenizer_dir: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._repository = repository
        self._paths = paths
        self._changes = changes
        self._run_job = run_job
        self._versions = versions
        self._tokenizer_dir = tokenizer_dir

    def report(self, dataset_id: str) -> DoctorReport | None:
        """The kept report of this version; None when there is none, or when it is about other rows."""
        version = version_of(self._repository, dataset_id)
        found = read_kept(DoctorReport, self._paths.dataset(version.id) / REPORT_FILE)
        return found if found is not None and found.content_sha256 == version.content_sha256 else None

    def default_spec(self) -> DoctorSpec:
        """What the doctor looks for when nobody says anything else."""
        return DoctorSpec(tokenizer_dir=self._tokenizer_dir())

    def examine(
        self,
        dataset_id: str,
        spec: DoctorSpec | None = None,
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> DoctorReport:
        """Look at every row; the report is kept beside the rows. Blocking; raises StudioError, JobCancelled."""
        version = version_of(self._repository, dataset_id)
        payload = {
            "dataset_dir": str(self._paths.dataset(version.id)),
            "spec": (spec or self.default_spec()).model_dump(mode="json"),
        }
        report = read_result(DoctorReport, self._run_job(["diagnose"], payload, on_event, cancel).result)
        self._changes.publish(Changes.DATASETS)
        return report

    def fix(
        self,
        dataset_id: str,
        steps: Sequence[FixStep],
        on_event: Callable[[Event], None] | None = None,
        cancel: threading.Event | None = None,
        note: str = "",
    ) -> DatasetVersion:
        """A new version with these fixes, applied in the order of the kinds of finding. Blocking."""
        ordered = sorted(steps, key=lambda step: _ORDER[step.finding])
        return self._versions.derive(dataset_id, ordered, note, on_event, cancel)

    def advised(self, report: DoctorReport) -> list[FixStep]:
        """The first fix of every finding that is more than a note."""
        return [fix_step(report, found.kind) for found in report.findings if found.is_advised]


def fix_step(report: DoctorReport, kind: FindingKind, action: FixAction | None = None) -> FixStep:
    """A fix of a finding by the limits that it was found by; action None: the one advised.

    Raises StudioError ``doctor.not_found`` when the report has no such finding, ``doctor.no_such_fix``.
    """
    found = next((finding for finding in report.findings if finding.kind is kind), None)
    if found is None:
        raise StudioError(
            "doctor.not_found", _("The doctor did not find “{finding}” in this data.").format(finding=kind.value),
            _("Examine the data again, or choose one of the findings listed."),
        )  # fmt: skip
    return _step(report.spec, kind, _action(found, action))


def _action(found: Finding, wanted: FixAction | None) -> FixAction:
    actions = [option.action for option in found.fixes]
    if wanted is None and actions:
        return actions[0]
    if wanted is None or wanted not in actions:
        raise StudioError(
            "doctor.no_such_fix", _("“{finding}” cannot be fixed in this way.").format(finding=found.kind.value),
            _("Ways to fix it: {names}").format(names=listed(actions) or "–"),
        )  # fmt: skip
    return wanted


def _step(spec: DoctorSpec, kind: FindingKind, action: FixAction) -> FixStep:
    similar = kind in (FindingKind.NEAR_DUPLICATES, FindingKind.SPLIT_LEAKAGE)
    short, long = kind is FindingKind.TOO_SHORT, kind is FindingKind.TOO_LONG
    return FixStep(
        finding=kind, action=action, similarity=spec.similarity if similar else None,
        min_tokens=spec.min_tokens if short else None, max_tokens=spec.max_tokens if long else None,
        tokenizer_dir=spec.tokenizer_dir if short or long else None,
    )  # fmt: skip
