"""How likely an answer is, and what a judgement asks of it: DPO for pairs, KTO for thumbs."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from studio.engine.devices import multiplied_in
from studio.engine.tasks.language.losses import BLOCK_LOGITS, WEIGHT_BLOCKS, CausalLoss
from studio.engine.tasks.preference.items import JudgedBatch


class _TokenNats(torch.autograd.Function):
    """−log p of each target under hidden @ weight.T, (P,), blockwise: all logits are never held at once.

    A token's nats depend on its own hidden state alone, so the slope for each token is made in the same pass and only
    scaled on the way back. A head that trains needs its logits once more, since its gradient sums over tokens.
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
        need_hidden, need_weight, _targets = ctx.needs_input_grad
        head = weight.to(hidden.dtype)
        slopes = torch.empty_like(hidden) if need_hidden else None
        nats = torch.empty(len(hidden), dtype=torch.float32, device=hidden.device)
        block = max(1, BLOCK_LOGITS // len(weight))
        for start in range(0, len(hidden), block):
            at = slice(start, start + block)
            logits = (hidden[at] @ head.t()).float()  # (b, V)
            top = torch.logsumexp(logits, dim=-1, keepdim=True)
            nats[at] = (top - logits.gather(1, targets[at, None])).squeeze(-1)
            if slopes is not None:
                torch.mm(_slope(logits, top, targets[at]).to(hidden.dtype), head, out=slopes[at])
        ctx.save_for_backward(slopes, *((hidden, weight, targets) if need_weight else ()))
        return nats

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        slopes, *more = ctx.saved_tensors
        (scale,) = grads  # (P,)
        hidden_grad = None if slopes is None else slopes * scale[:, None].to(slopes.dtype)
        return hidden_grad, _weight_grad(scale, *more) if more else None, None


def _slope(logits: Tensor, top: Tensor, targets: Tensor) -> Tensor:
    """d nats/d logits = softmax − onehot, made in the place of the logits."""
    slope = logits.sub_(top).exp_()
    slope[torch.arange(len(targets), device=targets.device), targets] -= 1
    return slope


def _weight_grad(scale: Tensor, hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
    head, found = weight.to(hidden.dtype), torch.zeros_like(weight)
    block = max(1, WEIGHT_BLOCKS * BLOCK_LOGITS // len(weight))
    for start in range(0, len(hidden), block):
        at = slice(start, start + block)
        logits = (hidden[at] @ head.t()).float()
        slope = _slope(logits, torch.logsumexp(logits, dim=-1, keepdim=True), targets[at]) * scale[at, None]
        found.add_(slope.to(hidden.dtype).t() @ hidden[at])
    return found


class AnswerNats(CausalLoss):
    """Nats of whole answers by a causal language model."""

    def of(self, batch: JudgedBatch) -> Tensor:
        """−log p of each answer, summed over its judged tokens, (2B,), float32."""
        with multiplied_in(self._dtype, batch.ids.device):
            each = self._tokens(batch)
        sums = torch.zeros(len(batch.counts), dtype=each.dtype, device=each.device)
        return sums.index_add(0, batch.answers, each)

    def _tokens(self, batch: JudgedBatch) -> Tensor:
        if self._direct is None:
            self._direct = self._shortcut_holds(batch.ids[:1, :16])
        inputs = {"input_ids": batch.ids, "use_cache": False}
        if batch.mask is not None:
            inputs |= {"attention_mask": batch.mask, "position_ids": batch.places}
        if self._direct:
            states = self._backbone(**inputs).last_hidden_state[batch.rows, batch.positions]  # (P, H)
            nats: Tensor = _TokenNats.apply(states, self._head.weight, batch.targets)  # type: ignore[no-untyped-call]
            return nats
        logits = self._model(**inputs).logits[batch.rows, batch.positions]  # (P, V)
        return F.cross_entropy(logits.float(), batch.targets, reduction="none")


def gains(nats: Tensor, reference: Tensor) -> Tensor:
    """log p − log p of the untrained model, (B, 2): how much likelier each answer has become, in nats."""
    return reference.to(nats.dtype).view(-1, 2) - nats.view(-1, 2)


def dpo(gain: Tensor, beta: float) -> Tensor:
    """−log sigmoid(beta·(gain of the better − gain of the worse)), (B,) (Rafailov et al. 2023, eq. 7)."""
    return -F.logsigmoid(beta * (gain[:, 0] - gain[:, 1]))


def kto(gain: Tensor, wanted: Tensor, beta: float, weights: tuple[float, float]) -> Tensor:
    """λ − λ·sigmoid(±beta·(gain − z0)), (B,), + for wanted answers (Ethayarajh et al. 2024).

    gain: (B, 2), of each answer and of a mismatched one. z0, the distance from the untrained model, is estimated as in
    the paper: max(0, mean gain of mismatched answers of the batch), without a gradient. weights: λ of wanted and
    unwanted answers.
    """
    distance = gain[:, 1].detach().mean().clamp(min=0)
    liked = wanted > 0
    weight = torch.where(liked, weights[0], weights[1]).to(gain.dtype)
    sign = torch.where(liked, 1.0, -1.0).to(gain.dtype)
    return weight * (1 - torch.sigmoid(sign * beta * (gain[:, 0] - distance)))


def thumb_weights(up: int, down: int) -> tuple[float, float]:
    """λ of wanted and of unwanted answers: the rarer kind counts more, so that both have the same say in all."""
    if not up or not down:
        return 1.0, 1.0
    return max(1.0, down / up), max(1.0, up / down)
