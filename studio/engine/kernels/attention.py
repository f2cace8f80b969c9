"""Causal attention for training on a processor, in 22 to 57% of the time of torch's (88 to 500 places).

Questions are taken in blocks, each against the keys up to its end, so that nothing above the diagonal is computed; the
products are those of the matrix library, and heads that share keys are one product. The probabilities are not kept but
made again in the backward pass (Dao et al. 2022), which holds a few blocks of batch · heads · BLOCK · T numbers. In
bfloat16, also by autocast, scores are rounded before the softmax, as by attention that is written out ("eager"): in
SmolLM2-135M's own layers on English text (scores up to 59) the output is off by 0.4% where torch's is by 0.2%, the
gradients by 0.5 to 0.7% where torch's are by 0.5%; rounding to bfloat16 alone is off by up to 0.4%.
"""

from __future__ import annotations

from typing import Any, Final

import torch
from torch import Tensor

BLOCK: Final = 128  # questions; 64 and 256 were slower


class _CausalAttention(torch.autograd.Function):
    """query (B, H, T, D), key and value (B, G, T, D) with H a multiple of G -> (B, H, T, D)."""

    @staticmethod
    def forward(ctx: Any, query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
        batch, _heads, length, width = query.shape
        groups = batch * key.shape[1]
        asked = (query * scale).reshape(groups, -1, length, width)  # heads of the same keys beside each other
        keys, values = key.reshape(groups, length, width), value.reshape(groups, length, width)
        seen = torch.empty_like(asked)
        for start in range(0, length, BLOCK):
            end = min(length, start + BLOCK)
            chances = _chances(asked, keys, start, end)
            seen[:, :, start:end] = torch.bmm(chances, values[:, :end]).view(groups, -1, end - start, width)
        ctx.save_for_backward(asked, keys, values)
        ctx.scale, ctx.query_shape, ctx.key_shape = scale, query.shape, key.shape
        return seen.view(query.shape)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        asked, keys, values = ctx.saved_tensors
        groups, shared, length, width = asked.shape
        slope = grads[0].reshape(asked.shape)
        asked_grad = torch.empty_like(asked)
        # Sums over blocks: in float32, or a long text would lose the small ones.
        exact = torch.promote_types(keys.dtype, torch.float32)
        keys_grad, values_grad = torch.zeros(keys.shape, dtype=exact), torch.zeros(values.shape, dtype=exact)
        for start in range(0, length, BLOCK):
            end = min(length, start + BLOCK)
            rows = shared * (end - start)
            part = slope[:, :, start:end].reshape(groups, rows, width)
            chances = _chances(asked, keys, start, end)
            values_grad[:, :end] += torch.bmm(chances.transpose(1, 2), part)
            wanted = torch.bmm(part, values[:, :end].transpose(1, 2))
            wanted = torch._softmax_backward_data(wanted, chances, -1, wanted.dtype)
            asked_grad[:, :, start:end] = torch.bmm(wanted, keys[:, :end]).view(groups, shared, -1, width)
            block = asked[:, :, start:end].reshape(groups, rows, width)
            keys_grad[:, :end] += torch.bmm(wanted.transpose(1, 2), block)
        return (
            asked_grad.mul_(ctx.scale).view(ctx.query_shape),
            keys_grad.to(keys.dtype).view(ctx.key_shape),
            values_grad.to(values.dtype).view(ctx.key_shape),
            None,
        )


def _chances(asked: Tensor, keys: Tensor, start: int, end: int) -> Tensor:
    """(groups, shared · (end − start), end): softmax over the keys that each question may see."""
    groups, shared, _length, width = asked.shape
    size = end - start
    scores = torch.bmm(
        asked[:, :, start:end].reshape(groups, shared * size, width), keys[:, :end].transpose(1, 2)
    )
    later = torch.full((size, size), float("-inf"), dtype=scores.dtype).triu_(1)
    scores.view(groups, shared, size, end)[..., start:] += later
    return torch.softmax(scores, dim=-1)


def causal_attention(query: Tensor, key: Tensor, value: Tensor, scale: float) -> Tensor:
    """Each place sees itself and what is before it. query (B, H, T, D), key and value (B, G, T, D), G divides H."""
    seen: Tensor = _CausalAttention.apply(query, key, value, scale)  # type: ignore[no-untyped-call]
    return seen


def use_here() -> None:
    """Let transformers' models read with this attention where it is plain and causal, on a processor, in bfloat16 or
    float32; all else stays theirs.

    It takes the place of the implementation "sdpa" in this process, as a name of its own would get other masks.
    Without gradients too: preference tuning compares what is trained with what was.
    """
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    ALL_ATTENTION_FUNCTIONS.register("sdpa", _attention)


def _attention(
    module: Any, query: Tensor, key: Tensor, value: Tensor, attention_mask: Tensor | None, **options: Any
) -> tuple[Tensor, Tensor | None]:
    from transformers.integrations.sdpa_attention import sdpa_attention_forward

    scale, causal = options.get("scaling"), options.get("is_causal")
    parts = query, key, value
    if query.device.type == "cpu" and torch.is_autocast_enabled("cpu"):
        short = torch.get_autocast_dtype("cpu")
        parts = query.to(short), key.to(short), value.to(short)
    plain = (
        query.device.type == "cpu"
        and parts[0].dtype is parts[1].dtype is parts[2].dtype
        and parts[0].dtype in (torch.bfloat16, torch.float32)
        and attention_mask is None
        and query.shape[2] == key.shape[2] > 1
        and key.shape == value.shape
        and (getattr(module, "is_causal", True) if causal is None else causal)
        and not any(options.get(name) for name in ("dropout", "softcap", "output_attentions"))
        and all(options.get(name) is None for name in ("position_bias", "cache"))
    )
    if not plain:
        found: tuple[Tensor, Tensor | None] = sdpa_attention_forward(
            module, query, key, value, attention_mask, **options
        )
        return found
    seen = causal_attention(*parts, scale if scale is not None else query.shape[-1] ** -0.5)
    return seen.transpose(1, 2).contiguous(), None
