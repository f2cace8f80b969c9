"""Classes evened out in training only: how many, which ones, and with what weights."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from studio.domain.recipes import AnyStep, FindingKind, FixAction, FixStep
from studio.domain.shapes import Shape
from studio.errors import StudioError
from studio.ingest.versions import derive as derive_module
from studio.ingest.versions import rowstream
from studio.ingest.versions.balance import BalanceRunner, class_weights, targets
from studio.ingest.versions.context import StepContext, StepRunner
from tests.unit.ingest.versions.helpers import derive, make_dataset, table


@pytest.fixture(autouse=True)
def only_balance(monkeypatch: pytest.MonkeyPatch) -> None:
    def runner(step: AnyStep, context: StepContext) -> StepRunner:
        assert isinstance(step, FixStep)
        return BalanceRunner(step, context)

    monkeypatch.setattr(derive_module, "runner_for", runner)
    monkeypatch.setattr(rowstream, "STEP_ROWS", 16)


def fix(action: FixAction) -> FixStep:
    return FixStep(finding=FindingKind.CLASS_IMBALANCE, action=action)


def counts(folder: Path) -> Counter[tuple[str | None, str]]:
    return Counter(table(folder).select("label", "split").iter_rows())


def labelled(folder: Path) -> None:
    """In training 60 a, 25 b, none c; in validation 4 a, 6 c; 5 without a label."""
    labels = ["a"] * 60 + ["b"] * 25 + ["a"] * 4 + ["c"] * 6 + [None] * 5
    splits = ["train"] * 85 + ["validation"] * 10 + ["train"] * 5
    rows = [(f"t{i}", label) for i, label in enumerate(labels)]
    make_dataset(folder, Shape.TEXT_LABEL, rows, splits=splits)


def test_oversample(tmp_path: Path) -> None:
    labelled(tmp_path / "v1")
    version = derive(tmp_path / "v1", fix(FixAction.OVERSAMPLE))
    assert counts(tmp_path / "v2") == counts(tmp_path / "v1") + Counter({("b", "train"): 35})
    assert (version.made_by[0].added, version.made_by[0].removed, version.rows) == (35, 0, 135)
    rows = table(tmp_path / "v2")
    assert rows["row"].n_unique() == rows.height
    made = rows.filter(rows["origin"] == "resampled")
    assert (made.height, set(made["label"]), set(made["split"])) == (35, {"b"}, {"train"})
    times = Counter(rows.filter(rows["label"] == "b")["text"])
    assert Counter(times.values()) == {2: 15, 3: 10}
    derive(tmp_path / "v1", fix(FixAction.OVERSAMPLE), to="v3")
    assert table(tmp_path / "v3").drop("row").equals(rows.drop("row")), "the same rows every time"


def test_undersample(tmp_path: Path) -> None:
    labelled(tmp_path / "v1")
    version = derive(tmp_path / "v1", fix(FixAction.UNDERSAMPLE))
    expected = counts(tmp_path / "v1")
    expected[("a", "train")] = 25
    assert counts(tmp_path / "v2") == expected
    assert (version.made_by[0].added, version.made_by[0].removed) == (0, 35)


def test_weights(tmp_path: Path) -> None:
    labelled(tmp_path / "v1")
    version = derive(tmp_path / "v1", fix(FixAction.WEIGHTS))
    assert version.class_weights == {"a": round(85 / 120, 4), "b": 1.7}
    assert version.rows == 100
    later = derive(tmp_path / "v2", fix(FixAction.UNDERSAMPLE), to="v3")
    assert later.class_weights == {}, "they were for other numbers"


def test_limits() -> None:
    assert targets({"a": 10_000, "b": 1}, FixAction.OVERSAMPLE) == {"a": 10_000, "b": 21}
    assert targets({"a": 10_000, "b": 1}, FixAction.UNDERSAMPLE) == {"a": 10, "b": 1}
    assert targets({}, FixAction.OVERSAMPLE) == {}
    weights = class_weights({"a": 30, "b": 10})
    assert 30 * weights["a"] + 10 * weights["b"] == pytest.approx(40, rel=1e-3)


def test_the_same_text_twice_is_counted_as_two(tmp_path: Path) -> None:
    rows = [("same", "a")] * 20 + [("other", "b")] * 13
    make_dataset(tmp_path / "v1", Shape.TEXT_LABEL, rows, splits=["train"] * 33)
    derive(tmp_path / "v1", fix(FixAction.OVERSAMPLE))
    assert counts(tmp_path / "v2") == {("a", "train"): 20, ("b", "train"): 20}
    derive(tmp_path / "v1", fix(FixAction.UNDERSAMPLE), to="v3")
    assert counts(tmp_path / "v3") == {("a", "train"): 13, ("b", "train"): 13}


def test_several_labels(tmp_path: Path) -> None:
    rows = [(f"t{i}", '["a"]') for i in range(20)] + [(f"u{i}", '["a","b"]') for i in range(12)]
    make_dataset(tmp_path / "v1", Shape.TEXT_LABELS, rows, splits=["train"] * 32)
    derive(tmp_path / "v1", fix(FixAction.OVERSAMPLE))
    assert Counter(table(tmp_path / "v2")["labels"]) == {'["a"]': 20, '["a","b"]': 20}


def test_no_labels(tmp_path: Path) -> None:
    make_dataset(tmp_path / "v1", Shape.TEXT, [("t",)])
    with pytest.raises(StudioError) as caught:
        derive(tmp_path / "v1", fix(FixAction.OVERSAMPLE))
    assert caught.value.code == "step.unsuitable"
