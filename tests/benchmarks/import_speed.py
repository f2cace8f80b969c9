"""What both import benchmarks share: a file of questions and answers, fresh processes, medians, ratios and noise.

The sides are interleaved, each run in a fresh process whose imports are not counted. The import does all it does
for a user: encoding, row-numbered errors, content keys, splits, hashes of source and result, languages. Beside it:
polars' own scan to Parquet of the same file, the bare minimum; and datasets.load_dataset, if there is one.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import shutil
import statistics
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

BASE = """
import sys, time, polars as pl
began, used = time.perf_counter(), time.process_time()
scan = pl.scan_csv(sys.argv[1]) if sys.argv[1].endswith("csv") else pl.scan_ndjson(sys.argv[1])
scan.sink_parquet(sys.argv[2])
"""
OURS = """
import sys, time
from pathlib import Path
from studio.domain.datasets import ImportSpec
from studio.ingest.importer import Importer
began, used = time.perf_counter(), time.process_time()
spec = ImportSpec(source=sys.argv[1])
version = Importer(spec, Path(sys.argv[2]), lambda event: None, lambda: None).run("bench")
"""
PEER = """
import os, sys, time
os.environ.update(HF_DATASETS_CACHE=sys.argv[2], HF_HUB_OFFLINE="1", HF_DATASETS_DISABLE_PROGRESS_BARS="1")
import datasets
began, used = time.perf_counter(), time.process_time()
kind = "csv" if sys.argv[1].endswith("csv") else "json"
datasets.load_dataset(kind, data_files=sys.argv[1], split="train", cache_dir=sys.argv[2])
"""
TAIL = """
seconds, cpu = time.perf_counter() - began, time.process_time() - used
import resource
print(seconds, cpu, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
"""
WORDS = ["order", "parcel", "refund", "account", "please", "when", "where", "how", "my", "invoice", "late"]
HANZI = "我的订单什么时候可以退款请问怎么修改地址谢谢您好快递还没有到发票哪里开"


@dataclass(frozen=True)
class Run:
    """One run of one side: seconds of the clock and of the processors, peak resident MiB."""

    seconds: float
    cpu: float
    peak: float


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


def write_source(path: Path, rows: int, *, conversations: bool = False) -> None:
    """The file that all sides read, written in portions."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        if path.suffix == ".csv":
            table.writerow(["question", "answer"])
        for part in range(0, rows, 50_000):
            for prompt, answer in make_rows(min(50_000, rows - part), part):
                if path.suffix == ".csv":
                    table.writerow([prompt, answer])
                else:
                    file.write(json.dumps(_line(prompt, answer, conversations), ensure_ascii=False) + "\n")


def _line(prompt: str, answer: str, conversations: bool) -> object:
    if not conversations:
        return {"question": prompt, "answer": answer}
    return {"messages": [{"role": "user", "content": prompt}, {"role": "assistant", "content": answer}]}


def run(python: str, code: str, source: Path, folder: Path) -> Run:
    """One fresh process; what it wrote is removed again."""
    target = folder / "result"
    if hasattr(os, "sync"):
        os.sync()  # or this side waits for what another left to the disk: the import alone ends with its data there
    done = subprocess.run(
        [python, "-c", code + TAIL, str(source), str(target)], capture_output=True, text=True, check=True
    )
    shutil.rmtree(target) if target.is_dir() else target.unlink(missing_ok=True)
    return Run(*map(float, done.stdout.split()[-3:]))


def peer_python(given: str | None) -> str | None:
    """A Python that has ``datasets``: the given one, or this one; None when neither has."""
    for python in filter(None, (given, os.environ.get("DATASETS_PYTHON"), sys.executable)):
        found = subprocess.run([python, "-c", "import datasets"], capture_output=True, check=False)
        if found.returncode == 0:
            return python
    return None


def report(name: str, runs: list[Run]) -> None:
    seconds = [item.seconds for item in runs]
    middle = statistics.median(seconds)
    cpu = statistics.median(item.cpu for item in runs)
    print(
        f"{name:8s} {middle:6.2f} s (noise {(max(seconds) - min(seconds)) / middle:.0%}), {cpu:6.2f} s of processor, "
        f"peak {max(item.peak for item in runs):.0f} MiB"
    )


def ratio(mine: list[Run], other: list[Run]) -> str:
    """Median of the ratios of neighbouring runs, by the clock and by processor time, with their spread."""
    clock = [a.seconds / b.seconds for a, b in zip(mine, other, strict=True)]
    cpu = [a.cpu / b.cpu for a, b in zip(mine, other, strict=True)]
    return (
        f"{statistics.median(clock):.2f} by the clock ({min(clock):.2f}-{max(clock):.2f}), "
        f"{statistics.median(cpu):.2f} by processor time ({min(cpu):.2f}-{max(cpu):.2f})"
    )


def benchmark(suffix: str, description: str) -> None:
    """Parse the options, measure, print."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--peer", help="a Python that has the package datasets (or DATASETS_PYTHON)")
    if suffix == "jsonl":
        parser.add_argument("--conversations", action="store_true", help="rows are lists of messages")
    options = parser.parse_args()
    peer = peer_python(options.peer)
    base: list[Run] = []
    ours: list[Run] = []
    rival: list[Run] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        source = folder / f"rows.{suffix}"
        write_source(source, options.rows, conversations=getattr(options, "conversations", False))
        print(f"{options.rows:,} rows, {source.stat().st_size / 1e6:.0f} MB {suffix}")
        for _index in range(options.repeats):
            base.append(run(sys.executable, BASE, source, folder))
            ours.append(run(sys.executable, OURS, source, folder))
            rival += [run(peer, PEER, source, folder)] if peer else []
    report("polars", base)
    report("import", ours)
    print(f"import / polars: {ratio(ours, base)} (target <= 1.5)")
    print(f"peak {max(item.peak for item in ours):.0f} MiB (target <= 1024)")
    if peer:
        report("datasets", rival)
        print(f"import / datasets: {ratio(ours, rival)} (target <= 1)")
    else:
        print("datasets is not installed here, so it was not measured: see --peer")
