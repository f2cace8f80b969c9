"""What pairs and thumbs ask of a model: the loss, what counts as right, and by how much."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor

from studio.engine.tasks.preference.items import JudgedItem
from studio.engine.tasks.preference.losses import dpo, kto, thumb_weights

STILL = 1e-3  # nats per token below which an answer counts as neither likelier nor less likely than before


class Judging(Protocol):
    """nats, counts: (B, 2), of each row's two answers; gain: (B, 2), see ``gains``; wanted: (B,)."""

    def losses(self, gain: Tensor, wanted: Tensor) -> Tensor:
        """For training, (B,)."""
        ...

    def scores(self, nats: Tensor, gain: Tensor, counts: Tensor, wanted: Tensor) -> Tensor:
        """1 where the model judges as the row does, 0 where not, one half where it does not tell, (B,)."""
        ...

    def margins(self, gain: Tensor, wanted: Tensor) -> Tensor:
        """By how many nats the model has moved as the row asks, (B,)."""
        ...


class Pairs:
    """A better and a worse answer. Right is a model that gives the better one more probability per token.

    This asks what the model would say itself, not whether it has moved: so the base can be measured alike.
    """

    def __init__(self, beta: float) -> None:
        self._beta = beta

    def losses(self, gain: Tensor, wanted: Tensor) -> Tensor:
        return dpo(gain, self._beta)

    def scores(self, nats: Tensor, gain: Tensor, counts: Tensor, wanted: Tensor) -> Tensor:
        each = nats / counts
        return (torch.sign(each[:, 1] - each[:, 0]) + 1) / 2

    def margins(self, gain: Tensor, wanted: Tensor) -> Tensor:
        return gain[:, 0] - gain[:, 1]


class Thumbs:
    """Single answers with a thumb. Right is a model whose implied reward has the thumb's sign: a wanted answer became
    likelier than it was by the base, an unwanted one less likely. The base, which has not moved, has one half."""

    def __init__(self, beta: float, items: Sequence[JudgedItem]) -> None:
        up = sum(item.wanted > 0 for item in items)
        self._beta, self._weights = beta, thumb_weights(up, len(items) - up)

    def losses(self, gain: Tensor, wanted: Tensor) -> Tensor:
        return kto(gain, wanted, self._beta, self._weights)

    def scores(self, nats: Tensor, gain: Tensor, counts: Tensor, wanted: Tensor) -> Tensor:
        moved = gain[:, 0] * wanted
        right = (torch.sign(moved) + 1) / 2
        return torch.where(moved.abs() < STILL * counts[:, 0], 0.5, right)

    def margins(self, gain: Tensor, wanted: Tensor) -> Tensor:
        return gain[:, 0] * wanted
