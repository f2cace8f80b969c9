"""Which rows go together: shuffled by seed and epoch, alike in length, padded on the right without a mask.

Causal attention never looks to the right, so padding after a row changes none of its numbers; what it costs is
the padded positions themselves, which length buckets keep to a few per cent.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from studio.engine.tasks.causal_lm import Example

BUCKET_BATCHES = 32  # rows of this many batches are sorted by length together


@dataclass(frozen=True)
class Batch:
    """Token ids (B, T) and, flattened over the batch, where a trained token is predicted and which it is."""

    ids: Tensor  # (B, T) int64
    rows: Tensor  # (P,) row of each predicting position
    positions: Tensor  # (P,) column of each predicting position
    targets: Tensor  # (P,) token id to predict
    real_tokens: int
    source_rows: tuple[int, ...]

    def to(self, device: torch.device) -> Batch:
        """The same batch on a device."""
        if device.type == "cpu":
            return self
        ids, rows, positions, targets = (
            t.to(device, non_blocking=True) for t in (self.ids, self.rows, self.positions, self.targets)
        )
        return Batch(ids, rows, positions, targets, self.real_tokens, self.source_rows)


def epoch_batches(lengths: Sequence[int], batch_size: int, seed: int, epoch: int) -> list[list[int]]:
    """The batches of one epoch as lists of indices: a pure function of its arguments, so a run can resume in it.

    Rows are permuted, sorted by length within buckets of ``BUCKET_BATCHES`` batches, and the batches permuted again.
    """
    generator = torch.Generator().manual_seed((seed * 1_000_003 + epoch) % 2**63)
    order = torch.randperm(len(lengths), generator=generator).tolist()
    batches: list[list[int]] = []
    span = BUCKET_BATCHES * batch_size
    for start in range(0, len(order), span):
        bucket = sorted(order[start : start + span], key=lambda i: lengths[i])
        batches.extend(bucket[i : i + batch_size] for i in range(0, len(bucket), batch_size))
    return [batches[i] for i in torch.randperm(len(batches), generator=generator).tolist()]


def by_length(lengths: Sequence[int], batch_size: int) -> list[list[int]]:
    """All indices in batches of like length, longest first (memory trouble shows at once)."""
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    return [order[i : i + batch_size] for i in range(0, len(order), batch_size)]


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
