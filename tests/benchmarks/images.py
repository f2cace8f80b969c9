"""Fashion-MNIST by the real trainer at its Balanced preset: how often the network is right, how good the autoencoder.

    .venv/bin/python -m tests.benchmarks.images [cnn] [vae] [--seeds 1]

Data: the Debian package dataset-fashion-mnist (MIT). Its pictures are written as PNG files first, because that is what
a founder has; decoding them is part of the measured time. The last 5,000 training pictures are for validation; all
10,000 test pictures are looked at once, at the end. Prints each figure with its limit and its noise: the standard error
over the test pictures, and the time's share of a machine that others use as well (load, processor seconds).
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
import statistics
import tempfile
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from studio.domain.architectures import Architecture
from studio.domain.datasets import Split
from studio.domain.shapes import Shape
from studio.domain.specs import Preset, preset_spec
from studio.ingest.media import StoredMedia
from studio.protocol.events import Compared, Evaluated, Event
from tests.benchmarks.whole_run import run_session

SOURCE = Path("/usr/share/datasets/fashion-mnist")
PNG_FOLDER = Path(os.environ.get("TMPDIR", "/tmp")) / "fashion-mnist-png"
LABELS = (
    "T-shirt",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
VALIDATION = 5_000
ACCURACY_AT_LEAST = 0.90
MINUTES_AT_MOST = 5.0
ELBO_NATS_AT_MOST = 245.0


@dataclass(frozen=True)
class Result:
    """scores: of each test row; seconds: by the clock, and of the processor."""

    scores: list[float]
    metrics: dict[str, float]
    seconds: float
    busy_s: float
    samples: list[Path]

    @property
    def mean(self) -> float:
        return statistics.fmean(self.scores)

    @property
    def error(self) -> float:
        return statistics.stdev(self.scores) / len(self.scores) ** 0.5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", nargs="*", help="cnn, vae (both by default)")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--threads", type=int, help="one each is best when the processor has other work")
    parser.add_argument("--rows", type=int, default=0, help="fewer training rows, for a try")
    asked = parser.parse_args()
    rows = written_pictures(asked.rows)
    for seed in range(1, asked.seeds + 1):
        if not asked.what or "cnn" in asked.what:
            tell_cnn(seed, run(Architecture.CNN, rows, seed, asked.threads))
        if not asked.what or "vae" in asked.what:
            tell_vae(seed, run(Architecture.VAE, rows, seed, asked.threads))


def tell_cnn(seed: int, found: Result) -> None:
    """One line of accuracy and one of time."""
    verdict = "reached" if found.mean >= ACCURACY_AT_LEAST else "MISSED"
    print(
        f"CNN, seed {seed}: test accuracy {found.mean:.4f} ± {found.error:.4f} over {len(found.scores):,} pictures "
        f"(at least {ACCURACY_AT_LEAST:.2f}: {verdict}); macro F1 {found.metrics['macro_f1']:.4f}"
    )
    tell_time(found.seconds, found.busy_s, MINUTES_AT_MOST)


def tell_vae(seed: int, found: Result) -> None:
    """One line of the bound, one of time, one of the pictures drawn."""
    verdict = "reached" if found.mean <= ELBO_NATS_AT_MOST else "MISSED"
    print(
        f"VAE, seed {seed}: test -ELBO {found.mean:.2f} ± {found.error:.2f} nats over {len(found.scores):,} pictures "
        f"(at most {ELBO_NATS_AT_MOST:.0f}: {verdict})"
    )
    tell_time(found.seconds, found.busy_s, None)
    kept = Path(tempfile.mkdtemp(prefix="fashion-samples-")) / "newest.png"
    kept.write_bytes(found.samples[-1].read_bytes())
    print(f"  drawn pictures: {kept}")


def tell_time(seconds: float, busy_s: float, most_minutes: float | None) -> None:
    """By the clock and of the processor; a busy machine has more of the first."""
    limit = "" if most_minutes is None else f" (at most {most_minutes:.0f}: "
    if most_minutes is not None:
        limit += "reached)" if seconds <= 60 * most_minutes else "MISSED)"
    cores, load = os.cpu_count() or 1, os.getloadavg()[1]
    print(
        f"  {seconds / 60:.1f} minutes by the clock{limit}, {busy_s / 60:.1f} processor minutes, that is "
        f"{busy_s / seconds / cores:.0%} of {cores} cores; load {load:.1f}"
    )


def run(
    architecture: Architecture, rows: dict[Split, list[dict[str, Any]]], seed: int, threads: int | None
) -> Result:
    """Train at the Balanced preset, compare on the test rows."""
    spec = preset_spec(Preset.BALANCED, None, architecture, Shape.IMAGE_LABEL)
    spec = spec.model_copy(update={"seed": seed, "threads": threads})
    with tempfile.TemporaryDirectory() as folder:
        began, busy = time.monotonic(), time.process_time()
        _summary, seen = run_session(
            spec, Shape.IMAGE_LABEL, rows, media=StoredMedia(), folder=Path(folder), tell=print_check
        )
        seconds, busy_s = time.monotonic() - began, time.process_time() - busy
        [compared] = [event for event in seen if isinstance(event, Compared)]
        samples = sorted(Path(folder).glob("samples/*.png"))
        kept = Path(tempfile.mkdtemp()) / "sheet.png" if samples else None
        if kept:
            kept.write_bytes(samples[-1].read_bytes())
    return Result(compared.tuned_scores, compared.metrics, seconds, busy_s, [kept] if kept else [])


def print_check(event: Event) -> None:
    """One line for each check of a run."""
    if isinstance(event, Evaluated):
        shown = ", ".join(f"{name} {value:.4f}" for name, value in event.metrics.items())
        print(f"    epoch {event.epoch:.2f}: validation loss {event.loss:.4f}; {shown}", flush=True)


def written_pictures(most_train: int = 0) -> dict[Split, list[dict[str, Any]]]:
    """Rows by split, their pictures as PNG files (written once)."""
    test = list(_rows("t10k", 60_000))
    train = list(_rows("train", 0))
    learned = train[: most_train or -VALIDATION]
    return {Split.TRAIN: learned, Split.VALIDATION: train[-VALIDATION:], Split.TEST: test}


def _rows(part: str, first: int) -> Iterable[dict[str, Any]]:
    pixels = _array(f"{part}-images-idx3-ubyte.gz", 16).reshape(-1, 28, 28)
    labels = _array(f"{part}-labels-idx1-ubyte.gz", 8)
    marker = PNG_FOLDER / f"{part}.json"
    if not marker.is_file():
        _write(part, pixels)
        marker.write_text(json.dumps({"count": len(pixels)}), encoding="utf-8")
    for index, label in enumerate(labels.tolist()):
        yield {"row": first + index + 1, "image": str(_png(part, index)), "label": LABELS[label]}


def _write(part: str, pixels: Sequence[Any]) -> None:
    for index, picture in enumerate(pixels):
        path = _png(part, index)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(path)


def _png(part: str, index: int) -> Path:
    return PNG_FOLDER / part / f"{index % 100:02d}" / f"{index:05d}.png"


def _array(name: str, skip: int) -> Any:
    with gzip.open(SOURCE / name) as file:
        return np.frombuffer(file.read(), np.uint8, offset=skip)


if __name__ == "__main__":
    main()
