"""A frozen layer and the add-on on it as one operation: the add-on's share is added within the product.

peft multiplies, scales and adds in passes of their own, and in bfloat16 copies the layer's input to float32 and back.
y = x · Wᵀ + (x · Aᵀ) · (s · B)ᵀ; the weight is frozen, so its gradient is never made (Hu et al. 2021).
"""

from __future__ import annotations

from typing import Any

import torch
from peft.tuners.lora.layer import Linear as LoraLinear
from torch import Tensor, nn


class _JoinedProduct(torch.autograd.Function):
    """states (…, K), weight (N, K), first (r, K), second (N, r), scale, bias (N,) or None -> (…, N)."""

    @staticmethod
    def forward(
        ctx: Any,
        states: Tensor,
        weight: Tensor,
        first: Tensor,
        second: Tensor,
        scale: float,
        bias: Tensor | None,
    ) -> Tensor:
        rows = states.reshape(-1, states.shape[-1]).to(weight.dtype)
        narrow, wide = first.to(weight.dtype), (second * scale).to(weight.dtype)
        with torch.autocast(rows.device.type, enabled=False):
            inner = rows @ narrow.t()  # (M, r)
            found = (
                rows @ weight.t() if bias is None else torch.addmm(bias.to(weight.dtype), rows, weight.t())
            )
            found.addmm_(inner, wide.t())
        ctx.save_for_backward(rows, inner, weight, narrow, wide)
        ctx.scale, ctx.states_shape, ctx.formats = (
            scale,
            states.shape,
            (states.dtype, first.dtype, second.dtype),
        )
        return found.view(*states.shape[:-1], -1)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, None, Tensor, Tensor, None, None]:
        rows, inner, weight, narrow, wide = ctx.saved_tensors
        of_states, of_first, of_second = ctx.formats
        slope = grads[0].reshape(len(rows), -1).to(weight.dtype)
        back = slope @ wide  # (M, r)
        states_grad = None
        if ctx.needs_input_grad[0]:
            states_grad = (slope @ weight).addmm_(back, narrow).view(ctx.states_shape).to(of_states)
        return (
            states_grad, None, (back.t() @ rows).to(of_first),
            (slope.t() @ inner).to(of_second).mul_(ctx.scale), None, None,
        )  # fmt: skip


class JoinedLinear(LoraLinear):  # type: ignore[misc]
    """peft's layer, but for what it computes. An add-on with dropout, with DoRA, switched off, merged, or beside a
    second one is peft's, as before."""

    def forward(self, states: Tensor, *args: Any, **options: Any) -> Tensor:
        base, names = self.base_layer, self.active_adapters
        if args or options or len(names) != 1 or names[0] not in self.lora_A or not self._is_plain(names[0]):
            own: Tensor = super().forward(states, *args, **options)
            return own
        found: Tensor = _JoinedProduct.apply(  # type: ignore[no-untyped-call]
            states, base.weight, self.lora_A[names[0]].weight, self.lora_B[names[0]].weight,
            self.scaling[names[0]], base.bias,
        )  # fmt: skip
        return found

    def _is_plain(self, name: str) -> bool:
        base, first, second, drop = (
            self.base_layer,
            self.lora_A[name],
            self.lora_B[name],
            self.lora_dropout[name],
        )
        kind = base.weight.device.type
        return (
            kind == "cpu"  # where it was measured
            and type(base) is nn.Linear
            and not base.weight.requires_grad
            and (base.bias is None or not base.bias.requires_grad)
            and not any(part._forward_pre_hooks or part._forward_hooks for part in (base, first, second))
            and name not in self.lora_variant
            and not (self.disable_adapters or self.merged)
            and not (isinstance(drop, nn.Dropout) and drop.p and self.training)
            and first.bias is None
            and second.bias is None
            and not (
                torch.is_autocast_enabled(kind) and base.weight.dtype is not torch.get_autocast_dtype(kind)
            )
        )


def join_products(model: nn.Module) -> None:
    """Let plain add-ons on plain linear layers compute as one operation; every other keeps peft's own way."""
    for module in model.modules():
        if type(module) is LoraLinear and not module.lora_variant:
            module.__class__ = JoinedLinear  # nothing else differs: it is merged, kept and pickled as peft's
