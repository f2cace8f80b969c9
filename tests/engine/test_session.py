"""Whole small runs: they learn, stop when told, and go on to the bit after a kill."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from studio.domain.architectures import Method
from studio.domain.runs import RunSummary
from studio.domain.shapes import Shape
from studio.domain.specs import scratch_parameters
from studio.engine import checkpoint
from studio.engine import trainer as trainer_module
from studio.engine.estimate import estimate
from studio.engine.session import Session
from studio.errors import StudioError
from studio.protocol.events import (
    BatchPreview,
    CheckpointSaved,
    Compared,
    Evaluated,
    Log,
    Planned,
    ProbeAnswered,
    Resumed,
    Step,
)
from tests.engine.helpers import Killed, PlainControl, Recorder, chat_rows, make_plan, text_rows


@pytest.fixture(autouse=True)
def every_step_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer_module, "EVENT_INTERVAL_S", 0.0)


def train(plan, folder: Path, rows=chat_rows, kill_at: int = 0) -> tuple[RunSummary | None, Recorder]:  # type: ignore[no-untyped-def]
    recorder = Recorder(kill_at)
    try:
        return Session(plan, folder, rows, recorder, PlainControl()).run(), recorder
    except Killed:
        return None, recorder


def weights(folder: Path) -> dict[str, bytes]:
    (file,) = (folder / "model").glob("*.safetensors")
    return {name: tensor.view(torch.uint8).numpy().tobytes() for name, tensor in load_file(str(file)).items()}


@pytest.mark.parametrize("method", [Method.LORA, Method.FULL, Method.SCRATCH])
def test_a_run_learns_and_keeps_its_best_model(method: Method, tiny_model_dir: Path, tmp_path: Path) -> None:
    base = None if method is Method.SCRATCH else tiny_model_dir
    plan = make_plan(
        base, method=method, epochs=4, learning_rate=5e-3, layers=2, heads=2, width=32, vocabulary=400
    )
    summary, seen = train(plan, tmp_path)
    assert summary is not None
    losses = [s.loss for s in seen.of(Step)]
    assert sum(losses[-3:]) < sum(losses[:3])
    assert summary.tuned_value is not None
    (compared,) = seen.of(Compared)
    assert (compared.base_scores is None) == (method is Method.SCRATCH)
    if method is not Method.SCRATCH:
        assert summary.base_value is not None
        assert summary.tuned_value < summary.base_value
    evals = [e for e in seen.of(Evaluated) if e.step]
    assert summary.best_eval_loss == min(e.loss for e in evals)
    assert seen.of(ProbeAnswered)[-1].prompt == "Where is my lamp?"
    assert (tmp_path / "model" / "tokenizer.json").is_file()
    assert len(list((tmp_path / "checkpoints").glob("ckpt-*"))) <= plan.spec.keep_checkpoints + 1


def test_from_scratch_has_the_parameters_that_the_form_showed(tmp_path: Path) -> None:
    plan = make_plan(None, method=Method.SCRATCH, layers=3, heads=2, width=48, vocabulary=320, max_steps=1)
    summary, _seen = train(plan, tmp_path)
    assert summary is not None
    assert summary.parameters == scratch_parameters(3, 48, 320)


def test_plain_text_trains_a_writer(tiny_model_dir: Path, tmp_path: Path) -> None:
    plan = make_plan(tiny_model_dir, Shape.TEXT, max_steps=3)
    summary, seen = train(plan, tmp_path, text_rows)
    assert summary is not None
    (preview,) = seen.of(BatchPreview)
    assert sum(not token.trained for row in preview.rows for token in row) == len(
        preview.rows
    )  # the first token
    assert not (tmp_path / "model" / "chat_template.jinja").exists()


@pytest.mark.parametrize("accumulation", [1, 2])
@pytest.mark.parametrize("method", [Method.LORA, Method.FULL, Method.SCRATCH])
def test_a_killed_run_goes_on_to_the_bit(
    method: Method, accumulation: int, tiny_model_dir: Path, tmp_path: Path
) -> None:
    base = None if method is Method.SCRATCH else tiny_model_dir
    plan = make_plan(
        base, method=method, lora_dropout=0.2, gradient_accumulation=accumulation, evals_per_epoch=3,
        layers=2, heads=2, width=32, vocabulary=400,
    )  # fmt: skip
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    whole.mkdir()
    broken.mkdir()
    summary, _seen = train(plan, whole)
    killed, first = train(plan, broken, kill_at=5)
    assert killed is None
    saved = [c.step for c in first.of(CheckpointSaved)]
    assert saved
    resumed, second = train(plan, broken)
    assert summary is not None
    assert resumed is not None
    (event,) = second.of(Resumed)
    assert event.exact
    assert event.step == max(saved)
    assert second.of(Step)[0].step == event.step + 1
    assert weights(whole) == weights(broken)
    assert (summary.best_eval_loss, summary.tuned_value, summary.base_value) == (
        resumed.best_eval_loss, resumed.tuned_value, resumed.base_value,
    )  # fmt: skip


def test_another_dataset_makes_the_resume_approximate(tiny_model_dir: Path, tmp_path: Path) -> None:
    plan = make_plan(tiny_model_dir, evals_per_epoch=3)
    train(plan, tmp_path, kill_at=5)
    _summary, seen = train(plan.model_copy(update={"dataset_sha256": "other"}), tmp_path)
    (event,) = seen.of(Resumed)
    assert not event.exact
    assert event.reason == "dataset"


def test_stop_keeps_what_was_learned(tiny_model_dir: Path, tmp_path: Path) -> None:
    seen = Recorder()
    control = PlainControl(lambda: len(seen.of(Step)) >= 3)
    summary = Session(make_plan(tiny_model_dir, epochs=50), tmp_path, chat_rows, seen, control).run()
    assert (summary.steps, summary.stop_reason, summary.stopped_early) == (3, "stopped", True)
    assert summary.best_step == 3
    assert (tmp_path / "model" / "adapter_model.safetensors").is_file()


def test_validation_that_turns_ends_the_run_and_the_best_is_kept(
    tiny_model_dir: Path, tmp_path: Path
) -> None:
    plan = make_plan(
        tiny_model_dir,
        method=Method.FULL,
        epochs=60,
        learning_rate=2e-2,
        schedule="constant",
        early_stopping=2,
    )
    summary, seen = train(plan, tmp_path)
    assert summary is not None
    assert summary.stop_reason == "early_stopping"
    evals = {e.step: e.loss for e in seen.of(Evaluated) if e.step}
    assert evals[summary.best_step] == min(evals.values())
    assert summary.best_step < summary.steps


def test_a_damaged_best_checkpoint_costs_no_run(tiny_model_dir: Path, tmp_path: Path) -> None:
    plan = make_plan(
        tiny_model_dir,
        method=Method.FULL,
        epochs=60,
        learning_rate=2e-2,
        schedule="constant",
        early_stopping=2,
    )
    session = Session(plan, tmp_path, chat_rows, recorder := Recorder(), PlainControl())
    load, damaged = checkpoint.load, []

    def damage(path: Path) -> checkpoint.Snapshot:
        damaged.append(path)
        (path / checkpoint.WEIGHTS).write_bytes(b"")
        return load(path)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(checkpoint, "load", damage)
        summary = session.run()
    assert damaged
    assert summary.best_step == summary.steps
    assert summary.best_eval_loss == recorder.of(Evaluated)[-1].loss
    assert any("damaged" in log.message for log in recorder.of(Log))


def test_a_loss_that_is_no_number_stops_before_the_update(tiny_model_dir: Path, tmp_path: Path) -> None:
    plan = make_plan(tiny_model_dir, method=Method.FULL, learning_rate=1.0, max_grad_norm=100, epochs=90,
                     schedule="constant", warmup_ratio=0)  # fmt: skip
    session = Session(plan, tmp_path, chat_rows, Recorder(), PlainControl())
    poison(session)
    with pytest.raises(StudioError) as caught:
        session.run()
    assert caught.value.code == "run.diverged"
    assert "rows" in caught.value.message


def poison(session: Session) -> None:
    """What a broken row or an overflow leaves: one weight that is not a number."""
    next(iter(session.on.task.model.parameters())).data.view(-1)[:].fill_(float("nan"))


def test_the_fit_check_predicts_what_the_run_then_does(tiny_model_dir: Path, tmp_path: Path) -> None:
    plan = make_plan(tiny_model_dir)
    seen = Recorder()
    found = estimate(plan, chat_rows, tmp_path, seen, PlainControl())
    summary, ran = train(plan, tmp_path)
    assert summary is not None
    assert (found.steps, found.trainable, found.parameters) == (
        summary.steps,
        summary.trainable,
        summary.parameters,
    )
    (planned,) = ran.of(Planned)
    assert (found.rows, found.real_tokens, found.trained_tokens) == (
        planned.rows, planned.real_tokens, planned.trained_tokens,
    )  # fmt: skip
    assert found.ready
    assert 0 < found.seconds_low < found.seconds < found.seconds_high
    assert seen.of(BatchPreview)[0].rows


def test_the_measured_time_is_of_the_same_work_as_the_predicted(tiny_model_dir: Path, tmp_path: Path) -> None:
    began = time.monotonic()
    summary, _seen = train(make_plan(tiny_model_dir), tmp_path)
    spent = time.monotonic() - began
    assert summary is not None
    assert summary.seconds < summary.total_s <= spent
    assert summary.total_s > 0.8 * spent
