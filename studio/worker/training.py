"""``worker train RUN_DIR``: one training run, remembered event by event beside it.

In one process; in several that torchrun, ``accelerate launch`` or the plan's own number started; or on a Ray cluster,
where this process only passes on what is said there.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from studio.domain.architectures import Architecture
from studio.domain.datasets import Split
from studio.domain.runs import RunPlan
from studio.engine.threads import spin_while_alone
from studio.errors import StudioError
from studio.i18n import _
from studio.ingest.dataset.rows import read_fold, read_split
from studio.ingest.media import StoredMedia
from studio.protocol.events import Finished, Phase
from studio.worker.awake import Awake
from studio.worker.companions import Companions, end_with_parent, team_rank
from studio.worker.control import CommandControl
from studio.worker.io import CommandReader, EventWriter, JobCancelled, started_event


def run(args: Sequence[str], writer: EventWriter, commands: CommandReader) -> None:
    """Train what RUN_DIR/spec.json says, from the start or from the newest checkpoint."""
    run_dir = Path(args[0])
    plan = read_plan(run_dir)
    if team_rank() > 0:
        return _follow(plan, run_dir, writer)
    writer.emit(started_event(writer, "train", attempt=1 + _earlier_attempts(run_dir)))
    writer.emit(Phase(name="starting"))
    if plan.placement.kind == "ray":
        from studio.worker.cluster import run_on_ray

        return run_on_ray(plan, run_dir, writer, commands)
    with Awake(wanted=plan.keep_awake) as awake, Companions(plan, run_dir) as companions:
        control = CommandControl(commands, writer.emit, end_with_parent=not plan.outlive, awake=awake)
        companions.start()
        with spin_while_alone(plan.spec.threads):
            _lead(plan, run_dir, writer, control)


def _lead(plan: RunPlan, run_dir: Path, writer: EventWriter, control: CommandControl) -> None:
    from studio.engine.distributed import join_team  # torch: seconds, after the first words were said
    from studio.engine.session import Session, summary_json

    team = join_team()
    try:
        session = Session(plan, run_dir, rows_of(plan), writer.emit, control, media_of(plan), team)
        summary = session.run()
    except JobCancelled:
        drop_results(run_dir)
        raise
    writer.emit(Finished(result=summary_json(summary)))
    team.leave()


def _follow(plan: RunPlan, run_dir: Path, writer: EventWriter) -> None:
    """Another process of the team: it works, and says nothing."""
    end_with_parent()
    control = CommandControl(CommandReader(None), writer.emit, end_with_parent=False)
    with spin_while_alone(plan.spec.threads):
        from studio.engine.distributed import join_team
        from studio.engine.session import Session

        team = join_team()
        Session(plan, run_dir, rows_of(plan), writer.emit, control, media_of(plan), team).follow()
        writer.emit(Finished())
        team.leave()


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
    """How the engine gets at the rows of the plan's dataset, one split at a time; the test rows only to be compared."""
    folder, draws = (
        Path(plan.dataset_dir),
        plan.spec.architecture is Architecture.VAE,
    )  # which needs no labels

    def rows(split: Split) -> Iterable[dict[str, Any]]:
        if split is Split.TEST and not plan.compare:
            return ()
        if plan.fold is not None:
            return read_fold(folder, split, plan.fold, by=plan.fold_by, unlabelled=draws)
        return read_split(folder, split, unlabelled=draws)

    return rows


def media_of(plan: RunPlan) -> StoredMedia:
    """How the engine gets at the pictures and recordings that these rows name."""
    return StoredMedia(Path(plan.dataset_dir).parent)
