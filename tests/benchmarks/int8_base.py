"""LoRA steps of the default base with its frozen layers in int8, beside float32 and bfloat16, in one run.

Run: python tests/benchmarks/int8_base.py [--rows 32] [--repeats 3]
The target: 1.5 times our own float32, held-out loss within 1% of float32. Noise: (slowest - fastest) / fastest.
"""

from __future__ import annotations

import argparse
import csv
import sys
import time
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

BATCH = 4
WAYS = (("float32", False), ("float32", True), ("bfloat16", False), ("bfloat16", True))


def examples(tokenizer: Any, rows: int) -> list[Any]:
    """The bundled customer service questions as training examples."""
    from studio.engine.tasks.language.encoding import encode_rows
    from studio.paths import resource_path

    with resource_path("samples", "customer_service_en.csv").open(encoding="utf-8-sig", newline="") as file:
        pairs = list(csv.DictReader(file))[:rows]
    messages = (
        [{"role": "user", "content": p["question"]}, {"role": "assistant", "content": p["answer"]}]
        for p in pairs
    )
    return encode_rows(tokenizer, ({"row": i, "messages": m} for i, m in enumerate(messages)), 512)


def trained(dtype: str, rounded: bool, train: list[Any], held_out: list[Any]) -> tuple[float, float]:
    """(tokens per second, held-out loss with the exact base) of one pass."""
    import torch

    from studio.domain.specs import TrainSpec
    from studio.engine.evaluate import mean_over_targets, row_losses
    from studio.engine.loading import load_model, load_tokenizer
    from studio.engine.models import add_adapter
    from studio.engine.tasks.language.task import CausalTask
    from studio.paths import default_base_model_dir

    torch.manual_seed(0)
    spec, kind = TrainSpec(), getattr(torch, dtype)
    model = add_adapter(load_model(default_base_model_dir(), dtype=kind), spec)
    task = CausalTask(model, load_tokenizer(default_base_model_dir()), torch.device("cpu"), kind)
    if rounded:
        task.round_base(train[:BATCH], always=True)
    optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=5e-4)
    order = sorted(train, key=lambda example: example.length)
    model.train()
    began = time.perf_counter()
    for start in range(0, len(order), BATCH):
        task.loss(task.collate(order[start : start + BATCH])).backward()
        optimizer.step()
        optimizer.zero_grad()
    seconds = time.perf_counter() - began
    with task.as_answered():
        loss = mean_over_targets(row_losses(task, held_out, BATCH), held_out)
    return sum(example.length for example in train) / seconds, loss


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rows", type=int, default=32)
    options.add_argument("--repeats", type=int, default=3)
    given = options.parse_args()
    from studio.engine.threads import spin_while_alone

    with spin_while_alone():  # as a run computes
        measure(given.rows, given.repeats)


def measure(rows: int, repeats: int) -> None:
    """Train by turns in each way and print speeds and losses."""
    from studio.engine.devices import set_up
    from studio.engine.kernels import attention
    from studio.engine.loading import load_tokenizer
    from studio.paths import default_base_model_dir

    set_up()
    attention.use_here()
    every = examples(load_tokenizer(default_base_model_dir()), 2 * rows)
    train, held_out = every[:rows], every[rows:]
    found: dict[tuple[str, bool], list[tuple[float, float]]] = {way: [] for way in WAYS}
    for _repeat in range(repeats):  # by turns, so that other programs disturb all alike
        for way in WAYS:
            found[way].append(trained(*way, train, held_out))
    own = max(speed for speed, _loss in found["float32", False])
    for (dtype, rounded), runs in found.items():
        speeds = [speed for speed, _loss in runs]
        name = dtype + (" + int8 base" if rounded else "")
        noise = (max(speeds) - min(speeds)) / min(speeds)
        ratio, loss = max(speeds) / own, runs[0][1] / found["float32", False][0][1] - 1
        print(f"{name:22} {max(speeds):6.0f} tokens/s, {ratio:.2f} x float32 (noise {noise:.0%}),", end=" ")
        print(f"held-out loss {loss:+.2%}")


if __name__ == "__main__":
    main()
