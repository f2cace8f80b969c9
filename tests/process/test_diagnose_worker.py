"""The data doctor as a real child process: a report that appears whole, progress in rows, dropped within a second."""

from __future__ import annotations

import random
import signal
import subprocess
from pathlib import Path

import pytest

from studio.domain.findings import DoctorReport
from studio.domain.recipes import FindingKind
from studio.domain.shapes import Shape
from studio.protocol.codec import decode_event
from studio.protocol.events import Cancelled, Failed, Finished, Progress
from tests.helpers.spent import WorkAfter
from tests.process.test_import_worker import WAIT_S, end, events_of, launch
from tests.unit.ingest.doctor.helpers import make_dataset

WORDS = [f"word{number}" for number in range(500)]


@pytest.fixture(scope="module")
def big_dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Long enough to be interrupted in any of its phases."""
    rng = random.Random(0)
    rows = [
        {
            "text": f"{' '.join(rng.choices(WORDS, k=12))} call 138{rng.randrange(10**8):08d} or a{row}@shop.org",
            "split": rng.choice(["train", "test"]),
        }  # numbers and addresses are what examining takes longest for
        for row in range(60_000)
    ]
    return make_dataset(tmp_path_factory.mktemp("big") / "d1", Shape.TEXT, rows)


def test_the_report_is_the_result_and_a_file(tmp_path: Path) -> None:
    rows = [{"text": "<p>twice</p>"}, {"text": "<p>twice</p>"}, {"text": "once and never again"}]
    folder = make_dataset(tmp_path / "d1", Shape.TEXT, rows)
    child = launch("diagnose", {"dataset_dir": str(folder), "spec": {"max_tokens": 9}})
    try:
        events = events_of(child)
        assert child.wait(WAIT_S) == 0
    finally:
        end(child)
    last = events[-1]
    assert isinstance(last, Finished)
    report = DoctorReport.model_validate(last.result)
    assert report == DoctorReport.model_validate_json((folder / "doctor.json").read_bytes())
    assert [finding.kind for finding in report.findings] == [
        FindingKind.MARKUP,
        FindingKind.TOO_LONG,
        FindingKind.EXACT_DUPLICATES,
    ]
    assert (report.dataset_id, report.rows, report.spec.max_tokens) == ("d1", 3, 9)
    assert not [item.name for item in folder.iterdir() if item.name.startswith(".")]


def test_no_dataset_is_one_failed_event(tmp_path: Path) -> None:
    child = launch("diagnose", {"dataset_dir": str(tmp_path)})
    try:
        events = events_of(child)
        assert child.wait(WAIT_S) == 1
    finally:
        end(child)
    assert isinstance(events[-1], Failed)
    assert events[-1].code == "import.broken"


@pytest.mark.parametrize(
    ("phase", "way"),
    [
        ("examining_rows", "cancel"),
        ("measuring_likeness", "terminate"),
        *(
            pytest.param(phase, way, marks=pytest.mark.slow)
            for phase, way in [
                ("examining_rows", "eof"),
                ("examining_rows", "terminate"),
                ("measuring_likeness", "cancel"),
                ("measuring_likeness", "eof"),
            ]
        ),
    ],
)
def test_dropped_within_a_second(way: str, phase: str, big_dataset: Path) -> None:
    (big_dataset / "doctor.json").unlink(missing_ok=True)  # of a case that was not dropped in time
    checks = ["markup", "private_data"] if phase == "examining_rows" else ["near_duplicates"]
    child = launch("diagnose", {"dataset_dir": str(big_dataset), "spec": {"checks": checks}})
    try:
        progress = until_progress(child, phase)
        assert progress.unit == "rows"
        assert progress.total == 60_000
        assert progress.rate
        assert progress.eta_s is not None
        work = WorkAfter(child)
        drop(child, way)
        last = events_of(child)[-1]
        work.end()
        child.wait(WAIT_S)
    finally:
        end(child)
    assert isinstance(last, Failed if way == "terminate" else Cancelled)
    assert work.seconds() < 1.0
    assert not (big_dataset / "doctor.json").exists()


def until_progress(child: subprocess.Popen[str], phase: str) -> Progress:
    assert child.stdout
    for line in child.stdout:
        event = decode_event(line)
        if isinstance(event, Progress) and event.phase == phase:
            return event
    raise AssertionError("the worker ended before it looked at anything")


def drop(child: subprocess.Popen[str], way: str) -> None:
    assert child.stdin
    if way == "cancel":
        child.stdin.write('{"type": "cancel"}\n')
        child.stdin.flush()
    elif way == "eof":
        child.stdin.close()
    else:
        child.send_signal(signal.SIGTERM)
