"""Answering with a kept text model, by the same preprocessing that it was trained with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from studio.engine.loading import load_tokenizer
from studio.engine.tasks.goals import goal_from
from studio.engine.tasks.keeping import load_weights
from studio.engine.tasks.prediction import Prediction
from studio.engine.tasks.text.encoders import new_encoder
from studio.engine.tasks.text.items import TextItem, collate, encode
from studio.engine.tasks.text.models import EncoderModel, TextSizes, new_text_model

BATCH = 32


class TextPredictor:
    """inputs: {"text": …}."""

    def __init__(self, folder: Path, document: dict[str, Any], device: torch.device) -> None:
        self._goal = goal_from(document["goal"])
        self._tokenizer = load_tokenizer(folder)
        self._max_length = int(document["max_length"])
        if "sizes" in document:
            self._model = new_text_model(TextSizes(**document["sizes"]))
        else:
            encoder = new_encoder(folder)
            self._model = EncoderModel(
                encoder, encoder.config.hidden_size, self._goal.size, document["dropout"]
            )
        load_weights(self._model, folder)
        self._model.to(device).eval()
        self._device = device

    @torch.inference_mode()
    def predict(self, inputs: list[dict[str, Any]]) -> list[Prediction]:
        """One prediction for each input, in order."""
        nothing = torch.zeros(())
        encoded = encode(self._tokenizer, [str(item["text"]) for item in inputs], self._max_length)
        items = [TextItem(0, ids, nothing, cut) for ids, cut in encoded]
        found: list[Prediction] = []
        for start in range(0, len(items), BATCH):
            batch = collate(items[start : start + BATCH], int(self._tokenizer.pad_token_id or 0)).to(
                self._device
            )
            found += self._goal.predictions(self._model(batch.ids, batch.mask).float().cpu())
        return found


def load(folder: Path, document: dict[str, Any], device: torch.device) -> TextPredictor:
    """The predictor of a kept text model. Raises StudioError ``model.unreadable``."""
    return TextPredictor(folder, document, device)
