"""A checkpoint is whole or it does not count; a damaged one is noticed and the one before it is used."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from torch import nn

from studio.engine import checkpoint
from studio.engine.checkpoint import Position
from studio.errors import StudioError


def trained(step: int) -> tuple[nn.Module, torch.optim.Optimizer, Position]:
    torch.manual_seed(step)
    model = nn.Linear(3, 2)
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.ones(3)).sum().backward()
    optimizer.step()
    return model, optimizer, Position(step=step, best_loss=0.5, evals=[(1, 0.5, 2.0)], fingerprint={"a": "b"})


def save(folder: Path, step: int) -> Path:
    model, optimizer, position = trained(step)
    path, size = checkpoint.publish(folder, checkpoint.take_snapshot(position, model, optimizer))
    assert size == sum(p.stat().st_size for p in path.iterdir() if p.name != checkpoint.MANIFEST)
    return path


def test_a_round_trip_restores_everything(tmp_path: Path) -> None:
    model, optimizer, position = trained(7)
    random.seed(3)
    snapshot = checkpoint.take_snapshot(position, model, optimizer)
    expected = (torch.rand(3), random.random())
    checkpoint.publish(tmp_path, snapshot)
    loaded = checkpoint.load_newest(tmp_path)
    assert loaded is not None
    other, other_optimizer, _position = trained(8)
    checkpoint.restore(loaded, other, other_optimizer)
    assert all(torch.equal(a, b) for a, b in zip(model.parameters(), other.parameters(), strict=True))
    assert str(other_optimizer.state_dict()) == str(optimizer.state_dict())
    assert torch.equal(torch.rand(3), expected[0])
    assert random.random() == expected[1]
    assert [tuple(e) for e in loaded.position.evals] == position.evals
    assert loaded.position.fingerprint == {"a": "b"}


def test_order_is_by_step_and_never_by_time(tmp_path: Path) -> None:
    newer, _older = save(tmp_path, 20), save(tmp_path, 10)
    assert checkpoint.valid_checkpoints(tmp_path)[0] == newer


def test_retention_keeps_the_newest_and_the_pinned(tmp_path: Path) -> None:
    for step in (1, 2, 3, 4, 5):
        save(tmp_path, step)
    checkpoint.retain(tmp_path, keep=2, pinned={2})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["ckpt-00000002", "ckpt-00000004", "ckpt-00000005"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(name=st.sampled_from([checkpoint.WEIGHTS, checkpoint.STATE, checkpoint.MANIFEST]), where=st.floats(0, 0.999),
       cut=st.booleans())  # fmt: skip
def test_any_cut_or_flipped_byte_is_noticed(
    tmp_path_factory: pytest.TempPathFactory, name: str, where: float, cut: bool
) -> None:
    folder = tmp_path_factory.mktemp("ckpt")
    save(folder, 1)
    victim = save(folder, 2) / name
    data = bytearray(victim.read_bytes())
    at = int(where * len(data))
    victim.write_bytes(
        bytes(data[:at]) if cut else bytes(data[:at]) + bytes([data[at] ^ 1]) + bytes(data[at + 1 :])
    )
    loaded = checkpoint.load_newest(folder)
    assert loaded is not None
    assert loaded.position.step == 1


def test_a_damaged_checkpoint_is_set_aside_and_told(tmp_path: Path) -> None:
    save(tmp_path, 1)
    weights = save(tmp_path, 2) / checkpoint.WEIGHTS
    weights.write_bytes(bytes(weights.stat().st_size))
    told: list[Exception] = []
    loaded = checkpoint.load_newest(tmp_path, told.append)
    assert loaded is not None
    assert loaded.position.step == 1
    assert [e.code for e in told if isinstance(e, StudioError)] == ["checkpoint.damaged"]
    assert len(list(tmp_path.glob(".damaged-*"))) == 1


def test_a_failed_write_publishes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, 1)

    def full(path: Path) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        save(tmp_path, 2)
    assert [p.name for p in tmp_path.iterdir()] == ["ckpt-00000001"]


def test_sweep_removes_leftovers(tmp_path: Path) -> None:
    save(tmp_path, 1)
    (tmp_path / ".tmp-x").mkdir()
    (tmp_path / ".trash-y").mkdir()
    checkpoint.sweep(tmp_path)
    assert [p.name for p in tmp_path.iterdir()] == ["ckpt-00000001"]


def test_weights_of_another_model_are_refused() -> None:
    with pytest.raises(StudioError) as caught:
        checkpoint.load_weights(nn.Linear(2, 2), {"other": torch.zeros(1)})
    assert caught.value.code == "checkpoint.mismatch"
