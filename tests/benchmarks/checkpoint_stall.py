"""How long training stands still for a checkpoint, which is written beside it.

    .venv/bin/python -m tests.benchmarks.checkpoint_stall [--rows 120] [--method lora]

The bundled 135M model learns the sample's questions and answers with the balanced preset, saved every second, as
often as the settings allow. The target: at most 50 ms for each checkpoint of a LoRA run.
"""

from __future__ import annotations

import argparse
import csv
from statistics import median

from studio.domain.architectures import Architecture, Method
from studio.domain.datasets import Split
from studio.domain.shapes import Shape
from studio.domain.specs import Preset, preset_spec
from studio.paths import default_base_model_dir, resource_path
from studio.protocol.events import CheckpointSaved, Step
from tests.benchmarks.whole_run import Rows, numbered, run_session

LIMIT_MS = 50.0


def talks(count: int) -> Rows:
    """The sample's first rows as conversations."""
    with resource_path("samples", "customer_service_en.csv").open(encoding="utf-8", newline="") as file:
        pairs = [(row["question"], row["answer"]) for row in csv.DictReader(file)][:count]
    return numbered([{"messages": [_said("user", q), _said("assistant", a)]} for q, a in pairs])


def _said(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


def main() -> int:
    """Print the stalls; 1 when the longest is over the limit."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=120)
    parser.add_argument("--method", type=Method, default=Method.LORA)
    options = parser.parse_args()
    rows = talks(options.rows)
    held_back = rows[: len(rows) // 10]
    parts = {Split.TRAIN: rows[len(held_back) :], Split.VALIDATION: held_back, Split.TEST: held_back}
    spec = preset_spec(Preset.BALANCED, options.method, Architecture.LANGUAGE_MODEL, Shape.PROMPT_RESPONSE)
    spec = spec.model_copy(update={"save_every_s": 1.0, "epochs": 1.0})
    _summary, heard = run_session(spec, Shape.PROMPT_RESPONSE, parts, default_base_model_dir())
    saved = [event for event in heard if isinstance(event, CheckpointSaved)]
    stalls = [event.stall_s * 1000 for event in saved]
    updates, size = sum(isinstance(event, Step) for event in heard), saved[-1].size_bytes / 2**20
    print(
        f"{updates} updates, {len(saved)} checkpoints of {size:.0f} MiB: the loop stood still "
        f"for {median(stalls):.1f} ms (median), {max(stalls):.1f} ms at most (limit {LIMIT_MS:.0f}); each: "
        + ", ".join(f"{stall:.1f}" for stall in stalls)
    )
    return 0 if max(stalls) <= LIMIT_MS else 1


if __name__ == "__main__":
    raise SystemExit(main())
