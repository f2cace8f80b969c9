"""What benchmarks of whole runs share: one run of the studio's session over given rows, and what it told."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from studio.domain.datasets import Split
from studio.domain.runs import RunPlan, RunSummary
from studio.domain.shapes import Shape
from studio.domain.specs import TrainSpec
from studio.engine.devices import set_threads
from studio.engine.session import Session
from tests.engine.helpers import PlainControl

Rows = list[dict[str, Any]]


def run_session(
    spec: TrainSpec, shape: Shape, parts: dict[Split, Rows], base: Path | None = None
) -> tuple[RunSummary, list[Any]]:
    """The end of the run and all its events. base: folder of the pretrained model, None from scratch."""
    set_threads()
    plan = RunPlan(
        name="benchmark", base_dir=str(base) if base else None, base_name=base.name if base else "", dataset_id="r",
        dataset_dir="", dataset_sha256="r", dataset_name="rows", shape=shape, spec=spec,
    )  # fmt: skip
    heard: list[Any] = []
    with tempfile.TemporaryDirectory() as folder:
        summary = Session(plan, Path(folder), lambda split: parts[split], heard.append, PlainControl()).run()
    return summary, heard


def numbered(rows: Rows) -> Rows:
    """As the importer numbers them."""
    return [{"row": number, **row} for number, row in enumerate(rows, 1)]
