"""How many numbers a new model from scratch has, by the settings alone: told before anything is built.

Each formula counts the layers of the model of its kind in the engine; a test compares it with the real model.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from studio.domain.architectures import Architecture
from studio.domain.specs import TrainSpec, scratch_parameters

_A = Architecture
_GREY: Final = 1
_COLOURED: Final = 3
_BANDS: Final = 64  # of a spectrogram
_LOOKS_BACK: Final = 100  # choices of a user, in a sequence model


@dataclass(frozen=True)
class ModelSize:
    """parameters: known from the settings; each: further ones for every user and item (recommenders only)."""

    parameters: int
    each: int = 0


def model_size(spec: TrainSpec, outputs: int = 2) -> ModelSize:
    """Size of a model from scratch. outputs: labels that it tells apart, or 1 for a number; pictures are in colour."""
    return _SIZES[spec.architecture](spec, outputs)


def transformer_parameters(spec: TrainSpec, outputs: int) -> int:
    """Word and place embeddings, layers of 12·w² + 13·w (attention, inner width 4·w, two norms), norm and head."""
    width = spec.width
    words = (spec.vocabulary + spec.max_length) * width
    return words + spec.layers * _layer(width) + 2 * width + (width + 1) * outputs


def recurrent_parameters(spec: TrainSpec, outputs: int) -> int:
    """Embeddings; for each layer, both ways, a gate's w·(in + w) + 2·w; a head over mean and maximum of both ways."""
    width, gates = spec.width, 4 if spec.architecture is _A.LSTM else 3
    first = 2 * gates * (2 * width * width + 2 * width)
    later = 2 * gates * (3 * width * width + 2 * width)
    return spec.vocabulary * width + first + (spec.layers - 1) * later + (4 * width + 1) * outputs


def cnn_parameters(channels: int, side: int, colours: int, outputs: int) -> int:
    """A stem that halves, then residual blocks with twice the channels each, 8 times at most, down to 4 pixels."""
    total, width, rest = (
        9 * colours * channels + _block(channels, channels, passed=0),
        channels,
        -(-side // 2),
    )
    while rest > 4:
        wider = min(2 * width, 8 * channels)
        total += _block(width, wider, passed=width * wider)
        width, rest = wider, -(-rest // 2)
    return total + 2 * width + (width + 1) * outputs


def vae_parameters(spec: TrainSpec, colours: int) -> int:
    """Convolutions down to 8 pixels, a middle layer of 8·channels, the hidden numbers, and the same way back."""
    widths, side = [spec.channels], -(-spec.image_size // 2)
    while side > 8:
        widths.append(min(2 * widths[-1], 4 * spec.channels))
        side = -(-side // 2)
    flat, inner = widths[-1] * side * side, 8 * spec.channels
    down = sum((9 * a + 3) * b for a, b in zip([colours, *widths], widths, strict=False))
    back = zip(widths[::-1], [*widths[-2::-1], widths[0]], strict=True)
    up = sum((16 * a + 3) * b for a, b in back) + (9 * widths[0] + 1) * colours
    middle = (
        (flat + 1) * inner + (inner + 1) * 2 * spec.latent + (spec.latent + 1) * inner + (inner + 1) * flat
    )
    return down + middle + up


def _layer(width: int) -> int:
    return 12 * width * width + 13 * width


def _block(before: int, after: int, passed: int) -> int:
    return 2 * before + 2 * after + 9 * before * after + 9 * after * after + passed


def _sequence(spec: TrainSpec, _outputs: int) -> ModelSize:
    width = spec.width
    return ModelSize(_LOOKS_BACK * width + spec.layers * _layer(width) + 2 * width, width)


_SIZES: Final[dict[Architecture, Callable[[TrainSpec, int], ModelSize]]] = {
    _A.LANGUAGE_MODEL: lambda spec, _n: ModelSize(
        scratch_parameters(spec.layers, spec.width, spec.vocabulary)
    ),
    _A.TRANSFORMER: lambda spec, n: ModelSize(transformer_parameters(spec, n)),
    _A.LSTM: lambda spec, n: ModelSize(recurrent_parameters(spec, n)),
    _A.GRU: lambda spec, n: ModelSize(recurrent_parameters(spec, n)),
    _A.CNN: lambda spec, n: ModelSize(cnn_parameters(spec.channels, spec.image_size, _COLOURED, n)),
    _A.SPECTROGRAM: lambda spec, n: ModelSize(cnn_parameters(spec.channels, _BANDS, _GREY, n)),
    _A.VAE: lambda spec, _n: ModelSize(vae_parameters(spec, _COLOURED)),
    _A.FACTORS: lambda spec, _n: ModelSize(0, spec.factors + 1),
    _A.SEQUENCE: _sequence,
}
