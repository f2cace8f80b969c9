"""Text models learn, resume to the bit, are compared with the simplest guess, and answer alike after they were kept."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from studio.domain.architectures import Architecture, Method
from studio.domain.datasets import Split
from studio.domain.measures import Measure
from studio.domain.runs import RunPlan, RunSummary
from studio.domain.shapes import Shape
from studio.domain.specs import TrainSpec
from studio.engine import checkpoint
from studio.engine.predict import load_predictor
from studio.engine.session import Session
from studio.engine.tasks.text.models import TransformerModel
from studio.errors import StudioError
from studio.protocol.events import Compared, Evaluated, Log
from tests.engine.helpers import Killed, PlainControl, Recorder

HIDDEN = 1  # the second special token of our tokenizers
SCRATCH = (Architecture.TRANSFORMER, Architecture.LSTM, Architecture.GRU)


def rows_of(shape: Shape, count: int = 60) -> Any:
    """Complaints and praise of different lengths, with a label, several labels or a number that follow the words."""
    split_of = {3: Split.VALIDATION, 7: Split.TEST}

    def rows(split: Split) -> Iterable[dict[str, Any]]:
        for i in range(count):
            bad = i % 3 == 0
            words = "awful broken slow refund" if bad else "lovely bright quick thanks"
            row: dict[str, Any] = {"row": i + 1, "text": f"lamp {i} is {words}" + " indeed" * (i % 7)}
            if shape is Shape.TEXT_LABEL:
                row["label"] = "complaint" if bad else "praise"
            elif shape is Shape.TEXT_LABELS:
                row["labels"] = ["complaint", "refund"] if bad else ["praise"]
            else:
                row["number"] = 1.0 if bad else 5.0
            if split_of.get(i % 10, Split.TRAIN) is split:
                yield row

    return rows


def plan_of(shape: Shape, architecture: Architecture, base: Path | None = None, **fields: Any) -> RunPlan:
    method = Method.FULL if architecture is Architecture.ENCODER else Method.SCRATCH
    spec = {
        "architecture": architecture, "method": method, "epochs": 6, "batch_size": 8, "threads": 1,
        "early_stopping": 0, "learning_rate": 5e-3, "width": 32, "heads": 2, "layers": 1, "vocabulary": 400,
        "max_length": 32, "dropout": 0.1, "dtype": "float32", "evals_per_epoch": 1.0, **fields,
    }  # fmt: skip
    return RunPlan(
        name="test", base_dir=str(base) if base else None, base_name="tiny", dataset_id="d", dataset_dir="",
        dataset_sha256="abc", dataset_name="rows", shape=shape, spec=TrainSpec.model_validate(spec),
        probes=["this lamp is awful and slow"],
    )  # fmt: skip


def trained(plan: RunPlan, folder: Path, kill_at: int = 0) -> tuple[RunSummary | None, Recorder]:
    folder.mkdir(exist_ok=True)
    recorder = Recorder(kill_at)
    session = Session(plan, folder, rows_of(plan.shape), recorder, PlainControl())
    try:
        return session.run(), recorder
    except Killed:
        return None, recorder


@pytest.mark.parametrize("shape", [Shape.TEXT_LABEL, Shape.TEXT_LABELS, Shape.TEXT_NUMBER])
@pytest.mark.parametrize("architecture", SCRATCH)
@pytest.mark.parametrize("pairs", [False, True])
def test_it_learns_more_than_the_simplest_guess(
    architecture: Architecture, shape: Shape, pairs: bool, tmp_path: Path
) -> None:
    summary, seen = trained(plan_of(shape, architecture, word_pairs=pairs), tmp_path / "run")
    assert summary is not None
    compared = seen.of(Compared)[0]
    better = compared.measure is not Measure.SQUARED_ERROR
    base, tuned = sum(compared.base_scores), sum(compared.tuned_scores)
    assert tuned > base if better else tuned < base / 2
    assert set(compared.targets) == {1}
    assert compared.metrics
    assert seen.of(Evaluated)[-1].metrics.keys() == compared.metrics.keys()


@pytest.mark.parametrize("architecture", SCRATCH)
def test_a_killed_run_ends_in_the_same_weights(architecture: Architecture, tmp_path: Path) -> None:
    plan = plan_of(
        Shape.TEXT_LABEL,
        architecture,
        save_every_s=1.0,
        gradient_accumulation=2,
        word_dropout=0.3,
        word_pairs=True,
    )
    trained(plan, tmp_path / "whole")
    _none, seen = trained(plan, tmp_path / "killed", kill_at=8)
    assert seen.events
    trained(plan, tmp_path / "killed")
    whole, killed = (
        checkpoint.valid_checkpoints(tmp_path / name / "checkpoints")[0] for name in ("whole", "killed")
    )
    for name in (checkpoint.WEIGHTS, checkpoint.STATE):
        assert checkpoint.file_facts(whole / name) == checkpoint.file_facts(killed / name)


@pytest.mark.parametrize("shape", [Shape.TEXT_LABEL, Shape.TEXT_LABELS, Shape.TEXT_NUMBER])
def test_a_kept_model_answers_as_the_trained_one(shape: Shape, tmp_path: Path) -> None:
    plan = plan_of(shape, Architecture.GRU, word_pairs=True)
    session = Session(plan, tmp_path, rows_of(shape), Recorder(), PlainControl())
    session.run()
    texts = ["awful slow lamp", "a lovely and bright thing, thanks", ""]
    answers = load_predictor(tmp_path / "model").predict([{"text": text} for text in texts])
    task: Any = session.on.task
    for text, answer in zip(texts, answers, strict=True):
        probe = task.probe(text)
        assert probe is not None
        assert probe.text == answer.words()
    if shape is Shape.TEXT_LABEL:
        assert [answer.chosen[0] for answer in answers[:2]] == ["complaint", "praise"]
        assert sum(share for _label, share in answers[0].labels) == pytest.approx(1, abs=1e-5)


@pytest.mark.parametrize("method", [Method.FULL, Method.LORA, Method.FROZEN])
def test_an_encoder_with_a_head(method: Method, tiny_encoder_dir: Path, tmp_path: Path) -> None:
    plan = plan_of(
        Shape.TEXT_LABEL, Architecture.ENCODER, tiny_encoder_dir, method=method, learning_rate=1e-2
    )
    session = Session(plan, tmp_path, rows_of(plan.shape), Recorder(), PlainControl())
    summary = session.run()
    assert (summary.trainable == summary.parameters) == (method is Method.FULL)
    task: Any = session.on.task
    answer = load_predictor(tmp_path / "model").predict([{"text": "awful slow lamp"}])[0]
    assert answer.words() == task.probe("awful slow lamp").text


def test_words_are_hidden_from_new_models_while_they_learn_and_only_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[bool, bool]] = []
    own = TransformerModel.forward

    def watched(model: TransformerModel, ids: Tensor, mask: Tensor) -> Tensor:
        hidden = (ids == HIDDEN) & mask.bool()
        asked.append((model.training, bool(hidden.any())))
        return own(model, ids, mask)

    monkeypatch.setattr(TransformerModel, "forward", watched)
    plan = plan_of(Shape.TEXT_LABEL, Architecture.TRANSFORMER, word_dropout=0.3)
    trained(plan, tmp_path / "run")
    assert set(asked) == {(True, True), (False, False)}


def test_a_pretrained_encoder_reads_every_word(tiny_encoder_dir: Path, tmp_path: Path) -> None:
    """The field means nothing there, whatever was left in it."""
    losses = []
    for share in (0.0, 0.5):
        plan = plan_of(Shape.TEXT_LABEL, Architecture.ENCODER, tiny_encoder_dir, word_dropout=share, epochs=1)
        _summary, seen = trained(plan, tmp_path / str(share))
        losses.append([event.loss for event in seen.of(Evaluated)])
    assert losses[0]
    assert losses[0] == losses[1]


def test_rare_labels_count_more(tmp_path: Path) -> None:
    task: Any = Session(
        plan_of(Shape.TEXT_LABEL, Architecture.GRU, balance_labels=True), tmp_path, rows_of(Shape.TEXT_LABEL),
        Recorder(), PlainControl(),
    ).on.task  # fmt: skip
    outputs = torch.zeros(2, 2)
    common, rare = task.goal.losses(outputs, torch.tensor([0, 1])).tolist()
    assert rare / common == pytest.approx(task.goal.counts[0] / task.goal.counts[1])


def test_labels_that_no_training_row_has_are_told_and_left_out(tmp_path: Path) -> None:
    def rows(split: Split) -> Iterable[dict[str, Any]]:
        yield from rows_of(Shape.TEXT_LABEL)(split)
        if split is Split.TEST:
            yield {"row": 99, "text": "something else", "label": "new"}

    recorder = Recorder()
    session = Session(plan_of(Shape.TEXT_LABEL, Architecture.GRU), tmp_path, rows, recorder, PlainControl())
    assert 99 not in {item.row for item in session.on.held_out}
    assert any("1 rows" in log.message for log in recorder.of(Log))


def test_one_label_is_refused(tmp_path: Path) -> None:
    def rows(split: Split) -> Iterable[dict[str, Any]]:
        yield {"row": 1, "text": "a", "label": "only"}

    with pytest.raises(StudioError) as caught:
        Session(plan_of(Shape.TEXT_LABEL, Architecture.GRU), tmp_path, rows, Recorder(), PlainControl())
    assert caught.value.code == "run.one_label"
