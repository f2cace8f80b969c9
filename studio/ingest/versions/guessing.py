"""Quick guesses of a label, only good enough to tell which rows they are least sure of.

Texts: naive Bayes (multinomial) on hashed pieces of one to three characters, which needs no words and so reads Chinese
as well as English. Pictures: nearest mean of small thumbnails. Both learn in well under a second.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

FEATURES: Final = 1 << 17
MOST_CHARS: Final = 200
MOST_CLASSES: Final = 20
_SMOOTHING: Final = 0.1
_THUMBNAIL: Final = 8
Ints = NDArray[Any]
Floats = NDArray[Any]


def text_margins(
    texts: Sequence[str],
    classes: Sequence[Sequence[int]],
    others: Sequence[str],
    check: Callable[[], None] = lambda: None,
) -> Floats:
    """How far the best class of each of ``others`` is ahead of the second; small where the guess is unsure.

    texts: with known classes, each a list of class numbers from 0 on (one, or several for rows of several labels).
    """
    return margins_of(*class_scores(texts, classes, others, check))


def class_scores(
    texts: Sequence[str],
    classes: Sequence[Sequence[int]],
    others: Sequence[str],
    check: Callable[[], None] = lambda: None,
) -> tuple[Floats, Ints]:
    """(log probability of each class for each of ``others``, up to a constant; how many pieces were judged by)."""
    features, rows = hashed_pieces(texts)
    logs = []
    members = [np.array([number in own for own in classes]) for number in range(_count(classes))]
    for belongs in members:
        check()
        counts = np.bincount(features[belongs[rows]], minlength=FEATURES) + _SMOOTHING
        logs.append(np.log(counts / counts.sum()).astype(np.float32))
    wanted, rows = hashed_pieces(others)
    known = np.bincount(features, minlength=FEATURES) > 0
    kept = known[wanted]  # what was never seen says nothing
    wanted, rows = wanted[kept], rows[kept]
    scores = np.empty((len(members), len(others)))
    for number, log in enumerate(logs):
        check()
        scores[number] = np.log(max(1, members[number].sum()))
        scores[number] += np.bincount(rows, weights=log[wanted], minlength=len(others))
    return scores, np.bincount(rows, minlength=len(others))


def margins_of(scores: Floats, pieces: Ints) -> Floats:
    """The lead of the best class. Naive Bayes counts overlapping pieces as independent; the root takes most of that
    certainty back."""
    ordered = np.sort(scores, axis=0)
    margins: Floats = (ordered[-1] - ordered[-2]) / np.sqrt(np.maximum(pieces, 1))
    return margins


def image_margins(
    known: Sequence[Path], classes: Sequence[Sequence[int]], others: Sequence[Path], check: Callable[[], None]
) -> Floats:
    """The same for pictures; one that cannot be opened is as sure as can be, for nobody can label it."""
    vectors = np.stack([thumbnail(path, check) for path in known])
    means = np.stack(
        [np.nanmean(vectors[[number in own for own in classes]], axis=0) for number in range(_count(classes))]
    )
    margins = np.empty(len(others))
    for place, path in enumerate(others):
        distances = np.sort(np.linalg.norm(means - thumbnail(path, check), axis=1))
        margin = (distances[1] - distances[0]) / (distances[1] + distances[0] + 1e-9)
        margins[place] = np.inf if np.isnan(margin) else margin
    return margins


def hashed_pieces(texts: Sequence[str]) -> tuple[Ints, Ints]:
    """(feature, text) of each piece: single characters beyond ASCII, and all pairs and triples."""
    parts = [
        np.frombuffer(
            (text[:MOST_CHARS].lower() + "\0").encode("utf-32-le", "surrogatepass"), dtype=np.uint32
        )
        for text in texts
    ]
    if not parts:
        return np.zeros(0, np.int32), np.zeros(0, np.int32)
    chars = np.concatenate(parts).astype(np.uint64)
    rows = np.repeat(np.arange(len(parts), dtype=np.int32), [len(part) for part in parts])
    real = chars > 0
    found, places = [_feature(chars[chars > 127], 1)], [rows[chars > 127]]
    second = chars[:-1] * np.uint64(0x110000) + chars[1:]
    inside = real[:-1] & real[1:]
    found.append(_feature(second[inside], 2))
    places.append(rows[:-1][inside])
    third = second[:-1] * np.uint64(0x9E3779B1) + chars[2:]
    inside = inside[:-1] & real[2:]
    found.append(_feature(third[inside], 3))
    places.append(rows[:-2][inside])
    return np.concatenate(found), np.concatenate(places)


def thumbnail(path: Path, check: Callable[[], None]) -> Floats:
    """A picture as a few numbers, NaN when it cannot be opened."""
    check()
    try:
        with Image.open(path) as image:
            image.draft("RGB", (64, 64))
            small = image.convert("RGB").resize((_THUMBNAIL, _THUMBNAIL), Image.Resampling.BOX)
            return np.asarray(small, dtype=np.float64).ravel() / 255
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError, SyntaxError, ValueError):
        return np.full(_THUMBNAIL * _THUMBNAIL * 3, np.nan)


def _count(classes: Sequence[Sequence[int]]) -> int:
    return 1 + max(max(own) for own in classes)


def _feature(values: Ints, length: int) -> Ints:
    mixed = (values ^ np.uint64(length * 0x51ED2701)) * np.uint64(0x9E3779B97F4A7C15)
    return (mixed >> np.uint64(64 - 17)).astype(np.int32)
