"""Which items go together: shuffled by seed and epoch, alike in length, so that little is padded."""

from __future__ import annotations

from collections.abc import Sequence

import torch

BUCKET_BATCHES = 32  # rows of this many batches are sorted by length together


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
