"""A linear model over words and word pairs beside a network: "wide and deep" (Cheng et al. 2016).

What few rows say plainly ("not bad") is learned by the linear half in one pass, where a network needs many.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

PAIRS: Final = 1 << 16  # places for pairs; two pairs may share one
_COUNTED_AT_ONCE: Final = 1024  # texts
_SCALE: Final = 10.0  # of a text's vector: by how much a step of the optimizer changes what is said


def pair_places(ids: Tensor) -> Tensor:
    """(B, T) token ids -> (B, T - 1): the place of each token with the next one."""
    places: Tensor = _place(ids[:, :-1], ids[:, 1:])
    return places


def _place(first: Any, second: Any) -> Any:
    return (first * 40503 + second * 2654435) % PAIRS


class WidePart(nn.Module):
    """outputs = W · x; x: the words and pairs of a text by their rarity, of length ``_SCALE``.

    Rarity is the inverse document frequency, ln((1 + n) / (1 + n_w)) + 1 (Sparck Jones 1972, smoothed).
    """

    word_rarity: Tensor  # (vocabulary,)
    pair_rarity: Tensor  # (PAIRS,)

    def __init__(self, vocabulary: int, outputs: int) -> None:
        super().__init__()
        self.words, self.pairs = nn.Embedding(vocabulary, outputs), nn.Embedding(PAIRS, outputs)
        for weights in (self.words.weight, self.pairs.weight):
            nn.init.zeros_(weights)
        self.register_buffer("word_rarity", torch.ones(vocabulary))
        self.register_buffer("pair_rarity", torch.ones(PAIRS))

    def count(self, texts: Iterable[NDArray[np.int32]]) -> None:
        """Take the rarities from the training rows' token ids."""
        rarities = self.word_rarity, self.pair_rarity
        seen = [np.zeros(len(rarity), np.int64) for rarity in rarities]
        rows = 0
        left = iter(texts)
        while some := list(islice(left, _COUNTED_AT_ONCE)):
            words = np.concatenate(some).astype(np.int64)
            row = np.repeat(np.arange(len(some)), [len(text) for text in some])
            inside = row[:-1] == row[1:]
            pairs = _place(words[:-1][inside], words[1:][inside])
            for counts, of_row, items in zip(seen, (row, row[:-1][inside]), (words, pairs), strict=True):
                once = np.unique(of_row * len(counts) + items) % len(counts)  # a row counts an item once
                counts += np.bincount(once, minlength=len(counts))
            rows += len(some)
        for rarity, counts in zip(rarities, seen, strict=True):
            rarity.copy_(torch.log((1 + rows) / (1 + torch.from_numpy(counts).float())) + 1)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(B, T), (B, T) -> (B, outputs)."""
        places = pair_places(ids)
        words = self.word_rarity[ids] * mask
        pairs = self.pair_rarity[places] * mask[:, 1:]
        length = (words.square().sum(1) + pairs.square().sum(1)).sqrt().clamp(min=1e-6)
        said = (self.words(ids) * words.unsqueeze(-1)).sum(1) + (
            self.pairs(places) * pairs.unsqueeze(-1)
        ).sum(1)
        outputs: Tensor = said * (_SCALE / length).unsqueeze(-1)
        return outputs


class WideAndDeep(nn.Module):
    """The mean of what a network and the linear model say."""

    def __init__(self, deep: nn.Module, wide: WidePart) -> None:
        super().__init__()
        self.deep, self.wide = deep, wide

    def parts(self, shown: Tensor, ids: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """What each of them says, (B, outputs); shown: the ids as the network sees them, maybe with some hidden."""
        return self.deep(shown, mask), self.wide(ids, mask)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """(B, T), (B, T) -> (B, outputs)."""
        deep, wide = self.parts(ids, ids, mask)
        return (deep + wide) / 2
