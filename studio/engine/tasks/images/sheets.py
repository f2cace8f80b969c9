"""Drawn pictures put beside each other on one sheet."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

_GAP: Final = 2  # pixels
_PAPER: Final = 255


def sheet(pictures: Tensor) -> NDArray[np.uint8]:
    """Pictures from 0 to 1, (N, C, S, S), as one picture (height, width, C) with nearly as many lines as columns."""
    pixels: NDArray[Any] = (pictures.clamp(0, 1) * 255).round().byte().numpy().transpose(0, 2, 3, 1)
    count, side, _width, channels = pixels.shape
    columns = math.ceil(math.sqrt(count))
    lines, step = math.ceil(count / columns), side + _GAP
    paper = np.full((lines * step + _GAP, columns * step + _GAP, channels), _PAPER, np.uint8)
    for place, picture in enumerate(pixels):
        top, left = _GAP + place // columns * step, _GAP + place % columns * step
        paper[top : top + side, left : left + side] = picture
    return paper
