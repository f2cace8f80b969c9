"""What a user will choose next: a small causal Transformer over what they chose so far (SASRec, Kang & McAuley 2018).

Only that something was chosen counts, not how it was rated. Which choices are learned from and asked for: choices.py.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from studio.domain.architectures import Architecture
from studio.domain.datasets import Split
from studio.domain.measures import Measure
from studio.domain.specs import TrainSpec
from studio.engine.batching import by_length
from studio.engine.devices import multiplied_in
from studio.engine.tasks.keeping import save_weights, write_task
from studio.engine.tasks.recommend.choices import LONGEST, NOTHING, ChoiceBatch, ChoiceItem, choice_items
from studio.engine.tasks.recommend.table import UNKNOWN, Chosen, Table
from studio.engine.tasks.task import Check, LearningTask, Loaded, Probe, Setting
from studio.engine.tasks.text.models import Block
from studio.errors import StudioError
from studio.i18n import _
from studio.protocol.events import PreviewToken

TOP = 10
LOOK_BATCH = 128


@dataclass(frozen=True)
class SequenceSizes:
    """items: with the unknown one."""

    items: int
    width: int
    layers: int
    heads: int
    dropout: float


class SequenceModel(nn.Module):
    """Embeddings of items and places, causal pre-norm layers, and scores by the items' own embeddings.

    Padding stands on the right, where a causal model never looks. Beside the weights it keeps what each user has
    chosen, and how often each item was.
    """

    counts: Tensor
    starts: Tensor
    chosen: Tensor

    def __init__(self, sizes: SequenceSizes, counts: Tensor, chosen: Chosen) -> None:
        super().__init__()
        self.items = nn.Embedding(sizes.items, sizes.width)
        self.places = nn.Embedding(LONGEST, sizes.width)
        self.blocks = nn.ModuleList(
            Block(sizes.width, sizes.heads, sizes.dropout) for _layer in range(sizes.layers)
        )
        self.norm, self.dropout = nn.LayerNorm(sizes.width), nn.Dropout(sizes.dropout)
        nn.init.normal_(self.items.weight, std=0.02)
        nn.init.normal_(self.places.weight, std=0.02)
        self.register_buffer("counts", counts)
        self.register_buffer("starts", chosen.starts)
        self.register_buffer("chosen", chosen.items)

    def states(self, history: Tensor) -> Tensor:
        """(B, T) -> (B, T, H): what is known after each choice."""
        length = history.shape[1]
        known = self.items(history) * math.sqrt(self.items.embedding_dim)
        states = self.dropout(known + self.places.weight[:length])
        back = torch.ones(length, length, dtype=torch.bool, device=history.device).tril()
        for block in self.blocks:
            states = block(states, back)
        normed: Tensor = self.norm(states)
        return normed

    def scores(self, states: Tensor) -> Tensor:
        """(…, H) -> (…, items). The unknown one is never asked for in training, so it gets a low score by itself."""
        return F.linear(states, self.items.weight)

    def after(self, history: Sequence[int]) -> Tensor:
        """Scores of all items after these choices, (items,); without any, the logarithm of how usual each is."""
        if not history:
            return torch.log(self.counts / self.counts.sum())
        numbers = torch.tensor([history[-LONGEST:]], device=self.counts.device)
        return self.scores(self.states(numbers)[0, -1])


class SequenceTask(LearningTask[ChoiceItem, ChoiceBatch]):
    """The next choice of all items (cross-entropy over every one, not over a sample)."""

    measure = Measure.RANKED
    validation_work = 1_000_000
    held_out_work = 1_000_000

    def __init__(self, model: SequenceModel, table: Table, sizes: SequenceSizes, setting: Setting) -> None:
        self.model: SequenceModel = model
        self._table, self._sizes, self._setting = table, sizes, setting
        self._counts = table.counts()

    def collate(self, items: Sequence[ChoiceItem]) -> ChoiceBatch:
        longest = max(item.length for item in items)
        history = torch.full((len(items), longest), UNKNOWN, dtype=torch.int64)
        asked = torch.full((len(items), longest), NOTHING, dtype=torch.int64)
        for index, item in enumerate(items):
            history[index, : item.length] = torch.tensor(item.history)
            asked[index, : item.length] = torch.tensor(item.wanted)
        rows, positions = (asked != NOTHING).nonzero(as_tuple=True)
        return ChoiceBatch(
            history, rows, positions, asked[rows, positions], tuple(item.seen for item in items),
            sum(item.length for item in items), tuple(item.row for item in items),
        )  # fmt: skip

    def to_device(self, batch: ChoiceBatch) -> ChoiceBatch:
        return batch.to(self._setting.device)

    def loss(self, batch: ChoiceBatch) -> Tensor:
        return F.cross_entropy(self._scores(batch), batch.wanted)

    def row_losses(self, batch: ChoiceBatch) -> Tensor:
        nats = F.cross_entropy(self._scores(batch), batch.wanted, reduction="none").double()
        return torch.zeros(len(batch.history), dtype=torch.float64, device=nats.device).index_add(
            0, batch.rows, nats
        )

    def row_scores(self, batch: ChoiceBatch) -> Tensor:
        """NDCG@10 of each question, which has one right answer: 1/log2(1 + place) among the first ten, else 0."""
        return _gain(self._places(batch))

    def baseline(self, items: Sequence[ChoiceItem]) -> list[float]:
        """The same for the most chosen items of the training rows, whoever asks; the user's own left out."""
        found = []
        for item in items:
            scores = _without(self._counts[None].clone(), [item.seen], [item.wanted[-1]])
            found.append(float(_gain(_place_of(scores, torch.tensor([item.wanted[-1]])))))
        return found

    @torch.no_grad()
    def metrics(self, items: Sequence[ChoiceItem], check: Check) -> dict[str, float]:
        if not items:
            return {}
        training = self.model.training
        self.model.eval()
        places = []
        try:
            for indices in by_length([item.length for item in items], LOOK_BATCH):
                places.append(self._places(self.to_device(self.collate([items[i] for i in indices]))))
                check()
        finally:
            self.model.train(training)
        found = torch.cat(places)
        return {
            "recall_at_10": float((found <= TOP).double().mean()), "ndcg_at_10": float(_gain(found).mean())
        }  # fmt: skip

    def probe(self, prompt: str) -> Probe | None:
        """The first three items for the user with this name."""
        from studio.engine.tasks.recommend.predictor import SequencePredictor

        training = self.model.training
        self.model.eval()
        told = SequencePredictor(self.model, self._table.users, self._table.items)
        said = told.predict([{"user": prompt}])[0].words()
        self.model.train(training)
        return Probe(said)

    def preview(self, items: Sequence[ChoiceItem]) -> list[list[PreviewToken]]:
        return [
            [
                PreviewToken(text=f"{self._table.items.name(item.history[0])} → ", trained=False),
                PreviewToken(
                    text=" → ".join(self._table.items.name(number) for number in item.wanted[:20]),
                    trained=True,
                ),
            ]
            for item in items
        ]

    def save(self, folder: Path) -> None:
        save_weights(self.model, folder)
        write_task(folder, {
            "architecture": Architecture.SEQUENCE.value, "users": self._table.users.known,
            "items": self._table.items.known, "chosen": len(self.model.chosen), "width": self._sizes.width,
            "layers": self._sizes.layers, "heads": self._sizes.heads, "measure": self.measure.value,
        })  # fmt: skip

    def _scores(self, batch: ChoiceBatch) -> Tensor:
        """(P, items), float32."""
        with multiplied_in(self._setting.dtype, self._setting.device):
            states = self.model.states(batch.history)
            return self.model.scores(states[batch.rows, batch.positions]).float()

    def _places(self, batch: ChoiceBatch) -> Tensor:
        """At which place, from 1, each row's answer stands, (B,); what the user has is left out."""
        scores = _without(self._scores(batch), batch.seen, batch.wanted.tolist())
        return _place_of(scores, batch.wanted)


def _without(scores: Tensor, seen: Sequence[frozenset[int]], wanted: Sequence[int]) -> Tensor:
    """The scores with the unknown and what was seen at the very end, but for a right answer that was chosen before."""
    for index, (numbers, right) in enumerate(zip(seen, wanted, strict=True)):
        out = [UNKNOWN, *(number for number in numbers if number != right)]
        scores[index, torch.tensor(out, dtype=torch.int64, device=scores.device)] = -math.inf
    return scores


def _place_of(scores: Tensor, wanted: Tensor) -> Tensor:
    """1 + how many items score higher, or as high with a lower number, (B,), float64."""
    own = scores.gather(1, wanted[:, None])
    before = torch.arange(scores.shape[1], device=scores.device) < wanted[:, None]
    return ((scores > own) | ((scores == own) & before)).sum(1).double() + 1


def _gain(places: Tensor) -> Tensor:
    return torch.where(places <= TOP, 1 / torch.log2(1 + places), torch.zeros_like(places))


def build_sequence(setting: Setting, table: Table) -> Loaded[ChoiceItem, ChoiceBatch]:
    """The task with a new model. Raises StudioError ``run.no_rows`` when no user chose twice."""
    items = choice_items(table)
    if not items[Split.TRAIN]:
        raise StudioError(
            "run.no_rows", _("No user has chosen more than once, so there is no next choice to learn."),
            _("Choose matrix factorisation, or add more rows for each user."),
        )  # fmt: skip
    spec = setting.plan.spec
    torch.manual_seed(spec.seed)
    sizes = _sizes(spec, len(table.items))
    model = SequenceModel(sizes, table.counts(), Chosen.from_table(table)).to(setting.device)
    task = SequenceTask(model, table, sizes, setting)
    return Loaded(task, items[Split.TRAIN], items[Split.VALIDATION], items[Split.TEST])


def _sizes(spec: TrainSpec, items: int) -> SequenceSizes:
    return SequenceSizes(items, spec.width, spec.layers, spec.heads, spec.dropout)


def read_sequence(document: dict[str, Any]) -> SequenceModel:
    """A model of the kept sizes, its weights still to be filled."""
    users, items = len(document["users"]) + 1, len(document["items"]) + 1
    sizes = SequenceSizes(items, document["width"], document["layers"], document["heads"], 0.0)
    empty = Chosen(
        torch.zeros(users + 1, dtype=torch.int64), torch.zeros(document["chosen"], dtype=torch.int64)
    )
    return SequenceModel(sizes, torch.zeros(items), empty)
