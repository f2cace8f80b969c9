"""How surprised a model is by rows that it was not trained on, row by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import nn

from studio.engine.batching import by_length, collate
from studio.engine.losses import CausalLoss
from studio.engine.tasks.causal_lm import Example


@torch.no_grad()
def row_nats(
    model: nn.Module,
    loss: CausalLoss,
    examples: Sequence[Example],
    batch_size: int,
    pad_id: int,
    device: torch.device,
    on_batch: Callable[[int], None] | None = None,
) -> list[float]:
    """Summed loss of each example in nats, in the examples' order; dropout is off meanwhile.

    on_batch: called with the number of rows done; may raise to end the evaluation.
    """
    training = model.training
    model.eval()
    nats = [0.0] * len(examples)
    done = 0
    try:
        for indices in by_length([e.length for e in examples], batch_size):
            batch = collate([examples[i] for i in indices], pad_id).to(device)
            for index, value in zip(indices, loss.row_nats(batch).tolist(), strict=True):
                nats[index] = value
            done += len(indices)
            if on_batch:
                on_batch(done)
    finally:
        model.train(training)
    return nats


def mean_loss(nats: Sequence[float], examples: Sequence[Example]) -> float:
    """Nats per trained token over all examples."""
    return sum(nats) / sum(e.targets for e in examples)
