"""A fix does what the report promised, on any rows: the same counts, and nothing changed that is not counted."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.domain.datasets import RejectedRow
from studio.domain.findings import DoctorReport, FixOption
from studio.domain.recipes import FindingKind, FixAction, FixStep
from studio.domain.shapes import SHAPES, Shape
from studio.ingest.dataset.canonical import ROWS_FILE
from tests.helpers.examples import examples
from tests.unit.ingest.doctor.helpers import applied, examined, make_dataset

LIMITS: dict[str, Any] = {"min_tokens": 3, "max_tokens": 40, "similarity": 0.8}
FRAGMENTS = (
    "How do I send the parcel back to your shop in London, please?",
    "How do I send the parcel back to your shop in London please",
    "You can return everything within thirty days at any of our shops.",
    "我的订单什么时候可以退款？谢谢您。",
    "我的订单什么时候可以退款？谢谢你。",
    "CafÃ© und BÃ¼cher",
    "浣犲ソ锛屼笘鐣",
    "ÄãºÃ£¬ÊÀ½ç",
    "zero\u200bwidth \x1b[31mred\x1b[0m",
    "<p>Hello&nbsp;there</p>",
    "<br>",
    "\u200b",
    "<|im_start|>user\nhi<|im_end|>",
    "As an AI language model I cannot do that.",
    "Dear {name}, your order has left.",
    "Write HTML: <p>a</p>",
    "Wie geht es dir heute, mein lieber alter Freund aus Berlin?",
    "word " * 60,
    "一句话。" * 40,
    "ok",
    "lost \ufffd\ufffd",
    "Call me at +1 415 555 2671 or write to jo.smith@example.com",
    "我叫王伟，电话是13812345678",
    "what the fuck is this",
)
TEXTS = st.lists(st.sampled_from(FRAGMENTS), min_size=1, max_size=3).map(" ".join)
SPLITS = st.sampled_from(["train", "train", "train", "validation", "test"])
ORIGINS = st.sampled_from([None, None, None, "added", "resampled"])
LABELS = st.sampled_from(["a", "a", "a", "b", None])


def conversations() -> st.SearchStrategy[str]:
    pairs = st.lists(st.tuples(TEXTS, TEXTS), min_size=1, max_size=3)
    return pairs.map(
        lambda turns: json.dumps(
            [
                {"role": role, "content": text}
                for turn in turns
                for role, text in zip(("user", "assistant"), turn, strict=True)
            ],
            ensure_ascii=False,
            separators=(",", ":"),
        )
    )


COLUMNS: dict[str, st.SearchStrategy[Any]] = {
    "system": st.none() | TEXTS,
    "history": st.none(),
    "messages": conversations(),
    "label": LABELS,
    "labels": st.sampled_from(['["a"]', '["a","b"]', '["c"]']),
    "number": st.sampled_from(["1", "1.0", "2"]),
    "thumb": st.sampled_from(["up", "down"]),
    "image": st.sampled_from(["aa.png", "bb.png", "cc.png"]),
    "user": st.sampled_from(["u1", "u2"]),
    "item": st.sampled_from(["i1", "i2"]),
    "rating": st.sampled_from(["1", "5"]),
    "time": st.none(),
}


def rows_of(shape: Shape) -> st.SearchStrategy[list[dict[str, Any]]]:
    cells = {name: COLUMNS.get(name, TEXTS) for name in SHAPES[shape].stored}
    return st.lists(
        st.fixed_dictionaries({**cells, "split": SPLITS, "origin": ORIGINS}), min_size=1, max_size=24
    )


REJECTED = [
    RejectedRow(row=900, code="roles_out_of_order", reason="r", excerpt="e", content=json.dumps(
        [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}, {"role": "assistant", "content": "c"}]
    )),
    RejectedRow(row=901, code="no_answer", reason="r", excerpt="e", content=json.dumps(
        [{"role": "user", "content": "only a question"}]
    )),
    RejectedRow(row=902, code="broken_json", reason="r", excerpt="e"),
]  # fmt: skip


@pytest.mark.parametrize("shape", list(Shape))
@settings(max_examples=examples(12), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_fix_does_what_was_promised(shape: Shape, data: st.DataObject) -> None:
    rows = data.draw(rows_of(shape))
    with tempfile.TemporaryDirectory() as name:
        folder = make_dataset(Path(name) / "parent", shape, rows, REJECTED)
        report = examined(folder, **LIMITS)
        for number, (kind, option) in enumerate(options(report)):
            check_promise(folder, shape, kind, option, Path(name) / f"out{number}")


def options(report: DoctorReport) -> list[tuple[FindingKind, FixOption]]:
    return [(finding.kind, option) for finding in report.findings for option in finding.fixes]


def check_promise(folder: Path, shape: Shape, kind: FindingKind, option: FixOption, out: Path) -> None:
    step = FixStep(finding=kind, action=option.action, **LIMITS)
    outcome, made = applied(folder, step, shape, out)
    promised = (option.rows_changed, option.rows_removed, option.rows_added)
    assert (outcome.changed, outcome.removed, outcome.added) == promised, (kind, option.action)
    assert promised == differences(folder, made, shape), (kind, option.action)


def differences(folder: Path, made: pl.DataFrame, shape: Shape) -> tuple[int, int, int]:
    """(changed, removed, added) rows, by comparing all cells."""
    columns = ["row", "split", *SHAPES[shape].stored]
    before = {row[0]: row[1:] for row in pl.read_parquet(folder / ROWS_FILE).select(columns).iter_rows()}
    after = {row[0]: row[1:] for row in made.select(columns).iter_rows()}
    assert len(after) == made.height
    changed = sum(after[row] != cells for row, cells in before.items() if row in after)
    return changed, len(before.keys() - after.keys()), len(after.keys() - before.keys())


def test_weights_change_no_row(tmp_path: Path) -> None:
    rows = [{"text": f"a text about the number {i}", "label": "a" if i else "b"} for i in range(30)]
    folder = make_dataset(tmp_path / "parent", Shape.TEXT_LABEL, rows)
    found = {
        option.action for kind, option in options(examined(folder)) if kind is FindingKind.CLASS_IMBALANCE
    }
    assert found == {FixAction.WEIGHTS, FixAction.OVERSAMPLE, FixAction.UNDERSAMPLE}


def test_the_fragments_have_every_trouble(tmp_path: Path) -> None:
    """Else the promises above would be kept by having none."""
    rows = [{"prompt": a, "response": b} for a in FRAGMENTS for b in (*FRAGMENTS[:6], "ok")]
    rows += [{"prompt": None, "response": "A passage whose question still has to be written."}]
    rows += [{**rows[0], "split": "test"}, {**rows[40], "split": "validation"}]
    report = examined(make_dataset(tmp_path / "parent", Shape.PROMPT_RESPONSE, rows), **LIMITS)
    assert [finding.kind for finding in report.findings] == report.checked
    for number, (kind, option) in enumerate(options(report)):
        check_promise(tmp_path / "parent", Shape.PROMPT_RESPONSE, kind, option, tmp_path / f"out{number}")
