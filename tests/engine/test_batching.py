"""Batches are a pure function of seed and epoch, hold every row once, and pad little."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.engine.batching import by_length, epoch_batches
from studio.engine.tasks.language.batch import collate
from studio.engine.tasks.language.encoding import Example

lengths = st.lists(st.integers(2, 60), min_size=1, max_size=150)


@settings(deadline=None)
@given(lengths=lengths, size=st.integers(1, 9), seed=st.integers(0, 2**31 - 1), epoch=st.integers(0, 50))
def test_an_epoch_holds_every_row_once(lengths: list[int], size: int, seed: int, epoch: int) -> None:
    batches = epoch_batches(lengths, size, seed, epoch)
    assert sorted(i for batch in batches for i in batch) == list(range(len(lengths)))
    assert all(1 <= len(batch) <= size for batch in batches)
    assert len(batches) == -(-len(lengths) // size)
    assert batches == epoch_batches(lengths, size, seed, epoch)


def test_epochs_and_seeds_differ() -> None:
    many = list(range(2, 102))
    assert epoch_batches(many, 4, 1, 0) != epoch_batches(many, 4, 1, 1)
    assert epoch_batches(many, 4, 1, 0) != epoch_batches(many, 4, 2, 0)


def test_buckets_pad_little() -> None:
    rng = np.random.default_rng(0)
    many = rng.integers(20, 400, 512).tolist()
    batches = epoch_batches(many, 4, 0, 0)
    padded = sum(max(many[i] for i in batch) * len(batch) for batch in batches)
    assert padded / sum(many) < 1.1


@settings(deadline=None)
@given(lengths=lengths, size=st.integers(1, 9))
def test_by_length_starts_with_the_longest(lengths: list[int], size: int) -> None:
    batches = by_length(lengths, size)
    flat = [i for batch in batches for i in batch]
    assert sorted(flat) == list(range(len(lengths)))
    assert [lengths[i] for i in flat] == sorted(lengths, reverse=True)


def test_collate_points_at_the_position_before_each_target() -> None:
    first = Example(1, np.array([5, 6, 7], np.int32), np.array([False, True, True]))
    second = Example(2, np.array([8, 9], np.int32), np.array([False, True]))
    batch = collate([first, second], pad_id=0)
    assert batch.ids.tolist() == [[5, 6, 7], [8, 9, 0]]
    assert list(zip(batch.rows.tolist(), batch.positions.tolist(), batch.targets.tolist(), strict=True)) == [
        (0, 0, 6),
        (0, 1, 7),
        (1, 0, 9),
    ]
    assert batch.real_tokens == 5
    assert batch.source_rows == (1, 2)
    assert batch.to(torch.device("cpu")) is batch
