"""Rates are a pure function of what a checkpoint holds; every optimizer goes on to the bit; L1 makes zeros."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from studio.domain.architectures import Method
from studio.domain.specs import TrainSpec
from studio.engine import checkpoint
from studio.engine import trainer as trainer_module
from studio.engine.checkpoint import Position
from studio.engine.optim import (
    after_check,
    decays_itself,
    learning_rate,
    make_optimizer,
    shrink,
    state_copies,
)
from studio.engine.session import Session
from studio.protocol.events import Evaluated, Resumed, Step
from tests.engine.helpers import Killed, PlainControl, Recorder, chat_rows, make_plan

OPTIMIZERS = ["adamw", "adam", "sgd", "adagrad", "rmsprop", "adafactor"]
schedules = st.sampled_from(["constant", "linear", "cosine", "plateau"])


@settings(deadline=None)
@given(schedule=schedules, total=st.integers(1, 500), warmup=st.floats(0, 0.5), data=st.data())
def test_rate_stays_between_zero_and_the_peak(
    schedule: str, total: int, warmup: float, data: st.DataObject
) -> None:
    spec = TrainSpec(schedule=schedule, warmup_ratio=warmup, learning_rate=1e-3)
    step = data.draw(st.integers(1, total))
    assert 0 < learning_rate(spec, step, total) <= 1e-3


def test_linear_and_cosine_meet_at_the_middle() -> None:
    for schedule in ("linear", "cosine"):
        spec = TrainSpec(schedule=schedule, warmup_ratio=0, learning_rate=1.0)
        assert learning_rate(spec, 1, 100) == 1.0
        assert learning_rate(spec, 51, 100) == pytest.approx(0.5)
        assert learning_rate(spec, 100, 100) < 0.02


def test_warmup_rises_in_a_line() -> None:
    spec = TrainSpec(warmup_ratio=0.1, learning_rate=1.0)
    assert [learning_rate(spec, s, 100) for s in (1, 5, 10)] == pytest.approx([0.1, 0.5, 1.0])


def test_a_plateau_halves_the_rate_after_two_checks_without_gain() -> None:
    spec = TrainSpec(schedule="plateau", warmup_ratio=0, learning_rate=1.0)
    position, rates = Position(), []
    for gained in (True, False, True, False, False, False, False):
        after_check(spec, position, gained)
        rates.append(learning_rate(spec, 10, 100, position.rate_factor))
    assert rates == [1, 1, 1, 1, 0.5, 0.5, 0.25]


def test_other_schedules_know_no_plateau() -> None:
    position = Position()
    for _check in range(9):
        after_check(TrainSpec(schedule="cosine"), position, False)
    assert (position.rate_factor, position.checks_on_plateau) == (1.0, 0)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_only_matrices_decay(name: str) -> None:
    layer, own = nn.Linear(3, 2), nn.Embedding(3, 2)
    decays_itself(own.weight)
    layer.weight.data.fill_(1.0)
    spec = TrainSpec(optimizer=name, weight_decay=0.1, learning_rate=0.1)
    optimizer = make_optimizer([*layer.named_parameters(), *own.named_parameters()], spec)
    before = {p: p.detach().clone() for p in (layer.weight, layer.bias, own.weight)}
    for parameter in before:
        parameter.grad = torch.zeros_like(parameter)
    optimizer.step()
    assert (layer.weight.abs() < before[layer.weight].abs()).all()
    assert torch.equal(layer.bias, before[layer.bias])
    assert torch.equal(own.weight, before[own.weight])


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_fit_check_knows_how_much_an_optimizer_keeps(name: str) -> None:
    layer = nn.Linear(64, 64, bias=False)
    spec = TrainSpec(optimizer=name)
    optimizer = make_optimizer(layer.named_parameters(), spec)
    layer(torch.ones(1, 64)).sum().backward()
    optimizer.step()
    (state,) = optimizer.state_dict()["state"].values()
    numbers = sum(value.numel() for value in state.values() if torch.is_tensor(value))
    assert round(numbers / layer.weight.numel()) == state_copies(spec)


def test_l1_moves_weights_to_exactly_zero_and_leaves_biases() -> None:
    layer = nn.Linear(3, 1)
    layer.weight.data = torch.tensor([[0.5, -0.02, -0.3]])
    bias = layer.bias.detach().clone()
    optimizer = make_optimizer(layer.named_parameters(), TrainSpec())
    shrink(optimizer, 0.1)
    torch.testing.assert_close(layer.weight.detach(), torch.tensor([[0.4, 0.0, -0.2]]))
    assert layer.weight[0, 1] == 0
    assert torch.equal(layer.bias, bias)


def test_l1_finds_the_one_input_that_counts() -> None:
    """Lasso on noise-free data with one true weight w: its solution is w − l1/2 for the mean squared error."""
    torch.manual_seed(0)
    inputs, _r = torch.linalg.qr(torch.randn(64, 4))
    inputs = inputs * 8  # columns of mean square 1, none correlated
    layer = nn.Linear(4, 1, bias=False)
    spec = TrainSpec(optimizer="sgd", momentum=0.0, weight_decay=0.0, learning_rate=0.1, l1=0.4)
    optimizer = make_optimizer(layer.named_parameters(), spec)
    for _step in range(200):
        optimizer.zero_grad()
        ((layer(inputs).squeeze(-1) - 2 * inputs[:, 0]) ** 2).mean().backward()
        optimizer.step()
        shrink(optimizer, spec.learning_rate * spec.l1)
    torch.testing.assert_close(layer.weight.detach(), torch.tensor([[1.8, 0.0, 0.0, 0.0]]))


def run(plan: Any, folder: Path, kill_at: int = 0) -> Recorder:
    folder.mkdir(exist_ok=True)
    recorder = Recorder(kill_at)
    try:
        Session(plan, folder, chat_rows, recorder, PlainControl()).run()
    except Killed:
        assert kill_at
    return recorder


def last_states(folder: Path) -> list[dict[str, Any]]:
    newest = checkpoint.valid_checkpoints(folder / "checkpoints")[0]
    return [checkpoint.file_facts(newest / name) for name in (checkpoint.WEIGHTS, checkpoint.STATE)]


def tiny_plan(**fields: Any) -> Any:
    given = {
        "layers": 1,
        "heads": 2,
        "width": 16,
        "vocabulary": 300,
        "dtype": "float32",
        "warmup_ratio": 0.0,
        **fields,
    }
    return make_plan(None, method=Method.SCRATCH, **given).model_copy(update={"probes": []})


def assert_resumed_alike(plan: Any, folder: Path, kill_at: int) -> Recorder:
    """The whole run's events; the killed one has ended with the same weights, optimizer and checks."""
    whole = run(plan, folder / "whole")
    run(plan, folder / "broken", kill_at=kill_at)
    resumed = run(plan, folder / "broken")
    assert resumed.of(Resumed)[0].exact
    assert last_states(folder / "whole") == last_states(folder / "broken")
    rates = {step.step: step.lr for step in whole.of(Step)}
    assert all(step.lr == rates[step.step] for step in resumed.of(Step))
    checks = {e.step: e.loss for e in whole.of(Evaluated)}
    assert all(e.loss == checks[e.step] for e in resumed.of(Evaluated))
    return whole


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_goes_on_to_the_bit(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trainer_module, "EVENT_INTERVAL_S", 0.0)
    plan = tiny_plan(optimizer=name, learning_rate=0.01, l1=1e-3, evals_per_epoch=3)
    assert_resumed_alike(plan, tmp_path, kill_at=8)


class SavesAndDies(PlainControl):
    """Pauses, which saves, as soon as ``when`` says so, and is killed there."""

    def __init__(self, when: Callable[[], bool]) -> None:
        super().__init__()
        self._when = when

    def check(self) -> None:
        if self._when():
            self.before()
            raise Killed

    rest = check


def updates(seen: Recorder) -> int:
    return seen.of(Step)[-1].step if seen.of(Step) else 0


def save_and_die(plan: Any, folder: Path, seen: Recorder, when: Callable[[], bool]) -> None:
    folder.mkdir()
    with pytest.raises(Killed):
        Session(plan, folder, chat_rows, seen, SavesAndDies(when)).run()


@pytest.mark.parametrize("last", [6, 7, 13])
def test_a_plateau_goes_on_to_the_bit(last: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The rate is far too high, so that checks bring no gain, and is halved before and after the run is taken up."""
    monkeypatch.setattr(trainer_module, "EVENT_INTERVAL_S", 0.0)
    plan = tiny_plan(epochs=3, evals_per_epoch=7, schedule="plateau", learning_rate=1.0, max_grad_norm=100)
    whole, seen = run(plan, tmp_path / "whole"), Recorder()
    save_and_die(plan, tmp_path / "broken", seen, lambda: updates(seen) == last)
    resumed = run(plan, tmp_path / "broken")
    assert resumed.of(Resumed)[0].step == last
    assert last_states(tmp_path / "whole") == last_states(tmp_path / "broken")
    rates = {step.step: step.lr for step in whole.of(Step)}
    assert len(set(rates.values())) >= 3
    assert [step.lr for step in resumed.of(Step)] == [rates[step.step] for step in resumed.of(Step)]


def test_a_check_that_a_pause_cut_off_is_made_up_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer_module, "EVENT_INTERVAL_S", 0.0)
    plan = tiny_plan(evals_per_epoch=3)
    whole = run(plan, tmp_path / "whole")
    steps = [e.step for e in whole.of(Evaluated)]
    assert steps[:2] == [2, 4]
    seen = Recorder()
    save_and_die(  # the updates to step 4 are done, its check is not
        plan, tmp_path / "broken", seen, lambda: updates(seen) == 4 and len(seen.of(Evaluated)) == 1
    )
    assert [e.step for e in seen.of(Evaluated)] == [2]
    resumed = run(plan, tmp_path / "broken")
    assert [e.step for e in resumed.of(Evaluated)] == steps[1:]
    assert last_states(tmp_path / "whole") == last_states(tmp_path / "broken")
