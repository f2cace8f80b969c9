"""Jobs on data as a page sees them: previews, an examination, fixes, a fetch; quick, and held back on demand."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from studio.domain.datasets import DatasetVersion, ImportSpec, SourcePreview
from studio.domain.findings import DoctorReport, DoctorSpec, Example, Finding, FixOption, Severity
from studio.domain.recipes import AnyStep, FindingKind, FixAction, StepOutcome
from studio.domain.shapes import ColumnRole, Shape
from studio.domain.statistics import DatasetStatistics
from studio.errors import StudioError
from studio.protocol.events import Event, Finished, Phase, Progress
from studio.services.children import JobCancelled
from tests.helpers.matrix_data import CsvJob, Workspace

_steps: TypeAdapter[list[AnyStep]] = TypeAdapter(list[AnyStep])
_ROLES = {
    Shape.TEXT: (ColumnRole.TEXT,), Shape.TEXT_LABEL: (ColumnRole.TEXT, ColumnRole.LABEL),
    Shape.TEXT_NUMBER: (ColumnRole.TEXT,), Shape.RATINGS: (ColumnRole.USER, ColumnRole.ITEM, ColumnRole.RATING),
}  # fmt: skip
Hear = Callable[[Event], None]


class DataJob(CsvJob):
    """``gate`` holds imports, examinations and fixes back; ``problem`` makes examinations and fixes fail."""

    def __init__(self, workspace: Workspace) -> None:
        super().__init__()
        self._workspace = workspace
        self.findings: list[Finding] = findings()
        self.problem: StudioError | None = None
        self.preview_problem: StudioError | None = None
        self.previews: list[ImportSpec] = []
        self.members: list[str] = []
        self.skipped: list[str] = []
        self.steps: list[AnyStep] = []
        self.examined = 0
        self.fetched: list[dict[str, Any]] = []

    def __call__(
        self,
        args: Sequence[str],
        payload: Any = None,
        on_event: Hear | None = None,
        cancel: threading.Event | None = None,
        timeout_s: float | None = None,
    ) -> Finished:
        work = {
            "preview-source": self._preview, "diagnose": self._diagnose, "derive": self._derive,
            "fetch-dataset": self._fetch, "measure-data": self._measure,
        }.get(args[0])  # fmt: skip
        if work is None:
            return super().__call__(args, payload, on_event, cancel, timeout_s)
        return Finished(result=work(payload, on_event or (lambda _event: None), cancel))

    def _preview(self, payload: Any, hear: Hear, cancel: threading.Event | None) -> dict[str, Any]:
        spec = ImportSpec.model_validate(payload["spec"])
        self.previews.append(spec)
        if self.preview_problem is not None:
            raise self.preview_problem
        preview = SourcePreview.model_validate(super().__call__(["preview-source"], payload).result)
        changes: dict[str, Any] = {"members": self.members, "skipped": self.skipped}
        if spec.shape is not None and spec.shape in _ROLES:
            roles = dict(zip(preview.columns, _ROLES[spec.shape], strict=False))
            changes |= {"shape": spec.shape, "reason": "Chosen by you.", "roles": roles}
        return preview.model_copy(update=changes).model_dump(mode="json")

    def _diagnose(self, payload: Any, hear: Hear, cancel: threading.Event | None) -> dict[str, Any]:
        self.examined += 1
        hear(Progress(phase="examining", done=400, total=1_000, rate=200.0, eta_s=3))
        self._wait(cancel)
        folder = Path(payload["dataset_dir"])
        version = self._workspace.dataset_store.stored[folder.name]
        report = DoctorReport(
            dataset_id=version.id, content_sha256=version.content_sha256, rows=version.rows, findings=self.findings,
            checked=list(FindingKind), spec=DoctorSpec.model_validate(payload["spec"]), seconds=0.1,
        )  # fmt: skip
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "doctor.json").write_text(report.model_dump_json(), encoding="utf-8")
        return report.model_dump(mode="json")

    def _measure(self, payload: Any, hear: Hear, cancel: threading.Event | None) -> dict[str, Any]:
        version = self._workspace.dataset_store.stored[Path(payload["dataset_dir"]).name]
        splits = {split.value: rows for split, rows in version.splits.items()}
        return DatasetStatistics(dataset_id=version.id, rows=version.rows, splits=splits).model_dump(
            mode="json"
        )

    def _derive(self, payload: Any, hear: Hear, cancel: threading.Event | None) -> dict[str, Any]:
        hear(Phase(name="writing"))
        self._wait(cancel)
        parent = self._workspace.dataset_store.stored[Path(payload["parent_dir"]).name]
        self.steps = _steps.validate_json(json.dumps(payload["steps"]))
        outcomes = [
            StepOutcome(step=step, rows_before=parent.rows, rows_after=parent.rows - 5, removed=5)
            for step in self.steps
        ]
        changes = {
            "id": payload["dataset_id"], "number": payload["number"], "note": payload["note"],
            "parent_id": parent.id, "made_by": outcomes, "rows": parent.rows - 5,
            "content_sha256": payload["dataset_id"].ljust(64, "0"),
        }  # fmt: skip
        return parent.model_copy(update=changes).model_dump(mode="json")

    def _fetch(self, payload: Any, hear: Hear, cancel: threading.Event | None) -> dict[str, Any]:
        self.fetched.append(payload)
        hear(Phase(name="fetching"))
        hear(Progress(phase="fetching", done=10**6, total=4 * 10**6, unit="bytes", rate=10**6, eta_s=3))
        self._wait(cancel)
        path = Path(payload["out_dir"])
        path.mkdir(parents=True, exist_ok=True)
        (path / "rows.csv").write_text("question,answer\na,b\n", encoding="utf-8")
        return {"path": str(path / "rows.csv"), "licence": "CC-BY-4.0", "files": ["rows.csv"]}

    def _wait(self, cancel: threading.Event | None) -> None:
        patience = time.monotonic() + 10  # a failing test must not hang the run
        while self.gate is not None and not self.gate.wait(0.005) and time.monotonic() < patience:
            if cancel is not None and cancel.is_set():
                raise JobCancelled
        if self.problem is not None:
            raise self.problem


def findings() -> list[Finding]:
    """A note, a warning and a problem, in no order."""
    return [
        Finding(
            kind=FindingKind.MARKUP, severity=Severity.WARNING, rows=40, of=1_000,
            examples=[Example(row=3, column="response", before="<b>Yes</b>, of course", after="Yes, of course")],
            fixes=[FixOption(action=FixAction.STRIP, rows_changed=40, rows_removed=0)],
        ),
        Finding(
            kind=FindingKind.EXACT_DUPLICATES, severity=Severity.WARNING, rows=174, of=1_000,
            examples=[Example(row=812, column="prompt", before="Where is it?", after=None, note="Same as row 1")],
            fixes=[FixOption(action=FixAction.KEEP_FIRST, rows_changed=0, rows_removed=174)],
            details={"groups": 80},
        ),
        Finding(
            kind=FindingKind.PRIVATE_DATA, severity=Severity.PROBLEM, rows=12, of=1_000,
            examples=[
                Example(
                    row=9, column="prompt", before="Call me on 13812345678 today", after="Call me on [PHONE] today"
                )
            ],
            fixes=[
                FixOption(action=FixAction.MASK, rows_changed=12, rows_removed=0),
                FixOption(action=FixAction.REPLACE, rows_changed=12, rows_removed=0),
                FixOption(action=FixAction.REMOVE, rows_changed=0, rows_removed=12),
            ],
            details={"kinds": {"phone": 9, "email": 3}},
        ),
    ]  # fmt: skip


class DataWorkspace(Workspace):
    """A workspace whose data jobs can be steered."""

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self.data_job = DataJob(self)
        self.job = self.data_job
        self.use_job(self.data_job)


def only(versions: Sequence[DatasetVersion]) -> DatasetVersion:
    """The one version there is."""
    (version,) = versions
    return version
