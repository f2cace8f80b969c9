"""The gradients of one update: over its batches, in pieces where memory or a team asks for it.

However an update is divided, its gradient is that of the mean over all its targets, so what is learned is the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from studio.engine.distributed import Team, divided
from studio.engine.tasks.task import Item, LearningTask


@dataclass(frozen=True)
class Update:
    """What the gradients were made from. norm: of all gradients, before they were shortened."""

    loss: float
    norm: float
    work: int


class Gradients:
    """Makes the gradients of ``parameters``, shortened to ``max_norm``."""

    def __init__(
        self, task: LearningTask[Any, Any], items: Sequence[Item], parameters: Sequence[nn.Parameter],
        max_norm: float, team: Team,
    ) -> None:  # fmt: skip
        self._task, self._items, self._parameters = task, items, parameters
        self._max_norm, self._team = max_norm, team

    def make(self, batches: Sequence[list[int]], pieces: int) -> Update:
        """Gradients over batches of item indices, each divided into ``pieces`` for each process."""
        parts = [part for batch in batches for part in divided(batch, pieces * self._team.size)]
        own = [self._task.collate([self._items[i] for i in part]) for part in self._team.own(parts) if part]
        (total,) = self._team.total(sum(batch.weight for batch in own))
        loss = 0.0
        for batch in own:
            share: Tensor = self._task.loss(self._task.to_device(batch)) * (batch.weight / total)
            share.backward()  # type: ignore[no-untyped-call]
            loss += float(share.detach())
        self._team.add_gradients(self._parameters)
        loss, work = self._team.total(loss, sum(batch.work for batch in own))
        return Update(loss, self._shorten(), int(work))

    def _shorten(self) -> float:
        """Norm of all gradients, which are shortened where it is too large and else not even looked through."""
        made = [p.grad for p in self._parameters if p.grad is not None]
        norm = torch.nn.utils.get_total_norm(made, foreach=True)
        if not bool(norm <= self._max_norm):
            torch.nn.utils.clip_grads_with_norm_(self._parameters, self._max_norm, norm, foreach=True)
        return float(norm)
