"""How long an import takes beside the bare minimum: polars' own scan_csv().sink_parquet() of the same file.

Run: python tests/benchmarks/import_csv.py [--rows 1000000] [--format csv|jsonl] [--repeats 3]
Both sides run in a fresh process each time, interleaved; printed are the medians, their ratio, the import's peak
resident memory, and the noise ((max - min) / median of each side). The targets: ratio <= 2, peak <= 1 GiB.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BASE = """
import sys, time, polars as pl
began = time.perf_counter()
scan = pl.scan_csv(sys.argv[1]) if sys.argv[1].endswith("csv") else pl.scan_ndjson(sys.argv[1])
scan.sink_parquet(sys.argv[2])
"""
OURS = """
import sys
from pathlib import Path
from studio.domain.datasets import ImportSpec
from studio.ingest.importer import Importer
import time
began = time.perf_counter()
spec = ImportSpec(source=sys.argv[1])
version = Importer(spec, Path(sys.argv[2]), lambda event: None, lambda: None).run("bench")
"""
TAIL = """
import resource
print(time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
WORDS = ["order", "parcel", "refund", "account", "please", "when", "where", "how", "my", "invoice", "late"]
HANZI = "我的订单什么时候可以退款请问怎么修改地址谢谢您好快递还没有到发票哪里开"


def make_rows(count: int, seed: int) -> list[tuple[str, str]]:
    """Questions and answers, a third Chinese, some with quotes, commas and line breaks."""
    rng = random.Random(seed)
    rows = []
    for number in range(count):
        if number % 3:
            prompt, answer = " ".join(rng.choices(WORDS, k=9)), " ".join(rng.choices(WORDS, k=28))
        else:
            prompt, answer = "".join(rng.choices(HANZI, k=15)), "".join(rng.choices(HANZI, k=50))
        if number % 7 == 0:
            answer = f'{answer}, he said "yes"\nand left {number}'
        rows.append((f"{prompt} {number}?", answer))
    return rows


def write_source(path: Path, rows: int) -> None:
    """The file both sides read, written in portions."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        if path.suffix == ".csv":
            table.writerow(["question", "answer"])
        for part in range(0, rows, 50_000):
            for prompt, answer in make_rows(min(50_000, rows - part), part):
                if path.suffix == ".csv":
                    table.writerow([prompt, answer])
                else:
                    file.write(json.dumps({"question": prompt, "answer": answer}, ensure_ascii=False) + "\n")


def timed(code: str, source: Path, target: Path) -> tuple[float, float]:
    """(seconds, peak MiB) of one fresh process; imports are not counted."""
    done = subprocess.run(
        [sys.executable, "-c", code + TAIL, str(source), str(target)],
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, peak = done.stdout.split()[-2:]
    return float(seconds), float(peak)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--format", choices=["csv", "jsonl"], default="csv")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / f"rows.{options.format}"
        write_source(source, options.rows)
        base: list[float] = []
        ours: list[float] = []
        peaks: list[float] = []
        for index in range(options.repeats):
            base.append(timed(BASE, source, Path(folder) / f"base{index}.parquet")[0])
            seconds, peak = timed(OURS, source, Path(folder) / f"ours{index}")
            ours.append(seconds)
            peaks.append(peak)
            time.sleep(0.2)
        middle, bare = statistics.median(ours), statistics.median(base)
        print(f"{options.rows:,} rows, {source.stat().st_size / 1e6:.0f} MB {options.format}")
        print(f"polars {bare:.2f} s (noise {(max(base) - min(base)) / bare:.0%})")
        print(f"import {middle:.2f} s (noise {(max(ours) - min(ours)) / middle:.0%})")
        print(f"ratio {middle / bare:.2f} (target <= 2), peak {max(peaks):.0f} MiB (target <= 1024)")


if __name__ == "__main__":
    main()
