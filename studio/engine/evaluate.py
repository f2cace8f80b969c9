"""How a model does on rows that it was not trained on, row by row."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from studio.engine.batching import by_length
from studio.engine.tasks.task import Item, LearningTask


def row_losses(
    task: LearningTask[Any, Any],
    items: Sequence[Item],
    batch_size: int,
    check: Callable[[], None] | None = None,
) -> list[float]:
    """Summed loss of each item, in the items' order; dropout is off meanwhile. check: may raise to end it."""
    return _by_batches(task, items, batch_size, task.row_losses, check)


def row_scores(
    task: LearningTask[Any, Any],
    items: Sequence[Item],
    batch_size: int,
    check: Callable[[], None] | None = None,
) -> list[float]:
    """What the verdict compares, of each item."""
    return _by_batches(task, items, batch_size, task.row_scores, check)


@torch.no_grad()
def _by_batches(
    task: LearningTask[Any, Any],
    items: Sequence[Item],
    batch_size: int,
    look: Callable[[Any], Tensor],
    check: Callable[[], None] | None,
) -> list[float]:
    training = task.model.training
    task.model.eval()
    values = [0.0] * len(items)
    try:
        for indices in by_length([item.length for item in items], batch_size):
            batch = task.to_device(task.collate([items[i] for i in indices]))
            for index, value in zip(indices, look(batch).tolist(), strict=True):
                values[index] = value
            if check:
                check()
    finally:
        task.model.train(training)
    return values


def mean_over_targets(values: Sequence[float], items: Sequence[Item]) -> float:
    """The values of all items per target: nats per trained token, for a language model."""
    return sum(values) / sum(item.targets for item in items)
