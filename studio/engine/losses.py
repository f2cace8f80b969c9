"""Cross-entropy where a token is trained, and nowhere else: the output head never sees the other positions."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from studio.engine.batching import Batch

SAME_LOGITS = 1e-3  # largest difference for which the shortcut counts as the model's own head


class CausalLoss:
    """Loss of a causal language model on a batch, in nats per trained token.

    Whether backbone + head equals the model's own forward (some families scale or cap their logits) is found out once,
    on the first batch's first tokens; where it does not, the model's own logits are used.
    """

    def __init__(self, model: nn.Module) -> None:
        self._model = model
        wrapped: Any = model
        core: Any = wrapped.get_base_model() if hasattr(wrapped, "get_base_model") else wrapped
        self._backbone: nn.Module = core.get_decoder() if hasattr(core, "get_decoder") else core.base_model
        self._head: nn.Module = core.get_output_embeddings()
        self._direct: bool | None = None

    def token_nats(self, batch: Batch) -> Tensor:
        """Cross-entropy of each trained token in nats, (P,), in float32."""
        logits = self._logits(batch)  # (P, V)
        return F.cross_entropy(logits.float(), batch.targets, reduction="none")

    def mean(self, batch: Batch) -> Tensor:
        """Mean over the batch's trained tokens, a scalar."""
        return F.cross_entropy(self._logits(batch).float(), batch.targets)

    def _logits(self, batch: Batch) -> Tensor:
        if self._direct is None:
            self._direct = self._shortcut_holds(batch.ids[:1, :16])
        if not self._direct:
            whole: Tensor = self._model(input_ids=batch.ids, use_cache=False).logits  # (B, T, V)
            return whole[batch.rows, batch.positions]
        hidden = self._backbone(input_ids=batch.ids, use_cache=False).last_hidden_state  # (B, T, H)
        picked: Tensor = self._head(hidden[batch.rows, batch.positions])  # (P, V)
        return picked

    @torch.no_grad()
    def _shortcut_holds(self, ids: Tensor) -> bool:
        training = self._model.training
        self._model.eval()
        own = self._model(input_ids=ids, use_cache=False).logits
        short = self._head(self._backbone(input_ids=ids, use_cache=False).last_hidden_state)
        self._model.train(training)
        return bool((own.float() - short.float()).abs().max() <= SAME_LOGITS)
