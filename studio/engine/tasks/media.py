"""The port through which the engine gets at pictures and recordings: it sees arrays, never files of many formats."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray


class Media(Protocol):
    """name: as it stands in a row of the dataset, or the path of a file that a person named.

    Raises StudioError ``input.*`` for a file that is missing or cannot be decoded.
    """

    def picture(self, name: str, size: int, channels: int) -> NDArray[np.uint8]:
        """The picture at ``size`` x ``size`` pixels, (size, size, channels); channels: 1 grey, 3 red, green, blue."""
        ...

    def coloured(self, name: str) -> bool:
        """Whether the picture has colours at all."""
        ...

    def seconds(self, name: str) -> float:
        """How long the recording is."""
        ...

    def sound(self, name: str, rate: int) -> NDArray[np.float32]:
        """The recording as one channel at ``rate`` samples per second, (T,), between -1 and 1."""
        ...

    def draw(self, pixels: NDArray[np.uint8], path: Path) -> None:
        """Write pixels (height, width, 1 or 3) as a PNG file. Raises OSError."""
        ...
