"""Domain objects for tests, with everything filled in that a test does not care about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from studio.domain.datasets import DatasetVersion, ImportSpec, Split
from studio.domain.runs import Run, RunPlan, RunSummary
from studio.domain.shapes import Shape
from studio.domain.specs import TrainSpec
from studio.protocol import events as ev


def dataset(**fields: Any) -> DatasetVersion:
    values: dict[str, Any] = {
        "name": "Questions", "shape": Shape.PROMPT_RESPONSE, "source_path": "/somewhere/questions.csv",
        "source_bytes": 100, "source_sha256": "0" * 64, "rows": 10, "rejected": 0,
        "splits": {Split.TRAIN: 8, Split.VALIDATION: 1, Split.TEST: 1}, "languages": {"en": 1.0},
        "content_sha256": "1" * 64, "spec": ImportSpec(source="/somewhere/questions.csv"), "seconds": 0.1,
    }  # fmt: skip
    return DatasetVersion(**{**values, **fields})


def plan(data: DatasetVersion, **fields: Any) -> RunPlan:
    values: dict[str, Any] = {
        "name": "A run", "base_dir": None, "base_name": "Base", "dataset_id": data.id, "dataset_dir": "/nowhere",
        "dataset_sha256": data.content_sha256, "dataset_name": data.name, "shape": data.shape, "spec": TrainSpec(),
    }  # fmt: skip
    return RunPlan(**{**values, **fields})


def run(data: DatasetVersion, **fields: Any) -> Run:
    return Run(plan=fields.pop("plan", None) or plan(data), **fields)


def summary(**fields: Any) -> RunSummary:
    values: dict[str, Any] = {
        "steps": 10, "seconds": 7200.0, "real_tokens": 1000, "tokens_per_s": 100.0, "peak_memory_bytes": 10**9,
        "best_step": 10, "best_eval_loss": 1.0, "base_value": 2.0, "tuned_value": 1.0, "model_path": "model",
        "model_sha256": "2" * 64, "model_bytes": 1000, "parameters": 100, "trainable": 10,
        "stop_reason": "finished", "answer_tokens_per_s": 20.0, "answer_tokens_mean": 50.0,
    }  # fmt: skip
    return RunSummary(**{**values, **fields})


def started(seq: int, attempt: int = 1) -> ev.Started:
    return ev.Started(seq=seq, job="train", pid=1, pid_started_at=1.0, token=f"t{attempt}", attempt=attempt)


def step(seq: int, number: int, loss: float = 1.0, total: int = 100) -> ev.Step:
    return ev.Step(
        seq=seq, step=number, total_steps=total, epoch=number / 10, loss=loss, lr=1e-4, grad_norm=0.5,
        tokens_per_s=100.0, memory_bytes=10**9, elapsed_s=float(number), eta_s=1.0,
    )  # fmt: skip


def evaluated(seq: int, number: int, loss: float = 1.0) -> ev.Evaluated:
    return ev.Evaluated(
        seq=seq, step=number, epoch=number / 10, loss=loss, perplexity=2.7, rows=5, is_best=True
    )


def write_rows(folder: Path) -> None:
    """A dataset folder that looks complete; its rows are served by FakePages."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "rows.parquet").write_bytes(b"PAR1")
