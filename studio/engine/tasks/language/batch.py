"""Token sequences as one batch, padded on the right without a mask.

Causal attention never looks to the right, so padding after a row changes none of its numbers; what it costs is
the padded positions themselves, which length buckets keep to a few per cent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from studio.engine.tasks.language.encoding import Example


@dataclass(frozen=True)
class Batch:
    """Token ids (B, T) and, flattened over the batch, where a trained token is predicted and which it is."""

    ids: Tensor  # (B, T) int64
    rows: Tensor  # (P,) row of each predicting position
    positions: Tensor  # (P,) column of each predicting position
    targets: Tensor  # (P,) token id to predict
    real_tokens: int
    source_rows: tuple[int, ...]

    @property
    def weight(self) -> int:
        """Trained tokens."""
        return len(self.targets)

    @property
    def work(self) -> int:
        return self.real_tokens

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        if device.type == "cpu":
            return self
        ids, rows, positions, targets = (
            t.to(device, non_blocking=True) for t in (self.ids, self.rows, self.positions, self.targets)
        )
        return Batch(ids, rows, positions, targets, self.real_tokens, self.source_rows)


def collate(examples: Sequence[Example], pad_id: int) -> Batch:
    """Examples as one batch, padded on the right to the longest."""
    longest = max(e.length for e in examples)
    ids = torch.full((len(examples), longest), pad_id, dtype=torch.int64)
    rows, positions, targets = [], [], []
    for index, example in enumerate(examples):
        tokens = torch.from_numpy(example.ids).long()
        ids[index, : example.length] = tokens
        at = torch.from_numpy(example.trained).nonzero(as_tuple=True)[0]
        rows.append(torch.full_like(at, index))
        positions.append(at - 1)  # a token is predicted from the position before it
        targets.append(tokens[at])
    return Batch(
        ids, torch.cat(rows), torch.cat(positions), torch.cat(targets),
        sum(e.length for e in examples), tuple(e.row for e in examples),
    )  # fmt: skip
