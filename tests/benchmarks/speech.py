"""Spoken commands by the real trainer at its Balanced preset: how often it understands voices that it never heard.

    .venv/bin/python -m tests.benchmarks.speech [--seeds 1]

Data: ten commands spoken by espeak-ng (GPL; only its sound is used) in 14 voices for training, 2 others for validation
and 4 others for the test, each at several speeds and pitches, with a little noise and silence before and after.
Imported as a founder would: a folder for each command, read by the importer's store. Prints accuracy over the held-out
voices with its standard error and per voice, and the time.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from studio.domain.architectures import Architecture
from studio.domain.datasets import Split
from studio.domain.shapes import Shape
from studio.domain.specs import Preset, preset_spec
from studio.ingest.dataset.file_store import FileStore
from studio.ingest.dataset.recordings import store_recording
from studio.ingest.media import StoredMedia
from studio.protocol.events import Compared
from tests.benchmarks.images import print_check
from tests.benchmarks.whole_run import run_session

WORDS = ("yes", "no", "up", "down", "left", "right", "on", "off", "stop", "go")
# Accent and speaker. No speaker is in two splits; plain en-gb is not used, because it ignores the speaker.
VOICES = {
    Split.TRAIN: (
        "en-us+m1", "en-us+m3", "en-us+m4", "en-us+m6", "en-us+f1", "en-us+f3", "en-us+f4", "en-gb-x-rp+m1",
        "en-gb-x-rp+m8", "en-gb-x-rp+f3", "en-gb-scotland+m3", "en-gb-scotland+f4", "en-029+m6", "en-029+f1",
    ),
    Split.VALIDATION: ("en-us+m2", "en-gb-x-rp+m5"),
    Split.TEST: ("en-us+m7", "en-us+f5", "en-gb-x-rp+f2", "en-gb-scotland+m7"),
}  # fmt: skip
SPEEDS = (130, 160, 190)  # words a minute
PITCHES = (35, 50, 65)
ACCURACY_AT_LEAST = 0.90
NOISE = 0.003


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--threads", type=int, help="one is best when the processor has other work")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = spoken(Path(folder))
        print(", ".join(f"{split.value}: {len(of_split)} recordings" for split, of_split in rows.items()))
        for seed in range(1, asked.seeds + 1):
            tell(seed, rows, *run(rows, Path(folder), seed, asked.threads))


def tell(
    seed: int, rows: dict[Split, list[dict[str, Any]]], scores: Sequence[float], seconds: float, busy_s: float
) -> None:
    """Accuracy in all and for each voice, and the time."""
    mean = statistics.fmean(scores)
    error = (mean * (1 - mean) / len(scores)) ** 0.5
    verdict = "reached" if mean >= ACCURACY_AT_LEAST else "MISSED"
    print(
        f"Speech, seed {seed}: accuracy on held-out voices {mean:.4f} ± {error:.4f} over {len(scores)} recordings "
        f"(at least {ACCURACY_AT_LEAST:.2f}: {verdict}; a guess {1 / len(WORDS):.2f})"
    )
    by_voice: dict[str, list[float]] = defaultdict(list)
    for row, score in zip(rows[Split.TEST], scores, strict=True):
        by_voice[row["voice"]].append(score)
    print("  " + ", ".join(f"{voice} {statistics.fmean(own):.3f}" for voice, own in by_voice.items()))
    print(
        f"  {seconds / 60:.1f} minutes by the clock, {busy_s / 60:.1f} processor minutes; "
        f"load {os.getloadavg()[1]:.1f}"
    )


def run(
    rows: dict[Split, list[dict[str, Any]]], folder: Path, seed: int, threads: int | None
) -> tuple[list[float], float, float]:
    """Scores of the test rows, seconds by the clock and of the processor."""
    spec = preset_spec(Preset.BALANCED, None, Architecture.SPECTROGRAM, Shape.AUDIO_LABEL)
    spec = spec.model_copy(update={"seed": seed, "threads": threads})
    run_dir = folder / f"run-{seed}"
    run_dir.mkdir()
    began, busy = time.monotonic(), time.process_time()
    _summary, seen = run_session(
        spec, Shape.AUDIO_LABEL, rows, media=StoredMedia(folder), folder=run_dir, tell=print_check
    )
    [compared] = [event for event in seen if isinstance(event, Compared)]
    assert compared.split == "test"
    return compared.tuned_scores, time.monotonic() - began, time.process_time() - busy


def spoken(folder: Path) -> dict[Split, list[dict[str, Any]]]:
    """Rows of each split; the recordings are in the store below ``folder``."""
    random = np.random.default_rng(0)
    rows: dict[Split, list[dict[str, Any]]] = {split: [] for split in Split}
    number = 0
    for split, voices in VOICES.items():
        for voice in voices:
            for word in WORDS:
                for speed in SPEEDS:
                    for pitch in PITCHES:
                        number += 1
                        path = folder / "spoken.wav"
                        speak(word, voice, speed, pitch, path)
                        roughen(path, random)
                        name = store_recording(path, FileStore(folder / "audio"))
                        rows[split].append({"row": number, "audio": name, "label": word, "voice": voice})
    return rows


def speak(word: str, voice: str, speed: int, pitch: int, path: Path) -> None:
    """One word as a WAV file. Raises FileNotFoundError without espeak-ng."""
    subprocess.run(
        ["espeak-ng", "-v", voice, "-s", str(speed), "-p", str(pitch), "-w", str(path), word], check=True,
        capture_output=True,
    )  # fmt: skip


def roughen(path: Path, random: np.random.Generator) -> None:
    """Silence before and after, another loudness, a little noise: a microphone, not a file."""
    samples, rate = soundfile.read(path, dtype="float64")
    before, after = (int(rate * random.uniform(0.0, 0.25)) for _side in range(2))
    whole = np.pad(samples * random.uniform(0.2, 1.0), (before, after))
    noisy = whole + random.normal(0, NOISE, len(whole))
    soundfile.write(path, np.clip(noisy, -1, 1), rate, subtype="PCM_16")


if __name__ == "__main__":
    main()
