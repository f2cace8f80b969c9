"""Dropout by random bytes: the right share goes, what stays keeps the mean, and it can be resumed."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from studio.engine.tasks.text.dropout import ByteDropout, some_hidden, with_byte_dropout


@pytest.mark.parametrize("p", [0.1, 0.25, 0.5, 0.9])
def test_the_share_and_the_mean(p: float) -> None:
    torch.manual_seed(3)
    found = ByteDropout(p)(torch.ones(1003, 977))  # not a multiple of eight
    assert float((found == 0).float().mean()) == pytest.approx(p, abs=1 / 256)
    assert float(found.mean()) == pytest.approx(1, abs=0.01)
    assert len(found.unique()) == 2


def test_the_gradient_goes_where_the_values_stayed() -> None:
    states = torch.randn(64, 31, requires_grad=True)
    found = ByteDropout(0.5)(states)
    found.sum().backward()  # type: ignore[no-untyped-call]
    assert states.grad is not None
    torch.testing.assert_close(found, states * states.grad)


def test_a_restored_generator_drops_the_same() -> None:
    drop, states = ByteDropout(0.3), torch.ones(50, 50)
    before = torch.get_rng_state()
    first, second = drop(states), drop(states)
    torch.set_rng_state(before)
    assert torch.equal(drop(states), first)
    assert not torch.equal(first, second)


@pytest.mark.parametrize(("p", "expected"), [(0.0, 1.0), (0.001, 1.0), (1.0, 0.0)])
def test_nothing_and_everything(p: float, expected: float) -> None:
    assert torch.equal(ByteDropout(p)(torch.ones(9, 9)), torch.full((9, 9), expected))


def test_nothing_is_dropped_when_answers_are_given() -> None:
    states = torch.randn(9, 9)
    assert ByteDropout(0.5).eval()(states) is states


def test_words_are_hidden_by_share_and_stay_in_place() -> None:
    torch.manual_seed(1)
    ids = torch.arange(5, 600_005).view(2000, 300)
    found = some_hidden(ids, 0.3, 1)
    of_texts = (found == 1).float().mean(1)
    assert float(of_texts.mean()) == pytest.approx(0.3, abs=0.01)
    assert float(of_texts.min()) < 0.02
    assert 0.55 < float(of_texts.max()) < 0.7
    assert torch.equal(found[found != 1], ids[found != 1])
    assert some_hidden(ids, 0.0, 1) is ids


def test_every_dropout_of_a_model_is_replaced_and_nothing_else() -> None:
    model = nn.Sequential(nn.Linear(4, 4), nn.Dropout(0.2), nn.Sequential(nn.Dropout(0.3), nn.GELU()))
    names = list(model.state_dict())
    with_byte_dropout(model)
    assert [m.p for m in model.modules() if isinstance(m, ByteDropout)] == [0.2, 0.3]
    assert not [m for m in model.modules() if type(m) is nn.Dropout]
    assert list(model.state_dict()) == names
