"""How long a page takes in a dataset of ten million rows, and how long a new version of it takes to make.

Run: python tests/benchmarks/pages.py [--rows 10000000] [--jumps 50] [--derive]
The dataset is made first, in a temporary folder (about 0.6 GB for ten million rows). Printed are the time of the first
page in a fresh process (imports of polars apart), the median and the worst of jumps to random places (plain, of one
split, single rows by number), the time of a search, and with --derive the rows per second and the peak memory of
steps. The targets: first page < 200 ms, any jump < 100 ms. Beside the jumps stands the same page by a plain polars
slice of the file: the limit that paging cannot beat.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import polars as pl

from studio.domain.datasets import DatasetVersion, ImportSpec, Split, SplitShares
from studio.domain.shapes import Shape
from studio.ingest.dataset.canonical import ROWS_FILE, write_rows
from studio.ingest.dataset.manifest import write_manifest
from studio.ingest.dataset.pages import ParquetPages
from studio.ingest.dataset.splits import key_expr, split_expr

FIRST = """
import sys, time, polars
from pathlib import Path
from studio.ingest.dataset.pages import ParquetPages
began = time.perf_counter()
ParquetPages(Path(sys.argv[1])).page(0, 200)
print((time.perf_counter() - began) * 1000)
"""
STEPS = {
    "replace": {"type": "replace", "find": "parcel", "replacement": "package"},
    "split plain": {"type": "split", "validation": 0.1, "test": 0.1},
    "split stratified": {"type": "split", "validation": 0.1, "test": 0.1, "stratify": True},
    "edit one cell": {"type": "edit", "cells": {"77": {"label": "other"}}},
}
DERIVE = """
import json, resource, sys, time
from pathlib import Path
from pydantic import TypeAdapter
from studio.domain.recipes import AnyStep
from studio.ingest.versions.derive import Deriver
step = TypeAdapter(AnyStep).validate_json(sys.argv[3])
began = time.perf_counter()
Deriver(Path(sys.argv[1]), Path(sys.argv[2]), lambda event: None, lambda: None).run("new", [step])
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
WORDS = [
    "order",
    "parcel",
    "refund",
    "account",
    "please",
    "when",
    "where",
    "how",
    "invoice",
    "late",
    "我的",
    "订单",
    "退款",
]
CHUNK = 100_000


def frames(rows: int) -> Iterator[pl.DataFrame]:
    """Texts of some ten words with a label, in any number."""
    rng = random.Random(1)
    ends = [" ".join(rng.choices(WORDS, k=12)) for _ in range(1000)]
    for start in range(0, rows, CHUNK):
        numbers = pl.int_range(start + 1, min(start + CHUNK, rows) + 1, dtype=pl.Int64, eager=True).alias(
            "row"
        )
        text = (
            (pl.col("row") % 1000).replace_strict(dict(enumerate(ends))) + " " + pl.col("row").cast(pl.String)
        )
        label = pl.format("label {}", pl.col("row") % 7)
        frame = numbers.to_frame().with_columns(text=text, label=label)
        frame = frame.with_columns(key_expr(frame, ("text", "label"))).with_columns(split_expr(SplitShares()))
        yield frame.select("row", "key", "split", "text", "label")


def make(folder: Path, rows: int) -> None:
    folder.mkdir(parents=True)
    written = write_rows(frames(rows), ("text", "label"), folder)
    version = DatasetVersion(
        id=folder.name, name="big", shape=Shape.TEXT_LABEL, source_path="", source_bytes=0, source_sha256="",
        rows=rows, rejected=0, splits=written.splits, content_sha256=written.sha256,
        spec=ImportSpec(source=""), seconds=0,
    )  # fmt: skip
    write_manifest(folder, version)


def timed(what: str, call: Callable[[int], object], places: list[int]) -> None:
    spent = []
    for place in places:
        began = time.perf_counter()
        call(place)
        spent.append((time.perf_counter() - began) * 1000)
    tell(what, spent)


def tell(what: str, spent_ms: list[float]) -> None:
    print(f"{what:34} median {statistics.median(spent_ms):7.1f} ms   worst {max(spent_ms):7.1f} ms")


def jumps(folder: Path, rows: int, count: int) -> None:
    rng = random.Random(2)
    pages = ParquetPages(folder)
    places = [0, rows - 200, *(rng.randrange(rows) for _ in range(count))]
    scan = pl.scan_parquet(folder / ROWS_FILE)
    timed("limit: polars slice", lambda at: scan.slice(at, 200).collect(), places)
    timed("jump", lambda at: pages.page(at, 200), places)
    timed("jump in test", lambda at: pages.page(at // 11, 200, Split.TEST), places)
    timed("50 neighbours by number", lambda at: pages.rows(range(at + 1, at + 51)), places)
    timed(
        "50 scattered by number",
        lambda at: pages.rows([1 + (at + i * 7919) % rows for i in range(50)]),
        places[:9],
    )
    timed("search of the last row", lambda at: pages.find(f" {rows}", ["text"]), [0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--jumps", type=int, default=50)
    parser.add_argument("--derive", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "big"
        make(folder, given.rows)
        print(f"{given.rows} rows, {(folder / ROWS_FILE).stat().st_size >> 20} MB")
        first = [run(FIRST, str(folder))[0] for _ in range(5)]
        tell("first page in a fresh process", first)
        jumps(folder, given.rows, given.jumps)
        for name, step in STEPS.items() if given.derive else ():
            seconds, peak = run(DERIVE, str(folder), str(Path(place) / name), json.dumps(step))
            print(f"{name:34} {seconds:7.1f} s   {given.rows / seconds:12,.0f} rows/s   peak {peak:6.0f} MB")


def run(code: str, *args: str) -> list[float]:
    done = subprocess.run([sys.executable, "-c", code, *args], capture_output=True, text=True, check=True)
    return [float(word) for word in done.stdout.split()]


if __name__ == "__main__":
    main()
