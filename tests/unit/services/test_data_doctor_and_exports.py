"""The doctor's report is about the rows it saw; exports and cards start from the version that is asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from studio.domain.datasets import DatasetVersion, SourceRecord, Split
from studio.domain.findings import DoctorReport, DoctorSpec, Finding, FixOption, Severity
from studio.domain.recipes import FindingKind, FixAction, FixStep
from studio.domain.shapes import Shape
from studio.domain.statistics import DatasetStatistics
from studio.errors import ResourceError, StudioError
from studio.services.changes import Changes
from studio.services.data_doctor import DataDoctorService, fix_step
from studio.services.data_exports import DataExportService, format_for
from studio.services.data_versions import DataVersionService
from studio.services.ports import DatasetFacts
from tests.helpers import builders
from tests.unit.services.conftest import FakeJobs, Studio
from tests.unit.services.version_fakes import worked

SPEC = DoctorSpec(tokenizer_dir="/tok", min_tokens=3, max_tokens=99, similarity=0.9)


def finding(kind: FindingKind, *actions: FixAction) -> Finding:
    fixes = [FixOption(action=action, rows_changed=1, rows_removed=0) for action in actions]
    return Finding(kind=kind, severity=Severity.WARNING, rows=3, of=10, fixes=fixes)


def report_of(version: DatasetVersion) -> DoctorReport:
    found = [
        finding(FindingKind.PRIVATE_DATA, FixAction.MASK, FixAction.REPLACE),
        finding(FindingKind.TOO_LONG, FixAction.CUT),
        finding(FindingKind.UNSAFE_WORDS),
        finding(FindingKind.NEAR_DUPLICATES, FixAction.KEEP_FIRST),
    ]
    return DoctorReport(
        dataset_id=version.id, content_sha256=version.content_sha256, rows=10, findings=found,
        checked=list(FindingKind), spec=SPEC, seconds=0.1,
    )  # fmt: skip


@pytest.fixture
def version(studio: Studio) -> DatasetVersion:
    data = studio.data()
    (studio.paths.dataset(data.id) / "manifest.json").write_text(data.model_dump_json())
    return data


@pytest.fixture
def versions(studio: Studio, jobs: FakeJobs) -> DataVersionService:
    return DataVersionService(studio.datasets, studio.paths, studio.changes, jobs)


@pytest.fixture
def doctor(studio: Studio, versions: DataVersionService, jobs: FakeJobs) -> DataDoctorService:
    return DataDoctorService(studio.datasets, studio.paths, studio.changes, jobs, versions, lambda: "/tok")


@pytest.fixture
def cards() -> list[DatasetFacts]:
    return []


@pytest.fixture
def exports(
    studio: Studio,
    versions: DataVersionService,
    doctor: DataDoctorService,
    jobs: FakeJobs,
    cards: list[DatasetFacts],
) -> DataExportService:
    def write(facts: DatasetFacts) -> str:
        cards.append(facts)
        return "# card"

    return DataExportService(studio.datasets, studio.paths, jobs, versions, doctor, write)


def test_an_examination_is_asked_of_the_worker_and_told(
    studio: Studio, doctor: DataDoctorService, version: DatasetVersion, jobs: FakeJobs
) -> None:
    report = report_of(version)
    jobs.result = report.model_dump(mode="json")
    assert doctor.examine(version.id) == report
    args, payload = jobs.asked[0]
    assert args == ["diagnose"]
    assert payload["spec"]["tokenizer_dir"] == "/tok"
    assert payload["dataset_dir"] == str(studio.paths.dataset(version.id))
    doctor.examine(version.id, DoctorSpec(checks=(FindingKind.TOO_LONG,)))
    assert jobs.asked[1][1]["spec"]["checks"] == ["too_long"]
    assert studio.heard == [Changes.DATASETS] * 2


def test_a_kept_report_counts_for_these_rows_only(
    studio: Studio, doctor: DataDoctorService, version: DatasetVersion
) -> None:
    path = studio.paths.dataset(version.id) / "doctor.json"
    assert doctor.report(version.id) is None
    report = report_of(version)
    path.write_text(report.model_dump_json())
    assert doctor.report(version.id) == report
    path.write_text(report.model_copy(update={"content_sha256": "f" * 64}).model_dump_json())
    assert doctor.report(version.id) is None
    path.write_text(report.model_dump_json()[:100])
    assert doctor.report(version.id) is None


def test_advice_is_the_first_fix_by_the_limits_of_the_report(
    doctor: DataDoctorService, version: DatasetVersion
) -> None:
    assert doctor.advised(report_of(version)) == [
        FixStep(finding=FindingKind.PRIVATE_DATA, action=FixAction.MASK),
        FixStep(finding=FindingKind.TOO_LONG, action=FixAction.CUT, max_tokens=99, tokenizer_dir="/tok"),
        FixStep(finding=FindingKind.NEAR_DUPLICATES, action=FixAction.KEEP_FIRST, similarity=0.9),
    ]


def test_a_fix_must_be_one_of_the_findings(version: DatasetVersion) -> None:
    report = report_of(version)
    assert fix_step(report, FindingKind.PRIVATE_DATA, FixAction.REPLACE).action is FixAction.REPLACE
    for kind, action, code in (
        (FindingKind.MARKUP, None, "doctor.not_found"),
        (FindingKind.UNSAFE_WORDS, None, "doctor.no_such_fix"),
        (FindingKind.TOO_LONG, FixAction.MASK, "doctor.no_such_fix"),
    ):
        with pytest.raises(StudioError) as caught:
            fix_step(report, kind, action)
        assert caught.value.code == code


def test_fixes_are_applied_in_the_order_of_the_findings(
    doctor: DataDoctorService, version: DatasetVersion, jobs: FakeJobs
) -> None:
    jobs.effect = worked
    made = doctor.fix(version.id, doctor.advised(report_of(version)))
    kinds = [step["finding"] for step in jobs.asked[0][1]["steps"]]
    assert kinds == ["too_long", "near_duplicates", "private_data"]
    assert (made.number, len(made.made_by)) == (2, 3)


def test_an_export_is_a_file_that_the_worker_writes(
    exports: DataExportService, version: DatasetVersion, jobs: FakeJobs, tmp_path: Path
) -> None:
    out = tmp_path / "out.csv"
    jobs.result = {"path": str(out), "rows": 3, "size_bytes": 9}
    assert exports.export(version.id, "csv", out, [Split.TEST]) == out
    args, payload = jobs.asked[0]
    assert args == ["export-data"]
    assert (payload["format"], payload["out"], payload["splits"]) == ("csv", str(out), ["test"])
    exports.export(version.id, "xlsx", out)
    assert jobs.asked[1][1]["splits"] is None


@pytest.mark.parametrize(
    ("shape", "name", "format"),
    [
        (Shape.IMAGE_LABEL, "pics.zip", "csv"), (Shape.IMAGE_LABEL, "Pics.ZIP", "csv"),
        (Shape.AUDIO_LABEL, "calls", "csv"), (Shape.IMAGE_LABEL, "pics.jsonl", "jsonl"),
        (Shape.IMAGE_LABEL, "pics.doc", "doc"), (Shape.TEXT, "texts.zip", "zip"), (Shape.TEXT, "texts.csv", "csv"),
    ],
)  # fmt: skip
def test_the_name_of_a_file_says_its_format(shape: Shape, name: str, format: str) -> None:
    assert format_for(Path("there") / name, builders.dataset(shape=shape)) == format


@pytest.mark.parametrize("member", ["", "2026/orders.csv"])
def test_an_export_never_replaces_what_data_was_imported_from(
    studio: Studio,
    exports: DataExportService,
    version: DatasetVersion,
    jobs: FakeJobs,
    tmp_path: Path,
    member: str,
) -> None:
    source = tmp_path / "given" / "original.csv" if not member else tmp_path / "given"
    original = source / member
    original.parent.mkdir(parents=True)
    original.write_text("mine")
    record = SourceRecord(path=str(source), member=member, format="csv", size_bytes=4, sha256="0" * 64)
    studio.datasets.add(builders.dataset(id="other", sources=[record]))
    link = tmp_path / "link.csv"
    link.symlink_to(original)
    for out in (original, original.parent / ".." / original.parent.name / original.name, link):
        with pytest.raises(StudioError) as caught:
            exports.export(version.id, "csv", out)
        assert caught.value.code == "export.is_source"
    exports.export(version.id, "csv", original.with_name("other.csv"))  # beside it is fine


def test_an_export_that_cannot_be_is_refused_before_any_work(
    exports: DataExportService, version: DatasetVersion, jobs: FakeJobs, tmp_path: Path, monkeypatch: Any
) -> None:
    for format_, out, code in (
        ("doc", tmp_path / "x.doc", "export.unknown_format"),
        ("csv", tmp_path, "export.is_folder"),
        ("csv", tmp_path / "none" / "x.csv", "export.no_folder"),
    ):
        with pytest.raises(StudioError) as caught:
            exports.export(version.id, format_, out)
        assert caught.value.code == code
    monkeypatch.setattr("studio.services.data_exports._SPACE_FACTOR", 10**18)
    with pytest.raises(ResourceError):
        exports.export(version.id, "csv", tmp_path / "x.csv")
    assert jobs.asked == []


def test_a_card_is_written_from_what_is_known(
    studio: Studio, exports: DataExportService, version: DatasetVersion, versions: DataVersionService,
    jobs: FakeJobs, cards: list[DatasetFacts],
) -> None:  # fmt: skip
    assert exports.card(version.id) == "# card"
    assert cards == [DatasetFacts(version, (version,), None, None)]
    jobs.effect = worked
    second = versions.derive(version.id, [FixStep(finding=FindingKind.MARKUP, action=FixAction.STRIP)])
    folder = studio.paths.dataset(second.id)
    figures = DatasetStatistics(dataset_id=second.id, rows=10, splits={})
    (folder / "statistics.json").write_text(figures.model_dump_json())
    report = report_of(second)
    (folder / "doctor.json").write_text(report.model_dump_json())
    exports.card(second.id)
    assert cards[1] == DatasetFacts(second, (version, second), figures, report)
