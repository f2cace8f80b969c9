"""How pictures are prepared, alike in training and in answering, and kept as bytes until they reach the device."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from studio.engine.tasks.arrays import moved
from studio.engine.tasks.cache import ArrayCache
from studio.engine.tasks.media import Media
from studio.errors import StudioError
from studio.i18n import _

_LOOKED_AT: Final = 200  # training pictures that decide whether there are colours
_SHIFT: Final = 16  # a picture is moved by at most a sixteenth of its side


@dataclass(frozen=True)
class Look:
    """What a model sees of a picture: (byte / 255 - mean) / deviation for each channel, at size x size."""

    size: int
    channels: int
    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    def document(self) -> dict[str, Any]:
        """As JSON values."""
        return asdict(self)

    @classmethod
    def read(cls, document: dict[str, Any]) -> Look:
        """What ``document`` wrote."""
        mean, deviation = tuple(document["mean"]), tuple(document["deviation"])
        return cls(document["size"], document["channels"], mean, deviation)

    def pixels(self, media: Media, name: str) -> NDArray[np.uint8]:
        """The picture at its size, (C, S, S)."""
        return media.picture(name, self.size, self.channels).transpose(2, 0, 1)

    def prepared(self, pixels: Tensor) -> Tensor:
        """(B, C, S, S) bytes as the numbers that a model reads."""
        mean = torch.tensor(self.mean, device=pixels.device).view(-1, 1, 1)
        deviation = torch.tensor(self.deviation, device=pixels.device).view(-1, 1, 1)
        return (pixels.float() / 255 - mean) / deviation


def shifted(pictures: Tensor) -> Tensor:
    """Every other picture, by chance, moved a little: the only change that leaves nearly every label true (a mirrored
    2 is no 2, and colours may be the label). More is for the dataset's own steps, where it can be seen."""
    most = max(1, pictures.shape[-1] // _SHIFT)
    chosen = (torch.rand(len(pictures), 1, 1, 1) < 0.5).to(pictures.device)
    return torch.where(chosen, moved(pictures, most, most), pictures)


def colours_of(media: Media, names: Sequence[str], check: Callable[[], None]) -> int:
    """Channels that these pictures need: 3 when any of those looked at has colours, else 1."""
    for name in names[:: max(1, len(names) // _LOOKED_AT)]:
        check()
        if media.coloured(name):
            return 3
    return 1


def picture_cache(folder: Path, look: Look, media: Media, names: Sequence[str]) -> ArrayCache:
    """The pictures by their place, each (C, S, S)."""
    shape = (look.channels, look.size, look.size)
    return ArrayCache(folder, len(names), shape, np.uint8, lambda place: look.pixels(media, names[place]))


def no_pictures() -> StudioError:
    """There is nothing to learn from."""
    return StudioError(
        "run.no_rows", _("No row has a picture to learn from."),
        _("Check on the Data page that the training rows have a label."),
    )  # fmt: skip
