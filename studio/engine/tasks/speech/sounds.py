"""What a model hears of a recording: the logarithm of its power in mel bands over time, in training and in answering.

Loudness does not count: what lies far below the loudest place is cut off, and each recording is brought to mean 0 and
deviation 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from studio.engine.tasks.media import Media

RATE: Final = 16_000  # samples per second
BANDS: Final = 64
_FFT: Final = 512
_WINDOW: Final = 400  # samples: 25 ms
_HOP: Final = 160  # 10 ms
_LOWEST_HZ: Final = 60.0
_BELOW_LOUDEST: Final = 8.0  # powers of ten that are heard below the loudest place
_SHORTEST_S: Final = 0.5
_LONGEST_S: Final = 4.0
_SHARE: Final = 0.95  # of the recordings fit in whole
_TENTH: Final = 10


def length_for(seconds: Sequence[float]) -> float:
    """Seconds that are looked at: enough for nearly all recordings, in tenths, within bounds."""
    enough = sorted(seconds)[min(len(seconds) - 1, int(_SHARE * len(seconds)))]
    return min(_LONGEST_S, max(_SHORTEST_S, float(np.ceil(enough * _TENTH - 1e-6)) / _TENTH))


def frames_in(seconds: float) -> int:
    """Steps in time of a spectrogram."""
    return 1 + round(seconds * RATE) // _HOP


def fitted(samples: NDArray[np.float32], count: int) -> NDArray[np.float32]:
    """Exactly ``count`` samples: silence on both sides of a shorter recording, the loudest part of a longer one."""
    missing = count - len(samples)
    if missing >= 0:
        return np.pad(samples, (missing // 2, missing - missing // 2))
    heard = np.concatenate([[0.0], np.cumsum(samples.astype(np.float64) ** 2)])
    start = int(np.argmax(heard[count:] - heard[:-count]))
    return samples[start : start + count]


def spectrogram(media: Media, name: str, seconds: float) -> NDArray[np.float32]:
    """(1, BANDS, frames) of the recording."""
    samples = torch.from_numpy(fitted(media.sound(name, RATE), round(seconds * RATE)).copy())
    return log_mel(samples).unsqueeze(0).numpy()


def log_mel(samples: Tensor) -> Tensor:
    """(T,) samples -> (BANDS, frames)."""
    window = torch.hann_window(_WINDOW)
    waves = torch.stft(
        samples, _FFT, _HOP, _WINDOW, window, center=True, pad_mode="constant", return_complex=True
    )
    power = mel_filters() @ waves.abs() ** 2
    level = power.clamp(min=1e-10).log10()
    level = level.clamp(min=float(level.max()) - _BELOW_LOUDEST)
    return (level - level.mean()) / level.std(correction=0).clamp(min=1e-3)


@cache
def mel_filters() -> Tensor:
    """Triangles over the frequencies, (BANDS, _FFT / 2 + 1), evenly spread in mel = 2595 · log10(1 + Hz / 700)."""

    def mel(hertz: float) -> float:
        return 2595.0 * float(np.log10(1 + hertz / 700.0))

    corners = torch.linspace(mel(_LOWEST_HZ), mel(RATE / 2), BANDS + 2, dtype=torch.float64)
    hertz = 700.0 * (10 ** (corners / 2595.0) - 1)  # (BANDS + 2,)
    lines = torch.linspace(0, RATE / 2, _FFT // 2 + 1, dtype=torch.float64)
    rising = (lines - hertz[:-2, None]) / (hertz[1:-1] - hertz[:-2])[:, None]
    falling = (hertz[2:, None] - lines) / (hertz[2:] - hertz[1:-1])[:, None]
    filters = torch.minimum(rising, falling).clamp(min=0)
    # The lowest triangles are narrower than the lines are apart: one that catches none takes the nearest.
    empty = filters.sum(1) == 0
    nearest = (lines[None] - hertz[1:-1, None]).abs().argmin(1)
    filters[empty, nearest[empty]] = 1.0
    return (filters / filters.sum(1, keepdim=True)).float()
