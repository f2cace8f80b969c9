"""Cross-entropy where a token is trained, and nowhere else: the output head never sees the other positions.

Head and cross-entropy are one operation that works through the positions in blocks: it never holds the logits of all
of them (a batch of 1,000 positions of a 49,152-word vocabulary would need 200 MB, four times over).
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from studio.engine.devices import multiplied_in
from studio.engine.tasks.language.batch import Batch

SAME_LOGITS = (
    1e-3  # largest difference, against the largest logit, for which the shortcut counts as the own head
)
BLOCK_LOGITS = 6_000_000  # logits held at once: 24 MB, small enough for the allocator to hand out again
WEIGHT_BLOCKS = 5  # a head that trains wants larger blocks: its whole gradient is touched once for each


class _HeadCrossEntropy(torch.autograd.Function):
    """Summed cross-entropy of hidden @ weight.T against targets, with its gradients made in the same pass.

    d loss/d logits = softmax − onehot, so each block's logits become its gradient in place and are used at once.
    """

    @staticmethod
    def forward(ctx: Any, hidden: Tensor, weight: Tensor, targets: Tensor) -> Tensor:
        need_hidden, need_weight, _targets = ctx.needs_input_grad
        head = weight.to(hidden.dtype)  # under autocast the states may be bfloat16 and a trained head float32
        hidden_grad = torch.empty_like(hidden) if need_hidden else None
        weight_grad = torch.zeros_like(weight) if need_weight else None
        loss = torch.zeros((), dtype=torch.float32, device=hidden.device)
        block = max(1, (WEIGHT_BLOCKS if need_weight else 1) * BLOCK_LOGITS // len(weight))
        for start in range(0, len(hidden), block):
            part, wanted = hidden[start : start + block], targets[start : start + block]
            logits = (part @ head.t()).float()  # (b, V)
            place = torch.arange(len(wanted), device=wanted.device)
            top = logits.amax(dim=-1, keepdim=True)
            told = logits[place, wanted] - top.squeeze(-1)
            slope = logits.sub_(top).exp_()
            total = slope.sum(dim=-1, keepdim=True)  # (b, 1)
            loss += (total.log().squeeze(-1) - told).sum()
            if hidden_grad is None and weight_grad is None:
                continue
            slope.div_(total)
            slope[place, wanted] -= 1
            slope = slope.to(hidden.dtype)
            if hidden_grad is not None:
                torch.mm(slope, head, out=hidden_grad[start : start + block])
            if weight_grad is not None:
                weight_grad.add_(slope.t() @ part)
        ctx.save_for_backward(hidden_grad, weight_grad)
        return loss

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        hidden_grad, weight_grad = ctx.saved_tensors
        (scale,) = grads
        return (
            None if hidden_grad is None else hidden_grad.mul_(scale),
            None if weight_grad is None else weight_grad.mul_(scale),
            None,
        )


class CausalLoss:
    """Loss of a causal language model on a batch, in nats per trained token.

    dtype: what matrices are multiplied in; below float32 by autocast, so that trained weights and sums keep float32.
    Whether backbone + plain head equals the model's own forward (some families scale or cap their logits) is found out
    once, on the first batch's first tokens; where it does not, the model's own logits are used.
    """

    def __init__(self, model: nn.Module, dtype: torch.dtype = torch.float32) -> None:
        self._model = model
        self._dtype = dtype
        wrapped: Any = model
        core: Any = wrapped.get_base_model() if hasattr(wrapped, "get_base_model") else wrapped
        self._backbone: Any = core.get_decoder() if hasattr(core, "get_decoder") else core.base_model
        self._head: Any = core.get_output_embeddings()
        self._direct: bool | None = None

    def mean(self, batch: Batch) -> Tensor:
        """Mean over the batch's trained tokens, a scalar to call backward() on (once)."""
        with self._precision(batch):
            hidden = self._hidden(batch)
            if hidden is None:
                return F.cross_entropy(self._own_logits(batch).float(), batch.targets)
            total: Tensor = _HeadCrossEntropy.apply(hidden, self._head.weight, batch.targets)  # type: ignore[no-untyped-call]
            return total / len(batch.targets)

    @torch.no_grad()
    def row_nats(self, batch: Batch) -> Tensor:
        """Summed loss of each row of the batch in nats, (B,), float64."""
        with self._precision(batch):
            return self._row_nats(batch, self._hidden(batch))

    def _precision(self, batch: Batch) -> torch.autocast:
        return multiplied_in(self._dtype, batch.ids.device)

    def _row_nats(self, batch: Batch, hidden: Tensor | None) -> Tensor:
        sums = torch.zeros(len(batch.ids), device=batch.ids.device, dtype=torch.float64)
        block = max(1, BLOCK_LOGITS // len(self._head.weight))
        source = self._own_logits(batch) if hidden is None else hidden
        for start in range(0, len(batch.targets), block):
            at = slice(start, start + block)
            logits = source[at] if hidden is None else self._head(source[at])
            nats = F.cross_entropy(logits.float(), batch.targets[at], reduction="none")
            sums.index_add_(0, batch.rows[at], nats.double())
        return sums

    def _hidden(self, batch: Batch) -> Any:
        """Last hidden states where a trained token is predicted, (P, H); None for a family with a head of its own."""
        if self._direct is None:
            self._direct = self._shortcut_holds(batch.ids[:1, :16])
        if not self._direct:
            return None
        hidden = self._backbone(input_ids=batch.ids, use_cache=False).last_hidden_state  # (B, T, H)
        return hidden[batch.rows, batch.positions]

    def _own_logits(self, batch: Batch) -> Tensor:
        whole: Tensor = self._model(input_ids=batch.ids, use_cache=False).logits  # (B, T, V)
        return whole[batch.rows, batch.positions]

    @torch.no_grad()
    def _shortcut_holds(self, ids: Tensor) -> bool:
        if type(self._head) is not nn.Linear or self._head.bias is not None:
            return False
        training = self._model.training
        self._model.eval()
        own = self._model(input_ids=ids, use_cache=False).logits
        short = self._head(self._backbone(input_ids=ids, use_cache=False).last_hidden_state)
        self._model.train(training)
        return bool((own.float() - short.float()).abs().max() <= SAME_LOGITS * own.float().abs().max())
