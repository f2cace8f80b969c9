"""Matrix factorisation: a rating is a mean, what is usual for the user and for the item, and how their tastes agree.

Koren, Bell & Volinsky 2009 (Matrix Factorization Techniques for Recommender Systems), eq. 4 and 5.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from studio.domain.architectures import Architecture
from studio.domain.datasets import Split
from studio.domain.measures import Measure
from studio.engine.batching import by_length
from studio.engine.optim import decays_itself
from studio.engine.tasks.keeping import save_weights, write_task
from studio.engine.tasks.recommend.table import UNKNOWN, Chosen, Rating, Table
from studio.engine.tasks.task import Check, LearningTask, Loaded, Probe, Setting
from studio.protocol.events import PreviewToken

LOOK_BATCH = 8192
ITEM_DAMPING, USER_DAMPING = 25.0, 10.0  # ratings at the mean that a bias of the baseline is shrunk by
FIRST_SPREAD = 0.1  # of the factors before the first update


@dataclass(frozen=True)
class RatingItem:
    """One rating; users and items by number."""

    row: int
    user: int
    item: int
    value: float
    length: int = 1
    targets: int = 1
    cut: bool = False


@dataclass(frozen=True)
class RatingBatch:
    users: Tensor  # (B,) int64
    items: Tensor  # (B,) int64
    values: Tensor  # (B,) float32
    source_rows: tuple[int, ...]

    @property
    def weight(self) -> int:
        return len(self.values)

    @property
    def work(self) -> int:
        return len(self.values)

    def to(self, device: torch.device) -> RatingBatch:
        """The same batch on a device."""
        if device.type == "cpu":
            return self
        users, items, values = (
            t.to(device, non_blocking=True) for t in (self.users, self.items, self.values)
        )
        return replace(self, users=users, items=items, values=values)


class FactorModel(nn.Module):
    """mean + user bias + item bias + user factors · item factors. Number 0, the unknown, is zero throughout.

    Beside the weights it keeps what each user has chosen, for recommending something else.
    """

    mean: Tensor
    starts: Tensor
    chosen: Tensor

    def __init__(self, users: int, items: int, factors: int, mean: float, chosen: Chosen) -> None:
        super().__init__()
        self.user_factors = nn.Embedding(users, factors, padding_idx=UNKNOWN)
        self.item_factors = nn.Embedding(items, factors, padding_idx=UNKNOWN)
        self.user_bias = nn.Embedding(users, 1, padding_idx=UNKNOWN)
        self.item_bias = nn.Embedding(items, 1, padding_idx=UNKNOWN)
        for table, spread in (
            (self.user_factors, FIRST_SPREAD), (self.item_factors, FIRST_SPREAD),
            (self.user_bias, 0.0), (self.item_bias, 0.0),
        ):  # fmt: skip
            nn.init.normal_(table.weight, std=spread) if spread else nn.init.zeros_(table.weight)
            decays_itself(table.weight)
            with torch.no_grad():
                table.weight[UNKNOWN] = 0
        self.register_buffer("mean", torch.tensor(mean))
        self.register_buffer("starts", chosen.starts)
        self.register_buffer("chosen", chosen.items)

    def forward(self, users: Tensor, items: Tensor) -> tuple[Tensor, Tensor]:
        """The ratings, (B,), and the squared length of what was looked up for each, (B,)."""
        own, its = self.user_factors(users), self.item_factors(items)  # (B, K)
        liking, liked = self.user_bias(users).squeeze(-1), self.item_bias(items).squeeze(-1)  # (B,)
        ratings = self.mean + liking + liked + (own * its).sum(-1)
        return ratings, own.square().sum(-1) + its.square().sum(-1) + liking**2 + liked**2

    def all_items(self, user: int) -> Tensor:
        """The ratings that a user would give, (items,); for an unknown user what is usual for the items."""
        number = torch.tensor(user, device=self.mean.device)
        own = self.item_factors.weight @ self.user_factors(number)
        ratings: Tensor = self.mean + self.user_bias(number) + self.item_bias.weight.squeeze(-1) + own
        return ratings


class FactorTask(LearningTask[RatingItem, RatingBatch]):
    """Ratings by matrix factorisation, with the spec's weight decay on each row that is looked up (eq. 5)."""

    measure = Measure.SQUARED_ERROR
    validation_work = 1_000_000  # a rating is read in microseconds
    held_out_work = 1_000_000

    def __init__(self, model: FactorModel, table: Table, setting: Setting) -> None:
        self.model: FactorModel = model
        self._table, self._device, self._spec = table, setting.device, setting.plan.spec
        values = [rating.value for rating in table.of(Split.TRAIN)]
        self._limits = (min(values), max(values))
        self._usual = usual_ratings(table)

    def collate(self, items: Sequence[RatingItem]) -> RatingBatch:
        numbers = torch.tensor([(item.user, item.item) for item in items], dtype=torch.int64)
        values = torch.tensor([item.value for item in items], dtype=torch.float32)
        return RatingBatch(numbers[:, 0], numbers[:, 1], values, tuple(item.row for item in items))

    def to_device(self, batch: RatingBatch) -> RatingBatch:
        return batch.to(self._device)

    def loss(self, batch: RatingBatch) -> Tensor:
        ratings, sizes = self.model(batch.users, batch.items)
        loss: Tensor = ((ratings - batch.values) ** 2 + self._spec.weight_decay * sizes).mean()
        return loss

    def row_losses(self, batch: RatingBatch) -> Tensor:
        return self._errors(batch) ** 2

    def baseline(self, items: Sequence[RatingItem]) -> list[float]:
        """Squared errors of what is usual for the user and the item; see ``usual_ratings``."""
        mean, users, its = self._usual
        return [
            (float(self._within(mean + users[item.user] + its[item.item])) - item.value) ** 2
            for item in items
        ]

    @torch.no_grad()
    def metrics(self, items: Sequence[RatingItem], check: Check) -> dict[str, float]:
        if not items:
            return {}
        errors = []
        for places in by_length([1] * len(items), LOOK_BATCH):
            errors.append(self._errors(self.to_device(self.collate([items[place] for place in places]))))
            check()
        found = torch.cat(errors)
        return {"rmse": math.sqrt(float(found.square().mean())), "mae": float(found.abs().mean())}

    def probe(self, prompt: str) -> Probe | None:
        """The first three items for the user with this name."""
        from studio.engine.tasks.recommend.predictor import FactorPredictor

        told = FactorPredictor(self.model, self._table.users, self._table.items, self._limits)
        with torch.no_grad():
            return Probe(told.predict([{"user": prompt}])[0].words())

    def preview(self, items: Sequence[RatingItem]) -> list[list[PreviewToken]]:
        names = self._table
        return [
            [
                PreviewToken(text=f"{names.users.name(item.user)} · {names.items.name(item.item)} → ", trained=False),
                PreviewToken(text=f"{item.value:g}", trained=True),
            ]
            for item in items
        ]  # fmt: skip

    def save(self, folder: Path) -> None:
        save_weights(self.model, folder)
        write_task(folder, {
            "architecture": Architecture.FACTORS.value, "users": self._table.users.known,
            "items": self._table.items.known, "factors": self.model.item_factors.embedding_dim,
            "chosen": len(self.model.chosen), "lowest": self._limits[0], "highest": self._limits[1],
            "measure": self.measure.value,
        })  # fmt: skip

    def _errors(self, batch: RatingBatch) -> Tensor:
        ratings, _sizes = self.model(batch.users, batch.items)
        return self._within(ratings.double()) - batch.values

    def _within(self, ratings: Tensor) -> Tensor:
        """A rating is never outside of those that were given."""
        return ratings.clamp(*self._limits)


def usual_ratings(table: Table) -> tuple[Tensor, Tensor, Tensor]:
    """The mean, what users add to it and what items add, from the training rows; float64, 0 for the unknown.

    b_i = Σ(r − mean)/(25 + n_i), then b_u = Σ(r − mean − b_i)/(10 + n_u) (Koren 2010, Factor in the Neighbors, 2.1):
    the simplest guess that knows both, harder to beat than a mean of either.
    """
    ratings = table.of(Split.TRAIN)
    users = torch.tensor([rating.user for rating in ratings])
    items = torch.tensor([rating.item for rating in ratings])
    values = torch.tensor([rating.value for rating in ratings], dtype=torch.float64)
    mean = values.mean()
    its = _damped(items, values - mean, len(table.items), ITEM_DAMPING)
    own = _damped(users, values - mean - its[items], len(table.users), USER_DAMPING)
    return mean, own, its


def _damped(numbers: Tensor, values: Tensor, size: int, damping: float) -> Tensor:
    sums = torch.zeros(size, dtype=torch.float64).index_add_(0, numbers, values)
    return sums / (torch.bincount(numbers, minlength=size) + damping)


def build_factors(setting: Setting, table: Table) -> Loaded[RatingItem, RatingBatch]:
    """The task with a new model."""
    training = table.of(Split.TRAIN)
    mean = sum(rating.value for rating in training) / len(training)
    torch.manual_seed(setting.plan.spec.seed)
    model = FactorModel(
        len(table.users), len(table.items), setting.plan.spec.factors, mean, Chosen.from_table(table)
    )
    task = FactorTask(model.to(setting.device), table, setting)
    items = {split: [_item(rating) for rating in table.of(split)] for split in Split}
    return Loaded(task, items[Split.TRAIN], items[Split.VALIDATION], items[Split.TEST])


def _item(rating: Rating) -> RatingItem:
    return RatingItem(rating.row, rating.user, rating.item, rating.value)


def read_factors(document: dict[str, Any]) -> FactorModel:
    """A model of the kept sizes, its weights still to be filled."""
    users, items = len(document["users"]) + 1, len(document["items"]) + 1
    empty = Chosen(
        torch.zeros(users + 1, dtype=torch.int64), torch.zeros(document["chosen"], dtype=torch.int64)
    )
    return FactorModel(users, items, document["factors"], 0.0, empty)
