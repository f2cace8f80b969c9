"""Learning to draw pictures like those of the dataset, by a variational autoencoder; labels are not looked at.

The measure of a picture is its negative ELBO with one z, drawn by the number of the picture's row: an estimate without
bias, which the mean of z would not give, and the same draw at every check. What a run is compared with knows no more
than how bright each pixel is in the mean of the training pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from studio.domain.datasets import Split
from studio.domain.measures import Measure
from studio.engine.batching import by_length
from studio.engine.devices import multiplied_in
from studio.engine.tasks.arrays import ArrayBatch, ArrayItem, collate, needed
from studio.engine.tasks.cache import ArrayCache
from studio.engine.tasks.headed import LOOK_BATCH
from studio.engine.tasks.images.pictures import Look, colours_of, no_pictures, picture_cache
from studio.engine.tasks.images.sheets import sheet
from studio.engine.tasks.images.vae import Vae, VaeSizes, sampled
from studio.engine.tasks.keeping import save_weights, write_task
from studio.engine.tasks.task import Check, LearningTask, Loaded, Probe, Setting
from studio.i18n import N_, _
from studio.protocol.events import Phase, PreviewToken

SAMPLES: Final = "samples"  # folder of a run with what was drawn
DRAWN: Final = 36  # pictures on a sheet
_ASKED: Final = N_("New pictures")
_AVERAGED: Final = 10_000  # training pictures whose mean is the simplest guess
_LEAST: Final = 1 / 1024  # a pixel that was never bright may still become so


class DrawingTask(LearningTask[ArrayItem, ArrayBatch]):
    """train: places of the training pictures in the cache."""

    measure = Measure.RECONSTRUCTION
    validation_work = 5_000
    held_out_work = 20_000

    model: Vae

    def __init__(
        self, model: Vae, sizes: VaeSizes, look: Look, cache: ArrayCache, train: Sequence[int], setting: Setting
    ) -> None:  # fmt: skip
        self.model, self._sizes, self._look, self._cache = model, sizes, look, cache
        self._train, self._setting, self._media = train, setting, needed(setting.media)
        self._device, self._dtype = setting.device, setting.dtype

    def collate(self, items: Sequence[ArrayItem]) -> ArrayBatch:
        return collate(items, self._cache)

    def to_device(self, batch: ArrayBatch) -> ArrayBatch:
        return batch.to(self._device)

    def ahead(self, items: Sequence[ArrayItem]) -> None:
        for item in items:
            _array = self._cache[item.place]

    def loss(self, batch: ArrayBatch) -> Tensor:
        return self._bounds(batch, torch.randn(batch.weight, self._sizes.latent)).mean()

    def row_losses(self, batch: ArrayBatch) -> Tensor:
        noise = [
            torch.randn(self._sizes.latent, generator=torch.Generator().manual_seed(row))
            for row in batch.source_rows
        ]
        return self._bounds(batch, torch.stack(noise)).double()

    def baseline(self, items: Sequence[ArrayItem]) -> list[float] | None:
        mean = self._mean_picture()
        scores = []
        for item in items:
            picture = self._cache[item.place].astype(np.float64) / 255
            scores.append(float(-(picture * np.log(mean) + (1 - picture) * np.log1p(-mean)).sum()))
        return scores

    @torch.no_grad()
    def metrics(self, items: Sequence[ArrayItem], check: Check) -> dict[str, float]:
        """The bound over all items; larger is better, as it is published."""
        if not items:
            return {}
        training = self.model.training
        self.model.eval()
        total = 0.0
        try:
            for indices in by_length([item.length for item in items], LOOK_BATCH):
                batch = self.to_device(self.collate([items[i] for i in indices]))
                total += float(self.row_losses(batch).sum())
                check()
        finally:
            self.model.train(training)
        return {"elbo": -total / len(items)}

    def probes(self, asked: Sequence[str]) -> Sequence[str]:
        return [_(_ASKED)]

    def probe(self, prompt: str) -> Probe | None:
        training = self.model.training
        self.model.eval()
        drawn = sampled(self.model, self._sizes.latent, DRAWN, self._setting.plan.spec.seed)
        self.model.train(training)
        path = self._setting.work_dir / SAMPLES / f"step-{self.step:08d}.png"
        path.parent.mkdir(exist_ok=True)
        self._media.draw(sheet(drawn), path)
        return Probe(f"{SAMPLES}/{path.name}")

    def preview(self, items: Sequence[ArrayItem]) -> list[list[PreviewToken]]:
        return [[PreviewToken(text=item.name, trained=True)] for item in items]

    def save(self, folder: Path) -> None:
        save_weights(self.model, folder)
        document = {"sizes": self._sizes.document(), "look": self._look.document()}
        write_task(folder, {"architecture": self._setting.plan.spec.architecture.value, **document})

    def _bounds(self, batch: ArrayBatch, noise: Tensor) -> Tensor:
        with multiplied_in(self._dtype, self._device):
            return self.model.negative_elbo(self._look.prepared(batch.seen), noise.to(self._device))

    def _mean_picture(self) -> NDArray[np.float64]:
        """Of training pictures spread evenly, (C, S, S), kept away from 0 and 1."""
        chosen = self._train[:: max(1, len(self._train) // _AVERAGED)]
        total = np.zeros((self._look.channels, self._look.size, self._look.size))
        for place in chosen:
            self._setting.control.check()
            total += self._cache[place]
        return np.clip(total / (255 * len(chosen)), _LEAST, 1 - _LEAST)


def build(setting: Setting) -> Loaded[ArrayItem, ArrayBatch]:
    """Read the rows and make the model. Raises StudioError ``run.no_rows``."""
    items: dict[Split, list[ArrayItem]] = {}
    names: list[str] = []
    nothing = torch.zeros(())
    for split in Split:
        items[split] = []
        for row in setting.rows(split):
            items[split].append(ArrayItem(row["row"], len(names), row["image"], nothing))
            names.append(row["image"])
        setting.control.check()
    train = items[Split.TRAIN]
    if not train:
        raise no_pictures()
    media, spec = needed(setting.media), setting.plan.spec
    colours = colours_of(media, [item.name for item in train], setting.control.check)
    look = Look(spec.image_size, colours, (0.0,) * colours, (1.0,) * colours)
    setting.emit(Phase(name="loading_model"))
    torch.manual_seed(spec.seed)
    sizes = VaeSizes(look.size, colours, spec.channels, spec.latent, spec.dropout)
    model: nn.Module = Vae(sizes).to(setting.device)
    cache = picture_cache(setting.work_dir, look, media, names)
    task = DrawingTask(model, sizes, look, cache, [item.place for item in train], setting)  # type: ignore[arg-type]
    return Loaded(task, train, items[Split.VALIDATION], items[Split.TEST])
