"""What a model with a head is asked for: one label, several labels, or a number; its loss, its scores, its words.

The same goals serve texts, pictures and recordings. Targets are tensors of a fixed width, so that they stack.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.nn import functional as F

from studio.domain.measures import Measure
from studio.domain.specs import TrainSpec
from studio.engine.tasks.prediction import Prediction
from studio.errors import StudioError
from studio.i18n import _

KEPT_LABELS = 20  # of a prediction


class Goal(ABC):
    """size: outputs of the model's head."""

    measure: ClassVar[Measure]
    size: int

    @abstractmethod
    def target(self, row: dict[str, Any]) -> Tensor | None:
        """What the row asks for; None when the model cannot know it (a label that no training row has)."""

    @abstractmethod
    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Loss of each row for training, (B,). outputs: (B, size); targets: stacked."""

    @abstractmethod
    def scores(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """The measure of each row, (B,), float64."""

    @abstractmethod
    def baseline(self, targets: Tensor) -> list[float]:
        """The same of the simplest guess, which knows the training rows' answers only."""

    @abstractmethod
    def metrics(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        """Named figures over all rows together."""

    @abstractmethod
    def predictions(self, outputs: Tensor) -> list[Prediction]:
        """The answers in words, (B,)."""

    @abstractmethod
    def document(self) -> dict[str, Any]:
        """Everything needed to predict later, as JSON values; ``goal_from`` reads it."""


class SingleLabel(Goal):
    """One of several labels. labels: by frequency in the training rows, then by name; counts: rows of each."""

    measure = Measure.CORRECT

    def __init__(
        self, labels: Sequence[str], counts: Sequence[int], weights: Tensor | None, smoothing: float
    ) -> None:
        self.labels, self.counts, self.size = list(labels), list(counts), len(labels)
        self._places = {label: place for place, label in enumerate(labels)}
        self._weights, self._smoothing = weights, smoothing

    def target(self, row: dict[str, Any]) -> Tensor | None:
        place = self._places.get(row["label"])
        return None if place is None else torch.tensor(place)

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        weights = None if self._weights is None else self._weights.to(outputs.device)
        return F.cross_entropy(
            outputs.float(), targets, weight=weights, reduction="none", label_smoothing=self._smoothing
        )

    def scores(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs.argmax(-1) == targets).double()

    def baseline(self, targets: Tensor) -> list[float]:
        return [float(target == 0) for target in targets.tolist()]  # the first label is the most frequent

    def metrics(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        from sklearn.metrics import accuracy_score, precision_recall_fscore_support, roc_auc_score

        truth, said = targets.tolist(), outputs.argmax(-1).tolist()
        precision, recall, f1, _support = precision_recall_fscore_support(
            truth, said, average="macro", zero_division=0
        )
        found = {
            "accuracy": float(accuracy_score(truth, said)), "precision": float(precision),
            "recall": float(recall), "macro_f1": float(f1),
        }  # fmt: skip
        if self.size == 2 and len(set(truth)) == 2:
            found["auc"] = float(roc_auc_score(truth, outputs.float().softmax(-1)[:, 1].tolist()))
        return found

    def predictions(self, outputs: Tensor) -> list[Prediction]:
        shares = outputs.float().softmax(-1)
        top = shares.topk(min(KEPT_LABELS, self.size), dim=-1)
        return [
            Prediction(
                labels=(pairs := tuple(zip((self.labels[i] for i in places), values, strict=True))),
                chosen=(pairs[0][0],),
            )
            for values, places in zip(top.values.tolist(), top.indices.tolist(), strict=True)
        ]

    def document(self) -> dict[str, Any]:
        return {"kind": "label", "labels": self.labels, "counts": self.counts}


class SeveralLabels(Goal):
    """Any number of labels. Each is decided by itself, at a probability of one half."""

    measure = Measure.LABELS_RIGHT

    def __init__(
        self, labels: Sequence[str], counts: Sequence[int], rows: int, weights: Tensor | None
    ) -> None:
        self.labels, self.counts, self.rows, self.size = list(labels), list(counts), rows, len(labels)
        self._places = {label: place for place, label in enumerate(labels)}
        self._weights = weights

    def target(self, row: dict[str, Any]) -> Tensor | None:
        wanted = torch.zeros(self.size)
        for label in row["labels"]:
            if label in self._places:
                wanted[self._places[label]] = 1.0
        return wanted

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        weights = None if self._weights is None else self._weights.to(outputs.device)
        each = F.binary_cross_entropy_with_logits(
            outputs.float(), targets, pos_weight=weights, reduction="none"
        )
        return each.mean(-1)

    def scores(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return _f1_by_row((outputs > 0).double(), targets.double())

    def baseline(self, targets: Tensor) -> list[float]:
        guess = torch.tensor([2 * count > self.rows for count in self.counts]).double()
        if not guess.any():
            guess[0] = 1.0
        return [float(value) for value in _f1_by_row(guess.expand(len(targets), -1), targets.double())]

    def metrics(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        from sklearn.metrics import f1_score

        truth, said = targets.int().numpy(), (outputs > 0).int().numpy()
        return {
            "micro_f1": float(f1_score(truth, said, average="micro", zero_division=0)),
            "macro_f1": float(f1_score(truth, said, average="macro", zero_division=0)),
            "exact": float((truth == said).all(axis=1).mean()),
        }

    def predictions(self, outputs: Tensor) -> list[Prediction]:
        found = []
        for shares in outputs.float().sigmoid().tolist():
            pairs = sorted(zip(self.labels, shares, strict=True), key=lambda pair: -pair[1])
            chosen = tuple(label for label, share in pairs if share > 0.5)
            found.append(Prediction(labels=tuple(pairs[:KEPT_LABELS]), chosen=chosen))
        return found

    def document(self) -> dict[str, Any]:
        return {"kind": "labels", "labels": self.labels, "counts": self.counts, "rows": self.rows}


class Number(Goal):
    """A number; learned in units of the training rows' deviation, told in its own."""

    measure = Measure.SQUARED_ERROR
    size = 1

    def __init__(self, mean: float, deviation: float) -> None:
        self.mean, self.deviation = mean, deviation

    def target(self, row: dict[str, Any]) -> Tensor | None:
        return torch.tensor((row["number"] - self.mean) / self.deviation, dtype=torch.float32)

    def losses(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return (outputs.float().squeeze(-1) - targets) ** 2

    def scores(self, outputs: Tensor, targets: Tensor) -> Tensor:
        return self.losses(outputs, targets).double() * self.deviation**2

    def baseline(self, targets: Tensor) -> list[float]:
        return [float(value) for value in targets.double() ** 2 * self.deviation**2]

    def metrics(self, outputs: Tensor, targets: Tensor) -> dict[str, float]:
        errors = (outputs.double().squeeze(-1) - targets.double()) * self.deviation
        spread = float(((targets.double() - targets.double().mean()) * self.deviation).pow(2).mean())
        squared = float(errors.pow(2).mean())
        found = {"rmse": math.sqrt(squared), "mae": float(errors.abs().mean())}
        return {**found, "r2": 1 - squared / spread} if spread > 0 else found

    def predictions(self, outputs: Tensor) -> list[Prediction]:
        return [
            Prediction(number=value * self.deviation + self.mean) for value in outputs.squeeze(-1).tolist()
        ]

    def document(self) -> dict[str, Any]:
        return {"kind": "number", "mean": self.mean, "deviation": self.deviation}


def single_label(rows: Iterable[dict[str, Any]], spec: TrainSpec, weights: dict[str, float]) -> SingleLabel:
    """The goal that the training rows set. Raises StudioError ``run.one_label`` when there are not two labels."""
    counts = Counter(row["label"] for row in rows)
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    if len(ordered) < 2:
        raise StudioError(
            "run.one_label", _("All training rows have the same label, so there is nothing to tell apart."),
            _("Add rows with another label, or give labels to those that wait for one."),
        )  # fmt: skip
    labels, amounts = [label for label, _n in ordered], [n for _label, n in ordered]
    return SingleLabel(labels, amounts, _balance(labels, amounts, spec, weights), spec.label_smoothing)


def several_labels(rows: Iterable[dict[str, Any]], spec: TrainSpec) -> SeveralLabels:
    """The goal that the training rows set. Raises StudioError ``run.one_label`` when no row has a label."""
    counts: Counter[str] = Counter()
    total = 0
    for row in rows:
        counts.update(row["labels"])
        total += 1
    ordered = sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))
    if not ordered:
        raise StudioError(
            "run.one_label", _("No training row has a label."), _("Give some rows labels first.")
        )
    labels, amounts = [label for label, _n in ordered], [n for _label, n in ordered]
    rare = torch.tensor([max(1.0, (total - n) / n) for n in amounts]) if spec.balance_labels else None
    return SeveralLabels(labels, amounts, total, rare)


def number(rows: Iterable[dict[str, Any]]) -> Number:
    """The goal that the training rows set. Raises StudioError ``run.one_label`` when all numbers are the same."""
    values = torch.tensor([row["number"] for row in rows], dtype=torch.float64)
    deviation = float(values.std(correction=0)) if len(values) else 0.0
    if deviation == 0:
        raise StudioError(
            "run.one_label", _("All training rows have the same number, so there is nothing to learn."),
            _("Add rows with other numbers."),
        )  # fmt: skip
    return Number(float(values.mean()), deviation)


def goal_from(document: dict[str, Any]) -> Goal:
    """The goal of a kept model. Raises KeyError when the document is none."""
    kind = document["kind"]
    if kind == "label":
        return SingleLabel(document["labels"], document["counts"], None, 0.0)
    if kind == "labels":
        return SeveralLabels(document["labels"], document["counts"], document["rows"], None)
    return Number(document["mean"], document["deviation"])


def _balance(
    labels: list[str], amounts: list[int], spec: TrainSpec, weights: dict[str, float]
) -> Tensor | None:
    """Weight of each label: the dataset's own, else so that each label has the same say (n / (k · n_label))."""
    if weights:
        return torch.tensor([float(weights.get(label, 1.0)) for label in labels])
    if not spec.balance_labels:
        return None
    total = sum(amounts)
    return torch.tensor([total / (len(labels) * n) for n in amounts])


def _f1_by_row(said: Tensor, truth: Tensor) -> Tensor:
    """F1 of each row's labels, (B,); a row without labels that is given none is right."""
    both = 2 * (said * truth).sum(-1)
    all_labels = said.sum(-1) + truth.sum(-1)
    return torch.where(all_labels == 0, torch.ones_like(both), both / all_labels.clamp(min=1))
