"""Pictures and recordings made up for tests of the engine: a port that answers from names, without files."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from studio.errors import StudioError
from studio.ingest.media import StoredMedia


def noise_of(name: str) -> np.random.Generator:
    """Random numbers that are the same for a name, everywhere."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "little"))


class DrawnMedia:
    """Names: "<kind>-<number>". Pictures: a bright bar that lies or stands. Recordings: a low or a high tone.

    decoded: how often each name was asked for.
    """

    def __init__(self, colours: bool = False) -> None:
        self._colours = colours
        self.decoded: dict[str, int] = {}

    def picture(self, name: str, size: int, channels: int) -> Any:
        self._count(name)
        noise = noise_of(name)
        pixels = noise.integers(0, 60, (size, size, channels), dtype=np.uint8)
        place = int(noise.integers(size // 4, size // 2))
        bar = slice(place, place + size // 4)
        if name.startswith("lying"):
            pixels[bar, :, :] = 220
        else:
            pixels[:, bar, :] = 220
        return pixels

    def coloured(self, name: str) -> bool:
        if "-" not in name:
            raise StudioError("input.missing", "No such picture.")
        return self._colours

    def seconds(self, name: str) -> float:
        return float(noise_of(name).uniform(0.3, 0.6))

    def sound(self, name: str, rate: int) -> Any:
        self._count(name)
        if "-" not in name:
            raise StudioError("input.missing", "No such recording.")
        noise = noise_of(name)
        count = int(rate * noise.uniform(0.3, 0.6))
        tone = noise.uniform(300, 400) if name.startswith("low") else noise.uniform(1500, 2000)
        wave = 0.3 * np.sin(2 * np.pi * tone * np.arange(count) / rate) + 0.02 * noise.standard_normal(count)
        return wave.astype(np.float32)

    def draw(self, pixels: Any, path: Path) -> None:
        StoredMedia().draw(pixels, path)

    def _count(self, name: str) -> None:
        self.decoded[name] = self.decoded.get(name, 0) + 1
