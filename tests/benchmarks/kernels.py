"""What runs compute with on a processor, beside torch as it comes: matrix products and attention, each in one run.

    .venv/bin/python tests/benchmarks/kernels.py [--repeats 20]

Best of many repeats, by turns, since machines are shared; the noise is how far the median lies above the best.
Products: GFLOP/s of 1024 x 576 by 576 x 1536. Attention: milliseconds, forward and backward, of 4 texts in the shape of
SmolLM2-135M (9 heads, 3 of keys, 64 wide). Above 1 ours is faster.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))
LENGTHS = (88, 256, 500)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--repeats", type=int, default=20)
    repeats = options.parse_args().repeats
    from studio.engine.threads import spin_while_alone

    with spin_while_alone():
        measure(repeats)


def measure(repeats: int) -> None:
    """Print both tables."""
    import torch

    from studio.engine import devices

    devices.set_threads()
    devices.reuse_memory()
    rows, weight = torch.randn(1024, 576), torch.randn(1536, 576)
    operations = 2 * rows.numel() * len(weight)
    before = best_of({"torch": lambda: rows @ weight.t()}, repeats)["torch"]
    other = devices.use_fast_float32()
    after = best_of({"run": lambda: rows @ weight.t()}, repeats)["run"]
    print(
        f"float32 product: {operations / before[0] / 1e9:.0f} GFLOP/s as torch comes (noise {before[1]:.0%}), "
        f"{operations / after[0] / 1e9:.0f} as a run multiplies (noise {after[1]:.0%}): {before[0] / after[0]:.2f} x"
        f"{'' if other else ' (the same way)'}"
    )
    for dtype in (torch.float32, torch.bfloat16):
        for length in LENGTHS:
            (ours, noise), (torchs, others) = attention(dtype, length, repeats)
            print(
                f"attention, {str(dtype).removeprefix('torch.')}, {length} places: {1e3 * ours:.2f} ms (noise "
                f"{noise:.0%}), torch {1e3 * torchs:.2f} ms (noise {others:.0%}): {torchs / ours:.2f} x"
            )


def attention(dtype: Any, length: int, repeats: int) -> tuple[tuple[float, float], tuple[float, float]]:
    """Seconds and noise of ours and torch's."""
    import torch
    from torch.nn.functional import scaled_dot_product_attention

    from studio.engine.kernels.attention import causal_attention

    query, key, value = (
        torch.randn(4, heads, length, 64, dtype=dtype, requires_grad=True) for heads in (9, 3, 3)
    )
    slope = torch.randn(4, 9, length, 64, dtype=dtype)

    def own() -> None:
        torch.autograd.backward([causal_attention(query, key, value, 0.125)], [slope])

    def torchs() -> None:
        seen = scaled_dot_product_attention(query, key, value, is_causal=True, scale=0.125, enable_gqa=True)
        torch.autograd.backward([seen], [slope])

    found = best_of({"own": own, "torch": torchs}, repeats)
    return found["own"], found["torch"]


def best_of(work: dict[str, Callable[[], object]], repeats: int) -> dict[str, tuple[float, float]]:
    """For each: the shortest time in seconds, and how far the median lies above it."""
    seconds: dict[str, list[float]] = {name: [] for name in work}
    for _repeat in range(repeats + 2):
        for name, do in work.items():
            started = time.perf_counter()
            do()
            seconds[name].append(time.perf_counter() - started)
    return {name: (min(took[2:]), median(took[2:]) / min(took[2:]) - 1) for name, took in seconds.items()}


if __name__ == "__main__":
    main()
