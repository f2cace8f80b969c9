"""LoRA of the default base alone and beside a second run on the same cores, by how threads wait for each other.

    .venv/bin/python tests/benchmarks/waiting_threads.py [--seconds 10] [--repeats 2] [--dtype bfloat16]

"asleep": they never spin. "spinning": always, a little. "studio": as a run does, awake while it is alone. Prints real
tokens per second (both runs' together where there are two), as ratios to "asleep" of the same repeat, with the noise.
The target: alone as fast as spinning, beside another as fast as asleep.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))
WAYS = {"asleep": {"GOMP_SPINCOUNT": "0"}, "spinning": {"GOMP_SPINCOUNT": "10000"}, "studio": {}}
START_S = 20.0  # until every process has loaded its model


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=float, default=10)
    options.add_argument("--repeats", type=int, default=2)
    options.add_argument("--dtype", choices=("float32", "bfloat16"), default="bfloat16")
    options.add_argument("--begin", type=float, help=argparse.SUPPRESS)
    given = options.parse_args()
    if given.begin:
        print(trained(given.seconds, given.begin, given.dtype))
        return
    for together in (1, 2):
        speeds: dict[str, list[float]] = {name: [] for name in WAYS}
        for _repeat in range(given.repeats):
            for name, environment in WAYS.items():
                speeds[name].append(sum(runs(together, environment, given.seconds, given.dtype)))
        for name, found in speeds.items():
            ratios = [own / asleep for own, asleep in zip(found, speeds["asleep"], strict=True)]
            print(
                f"{together} run(s), {name:9} {median(found):6.0f} tokens/s "
                f"(noise {(max(found) - min(found)) / min(found):.0%}), {median(ratios):.2f} x asleep",
                flush=True,
            )


def runs(count: int, environment: dict[str, str], seconds: float, dtype: str) -> list[float]:
    """Tokens per second of so many processes that begin together."""
    command = [sys.executable, __file__, "--seconds", str(seconds), "--dtype", dtype]
    command += ["--begin", str(time.time() + START_S)]
    own = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "GOMP_"))}
    children = [
        subprocess.Popen(
            command, env={**own, **environment}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        for _number in range(count)
    ]
    return [float(child.communicate()[0].split()[-1]) for child in children]


def trained(seconds: float, begin: float, dtype: str) -> float:
    """Tokens per second of updates on the bundled sample, from ``begin`` (time.time()) on."""
    from studio.engine.threads import spin_while_alone

    with spin_while_alone():
        import torch

        from studio.domain.specs import TrainSpec
        from studio.engine import devices
        from studio.engine.kernels import attention
        from studio.engine.loading import load_model, load_tokenizer
        from studio.engine.models import add_adapter
        from studio.engine.tasks.language.task import CausalTask
        from studio.paths import default_base_model_dir
        from tests.benchmarks.int8_base import BATCH, examples

        devices.set_up()
        attention.use_here()
        kind = getattr(torch, dtype)
        tokenizer = load_tokenizer(default_base_model_dir())
        rows = sorted(examples(tokenizer, 32), key=lambda row: row.length)
        model = add_adapter(load_model(default_base_model_dir(), dtype=kind), TrainSpec())
        task = CausalTask(model, tokenizer, torch.device("cpu"), kind)
        optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], fused=True)
        model.train()
        tokens, step, started = 0, 0, 0.0
        while not started or time.perf_counter() < started + seconds:
            batch = rows[BATCH * step % len(rows) :][:BATCH]
            task.loss(task.collate(batch)).backward()
            optimizer.step()
            optimizer.zero_grad()
            step += 1
            tokens += sum(row.length for row in batch)
            if not started:  # the first one warms up
                time.sleep(max(0.0, begin - time.time()))
                started, tokens = time.perf_counter(), 0
        return tokens / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
