"""Answering with a kept model of spoken commands, by the preparation of the training."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from studio.engine.tasks.arrays import needed
from studio.engine.tasks.goals import goal_from
from studio.engine.tasks.images.models import CnnSizes, ResidualCnn
from studio.engine.tasks.keeping import load_weights
from studio.engine.tasks.media import Media
from studio.engine.tasks.prediction import Prediction
from studio.engine.tasks.speech.sounds import spectrogram

BATCH = 32


class SpeechPredictor:
    """inputs: {"audio": path}."""

    def __init__(self, folder: Path, document: dict[str, Any], device: torch.device, media: Media) -> None:
        self._goal, self._seconds = goal_from(document["goal"]), float(document["seconds"])
        self._model = ResidualCnn(CnnSizes(**document["sizes"]))
        load_weights(self._model, folder)
        self._model.to(device).eval()
        self._media, self._device = media, device

    @torch.inference_mode()
    def predict(self, inputs: list[dict[str, Any]]) -> list[Prediction]:
        """One prediction for each input, in order. Raises StudioError ``input.*``."""
        found: list[Prediction] = []
        for start in range(0, len(inputs), BATCH):
            names = [str(item["audio"]) for item in inputs[start : start + BATCH]]
            heard = np.stack([spectrogram(self._media, name, self._seconds) for name in names])
            outputs = self._model(torch.from_numpy(heard).to(self._device))
            found += self._goal.predictions(outputs.float().cpu())
        return found


def load(
    folder: Path, document: dict[str, Any], device: torch.device, media: Media | None
) -> SpeechPredictor:
    """The predictor of a kept model. Raises StudioError ``model.unreadable``."""
    return SpeechPredictor(folder, document, device, needed(media))
