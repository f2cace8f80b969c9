"""Recommending with a kept model."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from studio.domain.architectures import Architecture
from studio.engine.tasks.keeping import load_weights
from studio.engine.tasks.prediction import Prediction
from studio.engine.tasks.recommend.factors import FactorModel, read_factors
from studio.engine.tasks.recommend.sequence import SequenceModel, read_sequence
from studio.engine.tasks.recommend.table import UNKNOWN, Chosen, Names

COUNT = 10  # items that are recommended when nobody says how many


class FactorPredictor:
    """inputs: {"user", "count"} for the items that the user would rate highest, or {"user", "item"} for one rating.

    Items that the user has rated, or that "history" names, are not recommended. For a user whom no training row has,
    the items are ordered by what is usual for each (its bias); a rating of an unknown item is what is usual for the
    user, and of two unknowns the mean.
    """

    def __init__(self, model: FactorModel, users: Names, items: Names, limits: tuple[float, float]) -> None:
        self._model, self._users, self._items, self._limits = model, users, items, limits

    @torch.inference_mode()
    def predict(self, inputs: list[dict[str, Any]]) -> list[Prediction]:
        """One prediction for each input, in order."""
        return [self._one(asked) for asked in inputs]

    def _one(self, asked: dict[str, Any]) -> Prediction:
        user = self._users.number(str(asked.get("user", "")))
        unknown = user == UNKNOWN
        ratings = self._model.all_items(user).clone().cpu()
        if "item" in asked:
            rating = ratings[self._items.number(str(asked["item"]))].clamp(*self._limits)
            return Prediction(number=float(rating), unknown_user=unknown)
        own = Chosen(self._model.starts, self._model.chosen).of(user).tolist()
        named = [self._items.number(str(name)) for name in asked.get("history", ())]
        found = _best(ratings, [*own, *named], int(asked.get("count", COUNT)), self._items)
        low, high = self._limits
        items = tuple((name, min(max(score, low), high)) for name, score in found)
        return Prediction(items=items, unknown_user=unknown)


class SequencePredictor:
    """inputs: {"history": [items], "count"} for what comes next, or {"user", "count"} for a user of the training data.

    What was chosen before is not recommended. Items that no training row has are passed over; where nothing is left to
    go by (an unknown user, say), the most chosen items come first. Scores are probabilities among what is left.
    """

    def __init__(self, model: SequenceModel, users: Names, items: Names) -> None:
        self._model, self._users, self._items = model, users, items

    @torch.inference_mode()
    def predict(self, inputs: list[dict[str, Any]]) -> list[Prediction]:
        """One prediction for each input, in order."""
        return [self._one(asked) for asked in inputs]

    def _one(self, asked: dict[str, Any]) -> Prediction:
        unknown = False
        if "history" in asked:
            named = [self._items.number(str(name)) for name in asked["history"]]
            history = [number for number in named if number != UNKNOWN]
        else:
            user = self._users.number(str(asked.get("user", "")))
            unknown = user == UNKNOWN
            history = Chosen(self._model.starts, self._model.chosen).of(user).tolist()
        scores = self._model.after(history).float().cpu().clone()
        scores[[UNKNOWN, *history]] = -math.inf
        found = _best(scores.softmax(-1), history, int(asked.get("count", COUNT)), self._items)
        return Prediction(items=tuple(found), unknown_user=unknown)


def _best(scores: Tensor, without: Sequence[int], count: int, names: Names) -> list[tuple[str, float]]:
    """The highest scores with the items' names, the best first; equal ones in the items' order."""
    scores[[UNKNOWN, *without]] = -math.inf
    left = int(torch.isfinite(scores).sum())
    order = torch.sort(scores, descending=True, stable=True)
    pairs = zip(order.indices.tolist(), order.values.tolist(), strict=True)
    return [(names.name(number), value) for number, value in list(pairs)[: max(0, min(count, left))]]


def load(folder: Path, document: dict[str, Any], device: torch.device) -> FactorPredictor | SequencePredictor:
    """The predictor of a kept recommender. Raises StudioError ``model.unreadable``."""
    users, items = Names(document["users"]), Names(document["items"])
    if document["architecture"] == Architecture.FACTORS.value:
        factors = read_factors(document)
        load_weights(factors, folder)
        return FactorPredictor(
            factors.to(device).eval(), users, items, (document["lowest"], document["highest"])
        )
    sequence = read_sequence(document)
    load_weights(sequence, folder)
    return SequencePredictor(sequence.to(device).eval(), users, items)
