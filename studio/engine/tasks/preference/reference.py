"""What the untrained model says of each answer, asked once before the first update and kept beside the run.

So each update needs one pass and no second model, and a resumed run has the very same numbers.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from studio.engine.folders import fsync, plain_write_errors

FILE: Final = "reference.safetensors"


class Reference:
    """Nats of both answers of each source row. key: tells what they were measured with."""

    def __init__(self, folder: Path, key: str) -> None:
        self._path, self._key = folder / FILE, key
        self._nats: dict[int, tuple[float, float]] = {}

    def read(self) -> None:
        """Take what is kept, if it was measured with the same; a damaged file counts as none."""
        try:
            with safe_open(str(self._path), framework="pt") as file:
                if (file.metadata() or {}).get("key") != self._key:
                    return
                rows, nats = file.get_tensor("rows").tolist(), file.get_tensor("nats").tolist()
        except (OSError, SafetensorError):
            return
        self._nats = {row: (first, second) for row, (first, second) in zip(rows, nats, strict=True)}

    def write(self) -> None:
        """Keep it, whole or not at all. Raises OSError."""
        aside = self._path.with_suffix(".tmp")
        tensors = {
            "rows": torch.tensor(list(self._nats), dtype=torch.int64),
            "nats": torch.tensor(list(self._nats.values()), dtype=torch.float64),
        }
        with plain_write_errors():
            save_file(tensors, str(aside), metadata={"key": self._key})
        fsync(aside)
        os.replace(aside, self._path)
        fsync(self._path.parent)

    def put(self, rows: Sequence[int], nats: Tensor) -> None:
        """nats: (2B,), of each row's answers."""
        for row, (first, second) in zip(rows, nats.double().view(-1, 2).tolist(), strict=True):
            self._nats[row] = (first, second)

    def missing(self, rows: Iterable[int]) -> list[int]:
        """Places of the rows that are not known."""
        return [place for place, row in enumerate(rows) if row not in self._nats]

    def of(self, rows: Sequence[int]) -> Tensor | None:
        """(2B,) float64; None when a row was never asked."""
        if self.missing(rows):
            return None
        return torch.tensor([self._nats[row] for row in rows], dtype=torch.float64).view(-1)
