"""What benchmarks of whole runs share: one run of the studio's session over given rows, and what it told."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from studio.domain.datasets import Split
from studio.domain.runs import RunPlan, RunSummary
from studio.domain.shapes import Shape
from studio.domain.specs import TrainSpec
from studio.engine.threads import spin_while_alone
from studio.ingest.media import StoredMedia

Rows = list[dict[str, Any]]


def run_session(
    spec: TrainSpec,
    shape: Shape,
    parts: dict[Split, Rows],
    base: Path | None = None,
    *,
    media: StoredMedia | None = None,
    folder: Path | None = None,
    tell: Callable[[Any], None] = lambda event: None,
) -> tuple[RunSummary, list[Any]]:
    """The end of the run and all its events, computed as the studio's own process does.

    base: folder of the pretrained model, None from scratch. folder: of the run, where it is to be kept. tell: hears
    each event when it happens.
    """
    plan = RunPlan(
        name="benchmark", base_dir=str(base) if base else None, base_name=base.name if base else "", dataset_id="r",
        dataset_dir="", dataset_sha256="r", dataset_name="rows", shape=shape, spec=spec, probes=[],
    )  # fmt: skip
    heard: list[Any] = []

    def hear(event: Any) -> None:
        heard.append(event)
        tell(event)

    with ExitStack() as stack:
        stack.enter_context(spin_while_alone(spec.threads))
        from studio.engine.session import Session  # and with it torch
        from tests.engine.helpers import PlainControl

        where = folder or Path(stack.enter_context(tempfile.TemporaryDirectory()))
        summary = Session(plan, where, lambda split: iter(parts[split]), hear, PlainControl(), media).run()
    return summary, heard


def numbered(rows: Rows) -> Rows:
    """As the importer numbers them."""
    return [{"row": number, **row} for number, row in enumerate(rows, 1)]
