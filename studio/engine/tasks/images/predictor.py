"""Answering with a kept picture model: labels of pictures, or new pictures, by the preparation of the training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from studio.domain.architectures import Architecture
from studio.engine.tasks.arrays import needed
from studio.engine.tasks.goals import goal_from
from studio.engine.tasks.images.backbones import BackboneModel, new_backbone
from studio.engine.tasks.images.drawing import DRAWN, SAMPLES
from studio.engine.tasks.images.models import CnnSizes, ResidualCnn
from studio.engine.tasks.images.pictures import Look
from studio.engine.tasks.images.sheets import sheet
from studio.engine.tasks.images.vae import Vae, VaeSizes, sampled
from studio.engine.tasks.keeping import load_weights
from studio.engine.tasks.media import Media
from studio.engine.tasks.prediction import Prediction

BATCH = 32
MOST_DRAWN = 1024


class PicturePredictor:
    """inputs: {"image": path}."""

    def __init__(self, folder: Path, document: dict[str, Any], device: torch.device, media: Media) -> None:
        self._goal, self._look = goal_from(document["goal"]), Look.read(document["look"])
        self._media, self._device = media, device
        self._model = self._new_model(folder, document)
        load_weights(self._model, folder)
        self._model.to(device).eval()

    def _new_model(self, folder: Path, document: dict[str, Any]) -> nn.Module:
        if "sizes" in document:
            return ResidualCnn(CnnSizes(**document["sizes"]))
        return BackboneModel(
            new_backbone(folder), self._look.size, self._goal.size, document["dropout"], frozen=True
        )

    @torch.inference_mode()
    def predict(self, inputs: list[dict[str, Any]]) -> list[Prediction]:
        """One prediction for each input, in order. Raises StudioError ``input.*``."""
        found: list[Prediction] = []
        for start in range(0, len(inputs), BATCH):
            names = [str(item["image"]) for item in inputs[start : start + BATCH]]
            pixels = np.stack([self._look.pixels(self._media, name) for name in names])
            seen = self._look.prepared(torch.from_numpy(pixels).to(self._device))
            found += self._goal.predictions(self._model(seen).float().cpu())
        return found


class DrawingPredictor:
    """inputs: {"sample": how many pictures, "seed": of the draw, "folder": where the sheet is put (else the run's)}."""

    def __init__(self, folder: Path, document: dict[str, Any], device: torch.device, media: Media) -> None:
        self._sizes = VaeSizes(**document["sizes"])
        self._model, self._media = Vae(self._sizes), media
        self._folder = folder.parent / SAMPLES
        load_weights(self._model, folder)
        self._model.to(device).eval()

    def predict(self, inputs: list[dict[str, Any]]) -> list[Prediction]:
        """For each input the path of a sheet with new pictures. Raises OSError when it cannot be written."""
        return [Prediction(picture=str(self._drawn(item))) for item in inputs]

    def _drawn(self, wanted: dict[str, Any]) -> Path:
        count = min(MOST_DRAWN, max(1, int(wanted.get("sample", DRAWN))))
        seed = abs(int(wanted.get("seed", 0)))
        folder = Path(wanted.get("folder") or self._folder)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"drawn-{count}-{seed}.png"
        self._media.draw(sheet(sampled(self._model, self._sizes.latent, count, seed)), path)
        return path


def load(
    folder: Path, document: dict[str, Any], device: torch.device, media: Media | None
) -> PicturePredictor | DrawingPredictor:
    """The predictor of a kept picture model. Raises StudioError ``model.unreadable``."""
    drawn = document["architecture"] == Architecture.VAE
    kind = DrawingPredictor if drawn else PicturePredictor
    return kind(folder, document, device, needed(media))
