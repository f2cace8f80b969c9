"""Tasks whose model gives each row outputs for a goal: the losses, scores and metrics that they share."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from studio.engine.batching import by_length
from studio.engine.devices import multiplied_in
from studio.engine.tasks.goals import Goal
from studio.engine.tasks.task import Check, Item, LearningBatch, LearningTask

LOOK_BATCH = 64  # rows at once where nothing is learned


class TargetItem(Item):
    target: Tensor


class HeadedBatch(LearningBatch):
    targets: Tensor  # (B, …)


ItemT = TypeVar("ItemT", bound=Any)
BatchT = TypeVar("BatchT", bound=Any)


class HeadedTask(LearningTask[ItemT, BatchT], Generic[ItemT, BatchT]):
    """Subclasses say how items become batches and batches outputs. dtype: of the matrices, lower by autocast."""

    def __init__(self, model: nn.Module, goal: Goal, device: torch.device, dtype: torch.dtype) -> None:
        self.model, self.goal = model, goal
        self.measure = goal.measure  # type: ignore[misc]
        self._device, self._dtype = device, dtype

    @abstractmethod
    def outputs(self, batch: BatchT) -> Tensor:
        """What the model's head says of each row, (B, goal.size)."""

    def loss(self, batch: BatchT) -> Tensor:
        return self.goal.losses(self._outputs(batch), batch.targets).mean()

    def row_losses(self, batch: BatchT) -> Tensor:
        return self.goal.losses(self._outputs(batch), batch.targets).double()

    def row_scores(self, batch: BatchT) -> Tensor:
        return self.goal.scores(self._outputs(batch), batch.targets)

    def examples(self, items: Sequence[ItemT], count: int) -> list[ItemT]:
        """One of each label first, for rows that are sorted by label begin with one alone."""
        found: dict[str, ItemT] = {}
        for item in items:
            found.setdefault(str(item.target.tolist()), item)
            if len(found) == count:
                break
        rows = {item.row for item in found.values()}
        return [*found.values(), *(item for item in items[:count] if item.row not in rows)][:count]

    def baseline(self, items: Sequence[ItemT]) -> list[float] | None:
        return self.goal.baseline(torch.stack([item.target for item in items])) if items else []

    def metrics(self, items: Sequence[ItemT], check: Check) -> dict[str, float]:
        if not items:
            return {}
        outputs = self.outputs_of(items, check)
        return self.goal.metrics(outputs, torch.stack([item.target for item in items]))

    @torch.no_grad()
    def outputs_of(self, items: Sequence[ItemT], check: Check = lambda: None) -> Tensor:
        """Outputs of all items in their order, on the processor, dropout off."""
        training = self.model.training
        self.model.eval()
        found = torch.zeros(len(items), self.goal.size)
        try:
            for indices in by_length([item.length for item in items], LOOK_BATCH):
                batch = self.to_device(self.collate([items[i] for i in indices]))
                found[indices] = self._outputs(batch).float().cpu()
                check()
        finally:
            self.model.train(training)
        return found

    def _outputs(self, batch: BatchT) -> Tensor:
        with self._autocast():
            return self.outputs(batch)

    def _autocast(self) -> torch.autocast:
        return multiplied_in(self._dtype, self._device)


@dataclass(frozen=True)
class Kept(Generic[ItemT]):
    """Items of one split, and how many rows had an answer that no training row has."""

    items: list[ItemT]
    unknown: int


def with_targets(
    rows: Iterable[dict[str, Any]], goal: Goal, make: Callable[[dict[str, Any], Tensor], ItemT]
) -> Kept[ItemT]:
    """The rows as items by ``make(row, target)``; those whose answer cannot be known are counted and left out."""
    items, unknown = [], 0
    for row in rows:
        target = goal.target(row)
        if target is None:
            unknown += 1
        else:
            items.append(make(row, target))
    return Kept(items, unknown)
