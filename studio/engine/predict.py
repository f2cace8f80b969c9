"""Answering with any kept model that is no language model: its task.json says which package reads it."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, Final, Protocol, cast

import torch

from studio.domain.architectures import Architecture
from studio.engine.tasks.keeping import TASK_FILE, read_task
from studio.engine.tasks.media import Media
from studio.engine.tasks.prediction import Prediction
from studio.errors import StudioError
from studio.i18n import _

_PACKAGES: Final = {
    Architecture.ENCODER: "text",
    Architecture.TRANSFORMER: "text",
    Architecture.LSTM: "text",
    Architecture.GRU: "text",
    Architecture.CNN: "images",
    Architecture.BACKBONE: "images",
    Architecture.VAE: "images",
    Architecture.SPECTROGRAM: "speech",
    Architecture.FACTORS: "recommend",
    Architecture.SEQUENCE: "recommend",
}
_WITH_MEDIA: Final = ("images", "speech")


class Predictor(Protocol):
    """A loaded model. inputs: {"text"}, {"image": path}, {"audio": path}, {"sample": how many, "seed"} (new pictures),
    {"user", "count"} or {"history": [items]}."""

    def predict(self, inputs: list[dict[str, Any]]) -> list[Prediction]:
        """One prediction for each input, in order. Raises StudioError ``input.*`` for one that cannot be read."""
        ...


def is_predictor(folder: Path) -> bool:
    """Whether the folder holds such a model."""
    return (folder / TASK_FILE).is_file()


def load_predictor(folder: Path, device: torch.device | None = None, media: Media | None = None) -> Predictor:
    """The model in ``folder``, ready to answer. Raises StudioError ``model.unreadable``.

    media: reads the files that inputs name; needed by models of pictures and recordings.
    """
    document = read_task(folder)
    try:
        package = _PACKAGES[Architecture(document["architecture"])]
    except (KeyError, ValueError) as error:
        raise StudioError(
            "model.unreadable", _("This model was made by a newer version of the program."),
            _("Install the newest version."),
        ) from error  # fmt: skip
    module = importlib.import_module(f"studio.engine.tasks.{package}.predictor")
    reads = {"media": media} if package in _WITH_MEDIA else {}
    return cast(Predictor, module.load(folder, document, device or torch.device("cpu"), **reads))
