"""The linear model beside a network: values written out, what it learns from, and that both halves learn."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from studio.engine.tasks.text import wide
from studio.engine.tasks.text.models import TextSizes, TransformerModel, new_text_model
from studio.engine.tasks.text.wide import PAIRS, WideAndDeep, WidePart, pair_places
from tests.helpers.examples import examples

texts = st.lists(st.lists(st.integers(0, 39), min_size=1, max_size=9), min_size=1, max_size=5)


def batch(rows: list[list[int]]) -> tuple[torch.Tensor, torch.Tensor]:
    longest = max(map(len, rows))
    ids = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
    mask = torch.tensor([[1] * len(row) + [0] * (longest - len(row)) for row in rows])
    return ids, mask


def written_out(part: WidePart, row: list[int]) -> torch.Tensor:
    """One text by itself, word by word."""
    total, length = torch.zeros(2), 0.0
    for word in row:
        total += part.word_rarity[word] * part.words.weight[word]
        length += float(part.word_rarity[word]) ** 2
    for first, second in itertools.pairwise(row):
        place = (first * 40503 + second * 2654435) % PAIRS
        total += part.pair_rarity[place] * part.pairs.weight[place]
        length += float(part.pair_rarity[place]) ** 2
    return total * 10 / math.sqrt(length)


@settings(max_examples=examples(40), deadline=None)
@given(texts, texts)
def test_values_do_not_depend_on_the_batch(learned: list[list[int]], rows: list[list[int]]) -> None:
    torch.manual_seed(0)
    part = WidePart(40, 2)
    for weights in (part.words.weight, part.pairs.weight):
        nn.init.normal_(weights)
    part.count(np.asarray(row, dtype=np.int32) for row in learned)
    found = part(*batch(rows))
    for row, said in zip(rows, found, strict=True):
        torch.testing.assert_close(said, written_out(part, row), rtol=1e-4, atol=1e-4)


def test_rare_words_weigh_more() -> None:
    part = WidePart(9, 1)
    part.count(np.asarray(row, dtype=np.int32) for row in ([3, 4, 4], [3, 5], [3], [3]))
    assert part.word_rarity[3] == 1
    assert part.word_rarity[4] == pytest.approx(math.log(5 / 2) + 1)
    assert part.word_rarity[8] == pytest.approx(math.log(5) + 1)
    (place,) = pair_places(torch.tensor([[3, 5]]))[0].tolist()
    assert part.pair_rarity[place] == pytest.approx(math.log(5 / 2) + 1)


def test_counting_in_portions_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [np.asarray(row, dtype=np.int32) for row in ([1, 2, 3], [3, 2], [2], [1, 2, 1, 2], [8])]
    whole, parted = WidePart(9, 1), WidePart(9, 1)
    whole.count(rows)
    monkeypatch.setattr(wide, "_COUNTED_AT_ONCE", 2)
    parted.count(rows)
    assert torch.equal(whole.word_rarity, parted.word_rarity)
    assert torch.equal(whole.pair_rarity, parted.pair_rarity)
    assert len(whole.pair_rarity.unique()) > 2


def sizes(*, pairs: bool) -> TextSizes:
    return TextSizes("transformer", 40, 16, 1, 2, 12, 0.0, 3, pairs)


def test_the_answer_is_the_mean_of_both_and_both_are_kept() -> None:
    torch.manual_seed(0)
    model = new_text_model(sizes(pairs=True))
    assert isinstance(model, WideAndDeep)
    nn.init.normal_(model.wide.words.weight)
    ids, mask = batch([[5, 6, 7], [8]])
    torch.testing.assert_close(model(ids, mask), (model.deep(ids, mask) + model.wide(ids, mask)) / 2)
    model.wide.count([np.asarray([5, 6], dtype=np.int32)])
    other = new_text_model(sizes(pairs=True))
    other.load_state_dict(model.state_dict())
    assert torch.equal(other(ids, mask), model(ids, mask))
    assert isinstance(new_text_model(sizes(pairs=False)), TransformerModel)
