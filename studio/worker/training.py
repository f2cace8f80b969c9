"""``worker train RUN_DIR``: one training run in one process, remembered event by event beside it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from studio.domain.datasets import Split
from studio.domain.runs import RunPlan
from studio.errors import StudioError
from studio.i18n import _
from studio.ingest.dataset.rows import read_split
from studio.protocol.events import Finished, Phase
from studio.worker.control import CommandControl
from studio.worker.io import CommandReader, EventWriter, JobCancelled, started_event


def run(args: Sequence[str], writer: EventWriter, commands: CommandReader) -> None:
    """Train what RUN_DIR/spec.json says, from the start or from the newest checkpoint."""
    run_dir = Path(args[0])
    plan = read_plan(run_dir)
    writer.emit(started_event(writer, "train", attempt=1 + _earlier_attempts(run_dir)))
    writer.emit(Phase(name="starting"))
    control = CommandControl(commands, writer.emit, end_with_parent=not plan.outlive)
    from studio.engine.session import Session, summary_json  # torch: seconds, after the first words were said

    try:
        session = Session(plan, run_dir, rows_of(plan), writer.emit, control)
        summary = session.run()
    except JobCancelled:
        drop_results(run_dir)
        raise
    writer.emit(Finished(result=summary_json(summary)))


def _earlier_attempts(run_dir: Path) -> int:
    """Processes that have begun to work in this folder before this one."""
    with (run_dir / "events.jsonl").open("rb") as events:
        return sum(b'"type":"started"' in line for line in events)


def read_plan(run_dir: Path) -> RunPlan:
    """The plan in RUN_DIR/spec.json. Raises StudioError ``run.no_plan`` when it is missing or not one."""
    try:
        return RunPlan.model_validate_json((run_dir / "spec.json").read_bytes())
    except (OSError, ValidationError) as error:
        raise StudioError(
            "run.no_plan", _("The run's folder {folder} has no readable plan.").format(folder=run_dir)
        ) from error


def drop_results(run_dir: Path) -> None:
    """Remove checkpoints and model of a cancelled run; its events and plan stay."""
    for name in ("checkpoints", "model", "tokenizer"):
        shutil.rmtree(run_dir / name, ignore_errors=True)


def rows_of(plan: RunPlan) -> Callable[[Split], Iterable[dict[str, Any]]]:
    """How the engine gets at the rows of the plan's dataset, one split at a time."""
    return lambda split: read_split(Path(plan.dataset_dir), split)
