"""A frozen layer and the add-on on it as one operation: the add-on's share is added within the product.

peft multiplies, scales and adds in passes of their own, and in bfloat16 copies the layer's input to float32 and back.
y = x · Wᵀ + (x · Aᵀ) · (s · B)ᵀ; the weight is frozen, so its gradient is never made (Hu et al. 2021).
"""

from __future__ import annotations

from types import MethodType
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


def join_products(model: nn.Module) -> None:
    """Let plain add-ons on plain linear layers compute as one operation; every other keeps peft's own way.

    An add-on with dropout, with DoRA, switched off, merged, or beside a second one is peft's, as before.
    """
    for module in model.modules():
        if isinstance(module, LoraLinear) and not module.lora_variant:
            module.forward = MethodType(_forward, module)


def _forward(layer: LoraLinear, states: Tensor, *args: Any, **options: Any) -> Tensor:
    base, names = layer.base_layer, layer.active_adapters
    kind = states.device.type
    plain = (
        kind == "cpu"  # where it was measured
        and type(base) is nn.Linear
        and not base.weight.requires_grad
        and not (base._forward_pre_hooks or base._forward_hooks)  # somebody looks at what goes through it
        and len(names) == 1
        and names[0] in layer.lora_A
        and names[0] not in layer.lora_variant
        and (base.bias is None or not base.bias.requires_grad)
        and not (args or options or layer.disable_adapters or layer.merged)
        and not (isinstance(drop := layer.lora_dropout[names[0]], nn.Dropout) and drop.p and layer.training)
        and layer.lora_A[names[0]].bias is None
        and layer.lora_B[names[0]].bias is None
    )
    if plain and torch.is_autocast_enabled(kind):
        plain = base.weight.dtype is torch.get_autocast_dtype(kind)
    if not plain:
        own: Tensor = LoraLinear.forward(layer, states, *args, **options)
        return own
    found: Tensor = _JoinedProduct.apply(  # type: ignore[no-untyped-call]
        states, base.weight, layer.lora_A[names[0]].weight, layer.lora_B[names[0]].weight, layer.scaling[names[0]],
        base.bias,
    )  # fmt: skip
    return found
