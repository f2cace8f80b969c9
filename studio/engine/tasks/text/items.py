"""Texts as token ids, and batches of them, padded on the right."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

ENCODE_CHUNK = 1024


@dataclass(frozen=True)
class TextItem:
    """ids: (T,), at least one; target: as the goal wants it."""

    row: int
    ids: NDArray[np.int32]
    target: Tensor
    cut: bool = False
    targets: int = 1

    @property
    def length(self) -> int:
        return len(self.ids)


@dataclass(frozen=True)
class TextBatch:
    """ids: (B, T) int64; mask: (B, T), 1 where there is a token; targets: (B, …)."""

    ids: Tensor
    mask: Tensor
    targets: Tensor
    work: int
    source_rows: tuple[int, ...]

    @property
    def weight(self) -> int:
        return len(self.ids)

    def to(self, device: torch.device) -> TextBatch:
        """The same batch on a device."""
        if device.type == "cpu":
            return self
        ids, mask, targets = (t.to(device, non_blocking=True) for t in (self.ids, self.mask, self.targets))
        return replace(self, ids=ids, mask=mask, targets=targets)


def encode(tokenizer: Any, texts: Sequence[str], max_length: int) -> list[tuple[NDArray[np.int32], bool]]:
    """(ids with the tokenizer's special tokens, whether the text was cut) of each text; for training and answering."""
    found: list[tuple[NDArray[np.int32], bool]] = []
    for start in range(0, len(texts), ENCODE_CHUNK):
        chunk = list(texts[start : start + ENCODE_CHUNK])
        whole = tokenizer(chunk, truncation=True, max_length=max_length, return_overflowing_tokens=False)
        for text_ids in whole["input_ids"]:
            ids = np.asarray(text_ids or [tokenizer.pad_token_id or 0], dtype=np.int32)
            found.append((ids, len(ids) >= max_length))
    return found


def collate(items: Sequence[TextItem], pad_id: int) -> TextBatch:
    """Texts as one batch."""
    longest = max(item.length for item in items)
    ids = torch.full((len(items), longest), pad_id, dtype=torch.int64)
    mask = torch.zeros((len(items), longest), dtype=torch.int64)
    for index, item in enumerate(items):
        ids[index, : item.length] = torch.from_numpy(item.ids).long()
        mask[index, : item.length] = 1
    return TextBatch(
        ids, mask, torch.stack([item.target for item in items]), sum(item.length for item in items),
        tuple(item.row for item in items),
    )  # fmt: skip
