"""A frozen base in whole numbers: near the exact product, with the gradient for its inputs, and never in the answer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from studio.domain.specs import TrainSpec
from studio.engine import checkpoint
from studio.engine.kernels.int8 import Int8Linear, gain, rounded
from studio.engine.session import Session
from studio.engine.tasks.language.task import CausalTask
from studio.protocol.events import Compared
from tests.engine.helpers import Killed, PlainControl, Recorder, chat_rows, make_plan


@pytest.mark.parametrize("rows", [1, 16, 17, 40])
@pytest.mark.parametrize("bias", [False, True])
def test_near_the_exact_layer_and_its_gradient(rows: int, bias: bool) -> None:
    torch.manual_seed(0)
    exact = nn.Linear(64, 96, bias=bias)
    states = torch.randn(rows, 64)
    states[:, 3] *= 40  # one input with large values, as real models have
    layer = Int8Linear(exact, states.abs().amax(0))
    slope = torch.randn(rows, 96)
    own, whole = states.clone().requires_grad_(), states.clone().requires_grad_()
    wanted, found = exact(own), layer(whole)
    wanted.backward(slope)
    found.backward(slope)
    assert own.grad is not None
    assert whole.grad is not None
    assert (found - wanted).norm() < 0.05 * wanted.norm()
    assert (whole.grad - own.grad).norm() < 0.12 * own.grad.norm()


def test_rounding_is_by_row_and_bounded() -> None:
    values = torch.randn(5, 33) * torch.tensor([1e-3, 1.0, 10.0, 1e4, 0.0])[:, None]
    whole, scale = rounded(values)
    assert (whole.float() * scale - values).abs().le(scale / 2 + 1e-12).all()


def test_a_run_in_whole_numbers_is_compared_and_kept_with_the_exact_base(
    tiny_model_dir: Path, tmp_path: Path
) -> None:
    plan = make_plan(tiny_model_dir, base_format="int8", dtype="float32", learning_rate=1e-2)
    recorder = Recorder()
    session = Session(plan, tmp_path, chat_rows, recorder, PlainControl())
    task: Any = session.on.task
    assert isinstance(task, CausalTask)
    assert any(isinstance(module, Int8Linear) for module in task.model.modules())
    summary = session.run()
    compared = recorder.of(Compared)[0]
    assert compared.base_scores is not None
    assert sum(compared.tuned_scores) < sum(compared.base_scores)
    with task.as_answered():
        assert not any(isinstance(module, Int8Linear) for module in task.model.modules())
    assert summary.model_bytes > 0


def test_a_killed_run_in_whole_numbers_ends_in_the_same_weights(tiny_model_dir: Path, tmp_path: Path) -> None:
    plan = make_plan(tiny_model_dir, base_format="int8", dtype="float32", lora_dropout=0.1, save_every_s=1.0)
    for name, kill_at in (("whole", 0), ("killed", 6), ("killed", 0)):
        (tmp_path / name).mkdir(exist_ok=True)
        session = Session(plan, tmp_path / name, chat_rows, Recorder(kill_at), PlainControl())
        try:
            session.run()
        except Killed:
            assert kill_at
    whole, killed = (
        checkpoint.valid_checkpoints(tmp_path / n / "checkpoints")[0] for n in ("whole", "killed")
    )
    assert checkpoint.file_facts(whole / checkpoint.WEIGHTS) == checkpoint.file_facts(
        killed / checkpoint.WEIGHTS
    )


def test_float_stays_float(tiny_model_dir: Path, tmp_path: Path) -> None:
    plan = make_plan(tiny_model_dir, base_format="float")
    task = Session(plan, tmp_path, chat_rows, Recorder(), PlainControl()).on.task
    assert task.number_format == ""
    assert not any(isinstance(module, Int8Linear) for module in task.model.modules())


def test_the_gain_is_measured_not_guessed() -> None:
    assert gain(torch.float32) >= 0
    assert TrainSpec().base_format == "auto"
