"""A layer and its add-on as one operation: peft's values and gradients, and peft itself for all that is not plain."""

from __future__ import annotations

import pickle
import weakref
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from peft.tuners.lora.layer import Linear as LoraLinear
from torch import Tensor, nn

from studio.engine.kernels import lora
from studio.engine.kernels.int8 import Int8Linear


class Small(nn.Module):
    def __init__(self, bias: bool, dtype: torch.dtype) -> None:
        super().__init__()
        self.inner = nn.Linear(12, 20, bias=bias, dtype=dtype)

    def forward(self, states: Tensor) -> Tensor:
        found: Tensor = self.inner(states)
        return found


def small(*, bias: bool = True, dtype: torch.dtype = torch.float64, **options: Any) -> tuple[Any, LoraLinear]:
    """The model with an add-on whose second matrix is no longer zero, and the layer that has it."""
    torch.manual_seed(3)
    config = LoraConfig(r=4, lora_alpha=6, target_modules=["inner"], **options)
    model: Any = get_peft_model(Small(bias, dtype), config)
    layer = next(module for module in model.modules() if isinstance(module, LoraLinear))
    nn.init.normal_(layer.lora_B["default"].weight)
    if dtype is torch.float64:
        layer.lora_A.double()
        layer.lora_B.double()
    return model, layer


def outcome(model: Any, layer: LoraLinear, states: Tensor) -> list[Tensor]:
    """Value and gradients for the states and both matrices."""
    torch.manual_seed(5)
    wanted = [states, layer.lora_A["default"].weight, layer.lora_B["default"].weight]
    found = model(states)
    return [found, *torch.autograd.grad(found, wanted, torch.randn(found.shape).to(found.dtype))]


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Filled when the joined operation is what computes."""
    calls: list[bool] = []
    own = lora._JoinedProduct.apply
    monkeypatch.setattr(lora._JoinedProduct, "apply", lambda *given: calls.append(True) or own(*given))
    return calls


@pytest.mark.parametrize("bias", [True, False])
def test_values_and_gradients_are_pefts(used: list[bool], bias: bool) -> None:
    model, layer = small(bias=bias)
    states = torch.randn(3, 7, 12, dtype=torch.float64, requires_grad=True)
    wanted = outcome(model, layer, states)
    lora.join_products(model)
    found = outcome(model, layer, states)
    assert used
    for ours, theirs in zip(found, wanted, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-10, atol=1e-10)


def test_in_bfloat16_the_add_on_stays_exact_and_its_gradients_are_float32(used: list[bool]) -> None:
    model, layer = small(dtype=torch.bfloat16)
    states = torch.randn(3, 7, 12, dtype=torch.bfloat16, requires_grad=True)
    with torch.autocast("cpu", torch.bfloat16):
        wanted = outcome(model, layer, states)
        lora.join_products(model)
        found = outcome(model, layer, states)
    assert used
    assert [part.dtype for part in found] == [torch.bfloat16, torch.bfloat16, torch.float32, torch.float32]
    for ours, theirs in zip(found, wanted, strict=True):
        assert (ours.double() - theirs.double()).norm() < 0.02 * theirs.double().norm()


def arranged(model: Any, layer: LoraLinear, case: str) -> None:
    """Bring the model into a state that is not plain."""
    if case == "disabled":
        model.disable_adapter_layers()
    elif case == "merged":
        model.merge_adapter()
    elif case == "two":
        model.add_adapter("other", LoraConfig(r=2, target_modules=["inner"]))
        model.base_model.set_adapter(["default", "other"])
    elif case == "looked at":
        layer.lora_B["default"].register_forward_hook(lambda _layer, _given, found: 2 * found)


CASES = ["dropout", "disabled", "merged", "two", "looked at", "autocast", "dora"]


@pytest.mark.parametrize("case", CASES)
def test_what_is_not_plain_is_pefts(used: list[bool], case: str) -> None:
    options: dict[str, Any] = {"dropout": {"lora_dropout": 0.5}, "dora": {"use_dora": True}}.get(case, {})
    model, layer = small(dtype=torch.float32, **options)
    arranged(model, layer, case)
    states = torch.randn(3, 12)
    found = []
    for join in (False, True):
        if join:
            lora.join_products(model)
        with torch.autocast("cpu", torch.bfloat16, enabled=case == "autocast"):
            torch.manual_seed(1)
            found.append(model(states))
    assert torch.equal(*found)
    assert not used


def test_a_joined_layer_is_kept_and_freed_like_any_other() -> None:
    model, layer = small(dtype=torch.float32)
    lora.join_products(model)
    again = pickle.loads(pickle.dumps(layer))
    states = torch.randn(3, 12)
    assert torch.equal(again(states), layer(states))
    seen = weakref.ref(again)
    del again
    assert seen() is None


def test_without_training_dropout_is_nothing(used: list[bool]) -> None:
    model, _layer = small(dtype=torch.float32, lora_dropout=0.5)
    lora.join_products(model)
    model.eval()
    model(torch.randn(3, 12))
    assert used


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("rows", [1, 16, 17, 40])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_on_a_rounded_layer_it_is_pefts_on_that_layer(
    used: list[bool], bias: bool, rows: int, dtype: torch.dtype
) -> None:
    model, layer = small(bias=bias, dtype=torch.float32)
    states = torch.randn(rows, 12, requires_grad=True)
    layer.base_layer = Int8Linear(layer.base_layer, states.detach().abs().amax(0))
    with torch.autocast("cpu", dtype, enabled=dtype is not torch.float32):
        wanted = outcome(model, layer, states)
        assert not used
        lora.join_products(model)
        found = outcome(model, layer, states)
    assert used
    most = 1e-5 if dtype is torch.float32 else 0.02
    for ours, theirs in zip(found, wanted, strict=True):
        assert (ours.double() - theirs.double()).norm() <= most * theirs.double().norm()
