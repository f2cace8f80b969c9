"""From a file to a healed dataset: imported, examined, all advised fixes derived in one version, examined again."""

from __future__ import annotations

import csv
import itertools
import json
from pathlib import Path

import polars as pl

from studio.domain.datasets import SplitShares
from studio.domain.findings import DoctorReport
from studio.domain.recipes import FindingKind, FixStep
from studio.ingest.dataset.splits import split_expr
from studio.ingest.versions.derive import Deriver
from studio.ingest.versions.trying import try_step
from tests.unit.ingest.doctor.helpers import examined
from tests.unit.ingest.doctor.test_promises import FRAGMENTS
from tests.unit.ingest.helpers import run_import


def advised(report: DoctorReport) -> list[FixStep]:
    return [
        FixStep(finding=found.kind, action=found.fixes[0].action) for found in report.findings if found.fixes
    ]


def healed(folder: Path, out: Path) -> DoctorReport:
    steps = advised(examined(folder))
    assert steps
    version = Deriver(folder, out, lambda _event: None, lambda: None).run("healed", steps)
    for outcome in version.made_by:
        assert outcome.rows_after == outcome.rows_before - outcome.removed + outcome.added
    return examined(out)


def test_questions_and_answers(tmp_path: Path) -> None:
    source = tmp_path / "a.csv"
    with source.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(["question", "answer"])
        answers = (
            "You can bring it back within thirty days.",
            "CafÃ© und BÃ¼cher",
            "<b>Yes</b>\u200b of course",
        )
        for number, (fragment, answer) in enumerate(itertools.product(FRAGMENTS[:12], answers)):
            table.writerow([f"{fragment} {number}", answer])
    run_import(source, tmp_path / "sets" / "d1")
    kinds = {finding.kind for finding in healed(tmp_path / "sets" / "d1", tmp_path / "sets" / "d2").findings}
    assert not kinds & {
        FindingKind.ENCODING_DAMAGE, FindingKind.CONTROL_CHARACTERS, FindingKind.EXACT_DUPLICATES,
        FindingKind.NEAR_DUPLICATES, FindingKind.LANGUAGE_MIX, FindingKind.PRIVATE_DATA,
    }  # fmt: skip


def test_conversations_put_aside_by_the_import_come_back(tmp_path: Path) -> None:
    source = tmp_path / "a.jsonl"
    orders = ("user assistant", "user user assistant", "user assistant user", "assistant user assistant")
    with source.open("w", encoding="utf-8") as file:
        for number, order in enumerate(orders):
            messages = [
                {"role": role, "content": f"What {role} says first in conversation {number}, {place}"}
                for place, role in enumerate(order.split())
            ]
            file.write(json.dumps({"messages": messages}) + "\n")
    version = run_import(source, tmp_path / "sets" / "d1")
    assert (version.rows, version.rejected) == (1, 3)
    report = examined(tmp_path / "sets" / "d1", checks=(FindingKind.ROLE_ORDER,))
    assert report.findings[0].fixes[0].rows_added == 3
    assert [example.row for example in report.findings[0].examples] == [2, 3, 4]
    tried = try_step(tmp_path / "sets" / "d1", advised(report)[0], lambda _event: None, lambda: None)
    assert (tried.added, tried.changed, tried.removed) == (3, 0, 0)
    derived = Deriver(
        tmp_path / "sets" / "d1", tmp_path / "sets" / "d2", lambda _event: None, lambda: None
    ).run("healed", advised(report))
    assert (derived.rows, derived.made_by[0].added) == (4, 3)
    assert (tmp_path / "sets" / "d2" / "rejected.jsonl").read_text() == ""


def test_what_comes_back_is_split_as_an_import_splits_it(tmp_path: Path) -> None:
    """By the shares asked for, not by those that happen to be there: a set split by hand has others."""
    source = tmp_path / "a.jsonl"
    with source.open("w", encoding="utf-8") as file:
        for number in range(300):
            roles = "user assistant" if number < 60 else "user user assistant"
            messages = [{"role": role, "content": f"{role} in {number}"} for role in roles.split()]
            file.write(json.dumps({"messages": messages}) + "\n")
    run_import(source, tmp_path / "sets" / "d1", shares=SplitShares(validation=0.5, test=0))
    report = examined(tmp_path / "sets" / "d1", checks=(FindingKind.ROLE_ORDER,))
    Deriver(tmp_path / "sets" / "d1", tmp_path / "sets" / "d2", lambda _event: None, lambda: None).run(
        "healed", advised(report)
    )
    rows = pl.read_parquet(tmp_path / "sets" / "d2" / "rows.parquet").filter(pl.col("origin") == "added")
    assert rows.height == 240
    expected = rows.select(split_expr(SplitShares(validation=0.5, test=0)))["split"]
    assert rows["split"].to_list() == expected.to_list()
