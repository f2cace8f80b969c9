"""Pieces of a slow check are small, those of a quick one grow, and what is found does not depend on them."""

from __future__ import annotations

import time
from pathlib import Path

import polars as pl
import pytest

from studio.domain.findings import DoctorSpec
from studio.domain.recipes import FindingKind
from studio.domain.shapes import Shape
from studio.ingest.doctor import view as view_module
from studio.ingest.doctor.checks.too_short import TooShort
from studio.ingest.doctor.examine import Doctor
from studio.ingest.doctor.rules import Hits
from studio.ingest.doctor.view import FIRST_ROWS, PORTION_ROWS, DatasetView, Pace
from tests.unit.ingest.doctor.helpers import make_dataset

ROWS = [{"text": "ok" if row % 3 else f"a text that is long enough, number {row}"} for row in range(600)]


def sizes(seconds_a_row: float, rows: int, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Of the pieces, by a clock that goes on by what the check takes."""
    now = [0.0]
    monkeypatch.setattr(view_module.time, "monotonic", lambda: now[0])
    found = []
    for piece in Pace().pieces(pl.DataFrame({"row": range(rows)})):
        found.append(piece.height)
        now[0] += piece.height * seconds_a_row
    return found


def test_a_slow_check_gets_as_many_rows_as_it_can_look_at_in_a_tenth_of_a_second(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = sizes(0.01, 100, monkeypatch)
    assert found[:3] == [FIRST_ROWS, 10, 10]
    assert sum(found) == 100


def test_a_quick_check_soon_gets_whole_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    found = sizes(1e-7, 20_000, monkeypatch)
    assert found[:3] == [FIRST_ROWS, 2 * FIRST_ROWS, 4 * FIRST_ROWS]
    assert max(found) == PORTION_ROWS
    assert sum(found) == 20_000


def test_what_is_found_does_not_depend_on_the_pieces(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_dataset(tmp_path / "d1", Shape.TEXT, ROWS)
    reports, checks = [], []

    def examined() -> None:
        view = DatasetView(folder, Shape.TEXT, folder / "rejected.jsonl", lambda: checks.append(1))
        report = Doctor(view, DoctorSpec(checks=(FindingKind.TOO_SHORT,))).examine("d1", "")
        reports.append(report.model_dump(exclude={"seconds", "created_at"}))

    examined()
    at_once = len(checks)
    own = TooShort.find

    def slow(rule: TooShort, frame: pl.DataFrame, shape: Shape) -> Hits:
        time.sleep(0.004 * frame.height)
        return own(rule, frame, shape)

    monkeypatch.setattr(TooShort, "find", slow)
    examined()
    assert reports[0] == reports[1]
    assert reports[0]["findings"][0]["rows"] == 400
    assert len(checks) - at_once > 2 * at_once
