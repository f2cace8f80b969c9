"""A frozen layer and the add-on on it as one operation: the add-on's share is added within the product.

peft multiplies, scales and adds in passes of their own, and in bfloat16 copies the layer's input to float32 and back.
y = x · Wᵀ + (x · Aᵀ) · (s · B)ᵀ; the weight is frozen, so its gradient is never made (Hu et al. 2021).
"""

from __future__ import annotations

from typing import Any, Final, NamedTuple, Protocol

import torch
from peft.tuners.lora.layer import Linear as LoraLinear
from torch import Tensor, nn

from studio.engine.kernels.int8 import Int8Linear

_FLOATS: Final = (torch.float32, torch.bfloat16, torch.float64)


class Frozen(Protocol):
    """A layer that is not trained: its product and that of the slopes, neither noted for gradients."""

    def ahead(self, rows: Tensor) -> Tensor:
        """(M, K) -> (M, N)"""

    def back(self, slope: Tensor) -> Tensor:
        """(M, N) -> (M, K)"""


class _Whole(NamedTuple):
    """weight: (N, K); bias: (N,)."""

    weight: Tensor
    bias: Tensor | None

    def ahead(self, rows: Tensor) -> Tensor:
        if self.bias is None:
            return rows @ self.weight.t()
        return torch.addmm(self.bias.to(rows.dtype), rows, self.weight.t())

    def back(self, slope: Tensor) -> Tensor:
        return slope @ self.weight


class _JoinedProduct(torch.autograd.Function):
    """states (…, K), first (r, K), second (N, r), scale, the layer, the format to compute in -> (M, N).

    The caller gives it the shape of the states: a view that is made within must not be changed in place by models.
    """

    @staticmethod
    def forward(
        ctx: Any,
        states: Tensor,
        first: Tensor,
        second: Tensor,
        scale: float,
        base: Frozen,
        dtype: torch.dtype,
    ) -> Tensor:
        rows = states.reshape(-1, states.shape[-1]).to(dtype)
        narrow, wide = first.to(dtype), (second * scale).to(dtype)
        with torch.autocast(rows.device.type, enabled=False):
            inner = rows @ narrow.t()  # (M, r)
            found = base.ahead(rows).addmm_(inner, wide.t())
        ctx.save_for_backward(rows, inner, narrow, wide)
        ctx.base, ctx.scale, ctx.states_shape = base, scale, states.shape
        ctx.formats = states.dtype, first.dtype, second.dtype
        return found

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor, Tensor, None, None, None]:
        rows, inner, narrow, wide = ctx.saved_tensors
        of_states, of_first, of_second = ctx.formats
        slope = grads[0].reshape(len(rows), -1).to(rows.dtype)
        back = slope @ wide  # (M, r)
        states_grad = None
        if ctx.needs_input_grad[0]:
            states_grad = ctx.base.back(slope).addmm_(back, narrow).view(ctx.states_shape).to(of_states)
        return (
            states_grad, (back.t() @ rows).to(of_first), (slope.t() @ inner).to(of_second).mul_(ctx.scale),
            None, None, None,
        )  # fmt: skip


class JoinedLinear(LoraLinear):  # type: ignore[misc]
    """peft's layer, but for what it computes. An add-on with dropout, with DoRA, switched off, merged, or beside a
    second one is peft's, as before."""

    def forward(self, states: Tensor, *args: Any, **options: Any) -> Tensor:
        names = self.active_adapters
        base = _frozen(self.base_layer)
        dtype = self._format(states)
        plain = not (args or options) and base is not None and dtype in _FLOATS and len(names) == 1
        if not (plain and names[0] in self.lora_A and self._is_plain(names[0])):
            own: Tensor = super().forward(states, *args, **options)
            return own
        found: Tensor = _JoinedProduct.apply(  # type: ignore[no-untyped-call]
            states,
            self.lora_A[names[0]].weight,
            self.lora_B[names[0]].weight,
            self.scaling[names[0]],
            base,
            dtype,
        )
        return found.view(*states.shape[:-1], -1)

    def _format(self, states: Tensor) -> torch.dtype | None:
        """The format to compute in; None where autocast wants another than that of the weights."""
        kind, weight = states.device.type, self.base_layer.weight
        wanted = torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else None
        if not weight.is_floating_point():
            return wanted or states.dtype
        own: torch.dtype = weight.dtype
        return own if wanted in (None, own) else None

    def _is_plain(self, name: str) -> bool:
        base, first, second, drop = (
            self.base_layer,
            self.lora_A[name],
            self.lora_B[name],
            self.lora_dropout[name],
        )
        return (
            not any(part._forward_pre_hooks or part._forward_hooks for part in (base, first, second))
            and name not in self.lora_variant
            and not (self.disable_adapters or self.merged)
            and not (isinstance(drop, nn.Dropout) and drop.p and self.training)
            and first.bias is None
            and second.bias is None
        )


def _frozen(layer: nn.Module) -> Frozen | None:
    """The layer as what is joined with an add-on; None for one that trains or is not on a processor."""
    if isinstance(layer, Int8Linear):
        return layer
    if type(layer) is not nn.Linear or layer.weight.device.type != "cpu":  # measured on processors
        return None
    if layer.weight.requires_grad or (layer.bias is not None and layer.bias.requires_grad):
        return None
    return _Whole(layer.weight, layer.bias)


def join_products(model: nn.Module) -> None:
    """Let plain add-ons on plain linear layers compute as one operation; every other keeps peft's own way."""
    for module in model.modules():
        if type(module) is LoraLinear and not module.lora_variant:
            module.__class__ = JoinedLinear  # nothing else differs: it is merged, kept and pickled as peft's
