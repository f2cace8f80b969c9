"""The data workers as the command line sees them: what they were asked, and believable results."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from studio.domain.datasets import DatasetVersion
from studio.domain.findings import DoctorReport, DoctorSpec, Example, Finding, FixOption, Severity
from studio.domain.recipes import FindingKind, FixAction
from studio.protocol.events import Finished, Log, Phase
from tests.unit.services.version_fakes import worked

PREVIEW = {
    "changed": 3, "added": 0, "removed": 1,
    "examples": [
        {"row": 4, "column": "prompt", "before": "call 138", "after": "call [PHONE]"},
        {"row": 5, "column": "prompt", "before": "gone", "after": None},
    ],
}  # fmt: skip
DIFF = {
    "added": 1, "removed": 0, "changed": 1, "moved": 2,
    "rows": [
        {"row": 1, "before": {"prompt": "a", "response": "same"}, "after": {"prompt": "b", "response": "same"}},
        {"row": 9, "before": None, "after": {"prompt": "new", "response": "row"}},
    ],
}  # fmt: skip


class DataJobs:
    """Stands in for run_job; ``asked`` are (verb, payload) pairs."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.findings = [
            _finding(FindingKind.PRIVATE_DATA, FixAction.MASK, FixAction.REPLACE),
            _finding(FindingKind.EXACT_DUPLICATES, FixAction.KEEP_FIRST),
            _finding(FindingKind.UNSAFE_WORDS),
        ]

    def __call__(
        self, args: Any, payload: Any = None, on_event: Any = None, cancel: Any = None, timeout_s: Any = None
    ) -> Finished:
        verb = args[0]
        self.asked.append((verb, payload))
        if on_event is not None:
            on_event(Phase(name="scanning"))
        return Finished(result=getattr(self, verb.replace("-", "_") + "_result")(payload, on_event))

    def verbs(self) -> list[str]:
        return [verb for verb, _payload in self.asked]

    def preview_source_result(self, _payload: Any, _on_event: Any) -> Any:
        return {
            "format": "csv", "encoding": "utf-8", "delimiter": ",", "columns": [], "rows": [], "roles": {},
            "shape": "prompt-response", "reason": "r", "members": [], "skipped": ["notes.doc: an old format"],
        }  # fmt: skip

    def import_result(self, payload: Any, _on_event: Any) -> Any:
        return worked(payload)

    def derive_result(self, payload: Any, _on_event: Any) -> Any:
        return worked(payload)

    def try_step_result(self, _payload: Any, _on_event: Any) -> Any:
        return PREVIEW

    def compare_versions_result(self, _payload: Any, _on_event: Any) -> Any:
        return DIFF

    def measure_data_result(self, _payload: Any, _on_event: Any) -> Any:
        lengths = {
            "column": "prompt",
            "unit": "tokens",
            "edges": [0, 9],
            "counts": [10],
            "p50": 4,
            "p95": 8,
            "longest": 9,
        }
        return {
            "dataset_id": "x",
            "rows": 10,
            "splits": {},
            "lengths": [lengths, {**lengths, "column": "", "unit": "characters"}],
            "labels": {"good": {"train": 7}, "": {"train": 3}},
            "languages": {"zh": 0.7, "en": 0.3},
        }

    def export_data_result(self, payload: Any, _on_event: Any) -> Any:
        Path(payload["out"]).write_text("a,b\n")
        return {"path": payload["out"], "rows": 10, "size_bytes": 4}

    def fetch_dataset_result(self, payload: Any, on_event: Any) -> Any:
        on_event(Log(level="info", message="outbound hub.example"))
        folder = Path(payload["out_dir"])
        folder.mkdir(parents=True)
        return {"path": str(folder), "licence": "mit", "files": []}

    def diagnose_result(self, payload: Any, _on_event: Any) -> Any:
        folder = Path(payload["dataset_dir"])
        version = DatasetVersion.model_validate_json((folder / "manifest.json").read_bytes())
        spec = DoctorSpec.model_validate(payload["spec"])
        found = [each for each in self.findings if not spec.checks or each.kind in spec.checks]
        report = DoctorReport(
            dataset_id=version.id, content_sha256=version.content_sha256, rows=10, findings=found,
            checked=list(spec.checks or FindingKind), spec=spec, seconds=0.1,
        )  # fmt: skip
        (folder / "doctor.json").write_text(report.model_dump_json())
        return report.model_dump(mode="json")


def _finding(kind: FindingKind, *actions: FixAction) -> Finding:
    return Finding(
        kind=kind, severity=Severity.WARNING, rows=3, of=10,
        examples=[Example(row=4, column="prompt", before=f"an example of {kind.value}", after=None)],
        fixes=[FixOption(action=action, rows_changed=3, rows_removed=0) for action in actions],
    )  # fmt: skip
