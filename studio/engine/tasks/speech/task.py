"""Recordings with a label (spoken commands): a residual network over their spectrograms."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from studio.domain.datasets import Split
from studio.engine.tasks import goals
from studio.engine.tasks.arrays import (
    ArrayBatch,
    ArrayItem,
    ArrayTask,
    moved,
    needed,
    placed,
    to_show,
)
from studio.engine.tasks.cache import ArrayCache
from studio.engine.tasks.goals import Goal
from studio.engine.tasks.images.models import CnnSizes, ResidualCnn
from studio.engine.tasks.keeping import save_weights, write_task
from studio.engine.tasks.speech.sounds import BANDS, RATE, frames_in, length_for, spectrogram
from studio.engine.tasks.task import Loaded, Setting
from studio.errors import StudioError
from studio.i18n import _
from studio.protocol.events import Phase

_HIDDEN: Final = 8  # at most an eighth of the bands, and of the time, is hidden
_LATER: Final = 8  # moved in time by at most an eighth
_HIGHER: Final = 16  # and in pitch by at most a sixteenth of the bands: another voice


class SpeechTask(ArrayTask):
    """seconds: of each recording that are looked at."""

    def __init__(
        self, model: nn.Module, goal: Goal, sizes: CnnSizes, seconds: float, cache: ArrayCache,
        shown: Sequence[str], setting: Setting,
    ) -> None:  # fmt: skip
        super().__init__(model, goal, cache, shown, setting)
        self._spec, self._sizes, self._seconds = setting.plan.spec, sizes, seconds

    def array_of(self, name: str) -> NDArray[np.float32]:
        return spectrogram(self._media, name, self._seconds)

    def outputs(self, batch: ArrayBatch) -> Tensor:
        seen = batch.seen
        if self.model.training and self._spec.dropout > 0:
            seen = hidden(moved(seen, BANDS // _HIGHER, seen.shape[-1] // _LATER))
        outputs: Tensor = self.model(seen)
        return outputs

    def save(self, folder: Path) -> None:
        save_weights(self.model, folder)
        write_task(
            folder,
            {
                "architecture": self._spec.architecture.value, "goal": self.goal.document(), "rate": RATE,
                "bands": BANDS, "seconds": self._seconds, "sizes": self._sizes.document(),
            },
        )  # fmt: skip


def hidden(spectrograms: Tensor) -> Tensor:
    """One stripe of bands and one of time set to the mean, in each of (B, 1, bands, frames) (SpecAugment, Park et al.
    2019); by torch's generator, on the processor."""
    count, _one, *sides = spectrograms.shape
    keep = torch.ones(count, 1, *sides)
    for axis, side in enumerate(sides):
        width = torch.randint(0, side // _HIDDEN + 1, (count, 1))
        start = (torch.rand(count, 1) * (side - width + 1)).long()
        places = torch.arange(side)
        kept = (places < start) | (places >= start + width)  # (B, side)
        keep *= kept[:, None, :, None] if axis == 0 else kept[:, None, None, :]
    return spectrograms * keep.to(spectrograms.device)


def build(setting: Setting) -> Loaded[ArrayItem, ArrayBatch]:
    """Read the rows, set the goal and make the model. Raises StudioError (run.no_rows, run.one_label, input.*)."""
    spec, media = setting.plan.spec, needed(setting.media)
    rows = {split: list(setting.rows(split)) for split in Split}
    setting.control.check()
    if not rows[Split.TRAIN]:
        raise StudioError(
            "run.no_rows", _("No row has a recording to learn from."),
            _("Check on the Data page that the training rows have a label."),
        )  # fmt: skip
    goal = goals.single_label(rows[Split.TRAIN], spec, setting.plan.class_weights)
    lengths = {row["audio"]: media.seconds(row["audio"]) for of_split in rows.values() for row in of_split}
    seconds = length_for([lengths[row["audio"]] for row in rows[Split.TRAIN]])
    items, names = placed(setting, goal, rows, "audio", lambda name: lengths[name] > seconds)
    setting.emit(Phase(name="loading_model"))
    torch.manual_seed(spec.seed)
    sizes = CnnSizes(min(BANDS, frames_in(seconds)), 1, spec.channels, spec.dropout, goal.size)
    cache = ArrayCache(
        setting.work_dir, len(names), (1, BANDS, frames_in(seconds)), np.float32,
        lambda place: spectrogram(media, names[place], seconds),
    )  # fmt: skip
    model = ResidualCnn(sizes).to(setting.device)
    task = SpeechTask(model, goal, sizes, seconds, cache, to_show(items), setting)
    return Loaded(task, items[Split.TRAIN], items[Split.VALIDATION], items[Split.TEST])
