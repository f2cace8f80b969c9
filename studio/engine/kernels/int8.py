"""The frozen base of an add-on run in whole numbers: several times faster than float32 on processors with VNNI.

Weights are rounded once, per output (absmax / 127); activations and gradients at each call, per row. A product of
int8 matrices with int32 sums is exact, so the only error is the rounding. Inputs with large values in few places are
divided, and the weights multiplied, by a factor per input before rounding (SmoothQuant, Xiao et al. 2023, alpha 0.5),
measured on the run's first rows.

forward: y = (q(x / f) · q(W · f)ᵀ) · s_x · s_W. Input gradient: dx = (q(dy · s_W) · q(W · f)) · s_g / f. The weight has
none: it is frozen.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import torch
from torch import Tensor, nn

LEVELS: Final = 127.0
ALPHA: Final = 0.5
LEAST_GAIN: Final = 1.6  # of the bare product; 1.35 was eaten up by what else a step does
MOST_LOSS_CHANGE: Final = 0.01  # of the base's own loss on the rows that it is tried on
_LEAST_ROWS: Final = 17  # torch's int8 product takes no fewer
_PROBE: Final = (1024, 576, 1536)


def rounded(values: Tensor) -> tuple[Tensor, Tensor]:
    """(int8 values, scale) with one scale for each row of (M, K); scale: (M, 1) float32."""
    scale = values.abs().amax(dim=-1, keepdim=True).float().clamp_(min=1e-12).div_(LEVELS)
    return values.float().div(scale).round_().to(torch.int8), scale


class _FrozenProduct(torch.autograd.Function):
    """(M, K) by a rounded layer -> (M, N), with the gradient for the rows only."""

    @staticmethod
    def forward(ctx: Any, rows: Tensor, layer: Int8Linear) -> Tensor:
        ctx.layer = layer
        return layer.ahead(rows)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        return ctx.layer.back(grads[0]), None


def product(rows: Tensor, weight: Tensor, scale: Tensor | None) -> Tensor:
    """rows (M, K) · weight (K, N) int8 by whole numbers, in the rows' format; scale: (N,), of the outputs."""
    short = _LEAST_ROWS - len(rows)
    if short > 0:
        rows = torch.cat([rows, rows.new_zeros(short, rows.shape[1])])
    whole, row_scale = rounded(rows)
    sums = torch._int_mm(whole, weight).float().mul_(row_scale)
    if scale is not None:
        sums.mul_(scale)
    return (sums[:-short].clone() if short > 0 else sums).to(rows.dtype)


class Int8Linear(nn.Module):
    """A frozen linear layer with its weight rounded; the bias stays as it is. largest: (K,), of the inputs seen."""

    def __init__(self, linear: nn.Linear, largest: Tensor) -> None:
        super().__init__()
        weight = linear.weight.detach().float()
        highest = weight.abs().amax(dim=0).clamp(min=1e-5)
        factor = (largest.float().clamp(min=1e-5) ** ALPHA / highest ** (1 - ALPHA)).clamp(min=1e-4)
        whole, scale = rounded(weight * factor)
        self.in_features, self.out_features = linear.in_features, linear.out_features
        self.weight: Tensor  # (N, K)
        self.scale: Tensor  # (N,)
        self.inverse: Tensor  # (K,)
        self.register_buffer("weight", whole, persistent=False)
        self.register_buffer("scale", scale.squeeze(-1), persistent=False)
        self.register_buffer("inverse", 1 / factor, persistent=False)
        self.bias = linear.bias

    def forward(self, states: Tensor) -> Tensor:
        rows = states.reshape(-1, self.in_features)
        found: Tensor = _FrozenProduct.apply(rows, self)  # type: ignore[no-untyped-call]
        return found.view(*states.shape[:-1], self.out_features)

    def ahead(self, rows: Tensor) -> Tensor:
        """(M, K) -> (M, N), in the rows' format, not noted for gradients."""
        found = product(rows * self.inverse.to(rows.dtype), self.weight.t(), self.scale)
        return found if self.bias is None else found.add_(self.bias)

    def back(self, slope: Tensor) -> Tensor:
        """(M, N) -> (M, K): the gradient for the rows."""
        return product(slope * self.scale.to(slope.dtype), self.weight, self.inverse)


class RoundedBase:
    """The linear layers under the add-ons of a peft model, which can be taken whole or rounded. The head stays whole.

    look: runs the model over some rows; called once, to see how large each input becomes.
    """

    def __init__(self, model: nn.Module, look: Callable[[], object]) -> None:
        self._own = {
            name: module.base_layer
            for name, module in model.named_modules()
            if isinstance(getattr(module, "base_layer", None), nn.Linear)
        }
        largest = _largest_inputs(self._own, look)
        self._whole_numbers = {name: Int8Linear(layer, largest[name]) for name, layer in self._own.items()}
        self._holders: dict[str, Any] = {name: m for name, m in model.named_modules() if name in self._own}
        self.rounded = False

    def use(self, rounded: bool) -> None:
        """Put the rounded or the own layers in."""
        for name, holder in self._holders.items():
            holder.base_layer = self._whole_numbers[name] if rounded else self._own[name]
        self.rounded = rounded

    @contextmanager
    def whole(self) -> Iterator[None]:
        """The model as it will answer: with its own layers."""
        before = self.rounded
        self.use(False)
        try:
            yield
        finally:
            self.use(before)


def gain(dtype: torch.dtype) -> float:
    """How many times faster than in ``dtype`` a product with rounding is here, measured in 50 ms; 0: not to be had."""
    rows, inner, outputs = _PROBE
    states, weight = torch.ones(rows, inner, dtype=dtype), torch.ones(outputs, inner, dtype=dtype)
    best = {"float": float("inf"), "int8": float("inf")}
    try:
        whole, scale = rounded(weight)
        for _attempt in range(5):  # by turns and best of all: other programs disturb both alike
            best["float"] = min(best["float"], _seconds(lambda: states @ weight.t()))
            best["int8"] = min(best["int8"], _seconds(lambda: product(states, whole.t(), scale.squeeze(-1))))
    except (RuntimeError, NotImplementedError):  # this build or processor has no such product
        return 0.0
    return best["float"] / best["int8"]


def _largest_inputs(layers: dict[str, nn.Linear], look: Callable[[], object]) -> dict[str, Tensor]:
    """(K,) absolute maxima of what each layer is given while ``look`` runs."""
    found: dict[str, Tensor] = {}

    def note(name: str) -> Callable[..., None]:
        def hook(_module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
            highest = inputs[0].detach().reshape(-1, inputs[0].shape[-1]).abs().amax(dim=0).float()
            found[name] = torch.maximum(found[name], highest) if name in found else highest

        return hook

    hooks = [layer.register_forward_pre_hook(note(name)) for name, layer in layers.items()]
    try:
        with torch.no_grad():
            look()
    finally:
        for hook in hooks:
            hook.remove()
    return found


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
