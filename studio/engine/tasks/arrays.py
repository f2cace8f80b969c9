"""Pictures and recordings as arrays of one shape: the items, batches and the part of a task that both share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from studio.domain.datasets import Split
from studio.engine.tasks.cache import ArrayCache
from studio.engine.tasks.goals import Goal, SingleLabel
from studio.engine.tasks.headed import HeadedTask, with_targets
from studio.engine.tasks.media import Media
from studio.engine.tasks.task import Probe, Setting
from studio.errors import StudioError
from studio.i18n import _
from studio.protocol.events import Log, PreviewToken

PROBED = 3  # held-out rows that show the progress


@dataclass(frozen=True)
class ArrayItem:
    """place: of the array in the cache; name: as in the dataset; target: as the goal wants it."""

    row: int
    place: int
    name: str
    target: Tensor
    cut: bool = False
    length: int = 1
    targets: int = 1


@dataclass(frozen=True)
class ArrayBatch:
    """seen: (B, …); targets: (B, …)."""

    seen: Tensor
    targets: Tensor
    source_rows: tuple[int, ...]

    @property
    def weight(self) -> int:
        return len(self.seen)

    @property
    def work(self) -> int:
        return len(self.seen)

    def to(self, device: torch.device) -> ArrayBatch:
        """The same batch on a device."""
        if device.type == "cpu":
            return self
        seen, targets = (t.to(device, non_blocking=True) for t in (self.seen, self.targets))
        return replace(self, seen=seen, targets=targets)


def collate(items: Sequence[ArrayItem], cache: ArrayCache) -> ArrayBatch:
    """Arrays as one batch."""
    seen = torch.from_numpy(np.stack([cache[item.place] for item in items]))
    return ArrayBatch(seen, torch.stack([item.target for item in items]), tuple(item.row for item in items))


class ArrayTask(HeadedTask[ArrayItem, ArrayBatch]):
    """cache: arrays by place. shown: names that are answered at each check where the plan names none."""

    validation_work = 5_000
    held_out_work = 20_000

    def __init__(
        self, model: nn.Module, goal: Goal, cache: ArrayCache, shown: Sequence[str], setting: Setting
    ) -> None:
        super().__init__(model, goal, setting.device, setting.dtype)
        self._cache, self._shown, self._media = cache, shown, needed(setting.media)

    def collate(self, items: Sequence[ArrayItem]) -> ArrayBatch:
        return collate(items, self._cache)

    def to_device(self, batch: ArrayBatch) -> ArrayBatch:
        return batch.to(self._device)

    def ahead(self, items: Sequence[ArrayItem]) -> None:
        for item in items:
            _array = self._cache[item.place]

    def array_of(self, name: str) -> Any:
        """What the model is shown of a file that is no row, as it stands in a batch."""
        raise NotImplementedError

    def probes(self, asked: Sequence[str]) -> Sequence[str]:
        """Files that can be read; questions in words are none."""
        return [name for name in asked if self._readable(name)] or self._shown

    @torch.no_grad()
    def probe(self, prompt: str) -> Probe | None:
        seen = torch.from_numpy(np.array(self.array_of(prompt))[None])
        training = self.model.training
        self.model.eval()
        outputs = self._outputs(self.to_device(ArrayBatch(seen, torch.zeros(1), (0,))))
        self.model.train(training)
        return Probe(self.goal.predictions(outputs.float().cpu())[0].words())

    def preview(self, items: Sequence[ArrayItem]) -> list[list[PreviewToken]]:
        assert isinstance(self.goal, SingleLabel)
        said = [self.goal.labels[int(item.target)] for item in items]
        return [
            [PreviewToken(text=item.name, trained=False), PreviewToken(text=f" → {label}", trained=True)]
            for item, label in zip(items, said, strict=True)
        ]

    def _readable(self, name: str) -> bool:
        try:
            self.array_of(name)
        except StudioError:
            return False
        return True


def placed(
    setting: Setting, goal: Goal, rows: dict[Split, list[dict[str, Any]]], column: str,
    cut: Callable[[str], bool] = lambda _name: False,
) -> tuple[dict[Split, list[ArrayItem]], list[str]]:  # fmt: skip
    """Items by split, and the files that ``column`` names by place; how many rows cannot be used is told."""
    names: list[str] = []
    found: dict[Split, list[ArrayItem]] = {}
    unknown = 0

    def make(row: dict[str, Any], target: Tensor) -> ArrayItem:
        names.append(row[column])
        return ArrayItem(row["row"], len(names) - 1, row[column], target, cut(row[column]))

    for split, of_split in rows.items():
        kept = with_targets(of_split, goal, make)
        found[split], unknown = kept.items, unknown + kept.unknown
        setting.control.check()
    if unknown:
        text = _("{n} rows have a label that no training row has; they are left out.")
        setting.emit(Log(level="warning", message=text.format(n=unknown)))
    return found, names


def to_show(items: dict[Split, list[ArrayItem]]) -> list[str]:
    """Names of a few rows that are not learned from, where there are any."""
    held_out = items[Split.VALIDATION] + items[Split.TEST] or items[Split.TRAIN]
    return [item.name for item in held_out[:: max(1, len(held_out) // PROBED)][:PROBED]]


def moved(arrays: Tensor, lines: int, places: int) -> Tensor:
    """Each of (B, C, height, width) moved by at most so many lines and places either way; its edge is repeated.

    By torch's generator, on the processor, so that a resumed run moves them alike.
    """
    count, _channels, height, width = arrays.shape
    steps = torch.stack([torch.randint(-most, most + 1, (count,)) for most in (lines, places)])
    down, right = steps.to(arrays.device)[:, :, None]  # each (B, 1)
    rows = (torch.arange(height, device=arrays.device) + down).clamp(0, height - 1)  # (B, height)
    columns = (torch.arange(width, device=arrays.device) + right).clamp(0, width - 1)  # (B, width)
    which = torch.arange(count, device=arrays.device)[:, None, None]
    return arrays[which, :, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def needed(media: Media | None) -> Media:
    """The port, where there is one. Raises StudioError ``input.unreadable``."""
    if media is None:
        raise StudioError("input.unreadable", _("Pictures and recordings cannot be read here."))
    return media
