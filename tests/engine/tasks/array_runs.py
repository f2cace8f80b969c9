"""Small real runs over pictures and recordings that are made up from their names."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from studio.domain.architectures import Architecture, Method
from studio.domain.datasets import Split
from studio.domain.runs import RunPlan, RunSummary
from studio.domain.shapes import Shape
from studio.domain.specs import TrainSpec
from studio.engine import checkpoint
from studio.engine.session import Session
from studio.protocol.events import CheckpointSaved, Evaluated, Event, Resumed
from tests.engine.helpers import Killed, PlainControl, Recorder
from tests.engine.media import DrawnMedia


def rows_of(column: str, kinds: tuple[str, str], count: int = 60) -> Any:
    """Files whose name says their kind, which is their label; more of the first kind. A tenth each is held out."""
    split_of = {3: Split.VALIDATION, 7: Split.TEST}

    def rows(split: Split) -> Iterable[dict[str, Any]]:
        for i in range(count):
            kind = kinds[(i // 10 + i) % 5 < 2]
            if split_of.get(i % 10, Split.TRAIN) is split:
                yield {"row": i + 1, column: f"{kind}-{i}", "label": kind}

    return rows


PICTURES = rows_of("image", ("lying", "standing"))
SOUNDS = rows_of("audio", ("low", "high"))


def plan_of(shape: Shape, architecture: Architecture, base: Path | None = None, **fields: Any) -> RunPlan:
    method = Method.FULL if architecture is Architecture.BACKBONE else Method.SCRATCH
    spec = {
        "architecture": architecture, "method": method, "epochs": 4, "batch_size": 8, "threads": 1,
        "early_stopping": 0, "learning_rate": 5e-3, "channels": 8, "image_size": 16, "latent": 4, "dropout": 0.1,
        "dtype": "float32", "evals_per_epoch": 1.0, **fields,
    }  # fmt: skip
    return RunPlan(
        name="test", base_dir=str(base) if base else None, base_name="tiny", dataset_id="d", dataset_dir="",
        dataset_sha256="abc", dataset_name="rows", shape=shape, spec=TrainSpec.model_validate(spec), probes=[],
    )  # fmt: skip


def session_of(
    plan: RunPlan, folder: Path, recorder: Recorder | None = None, media: Any = None, rows: Any = None
) -> Session:
    folder.mkdir(exist_ok=True)
    given = rows or (SOUNDS if plan.shape is Shape.AUDIO_LABEL else PICTURES)
    return Session(plan, folder, given, recorder or Recorder(), PlainControl(), media or DrawnMedia())


class KilledAtSecondCheck(Recorder):
    """Stands for a kill once the checkpoint of the first check is on the disk."""

    def __init__(self) -> None:
        super().__init__()
        self._saved = threading.Event()

    def __call__(self, event: Event) -> None:
        super().__call__(event)
        if isinstance(event, CheckpointSaved):
            self._saved.set()
        if isinstance(event, Evaluated) and len(self.of(Evaluated)) == 2:
            assert self._saved.wait(60)
            raise Killed


def trained(plan: RunPlan, folder: Path) -> tuple[RunSummary, Recorder]:
    recorder = Recorder()
    return session_of(plan, folder, recorder).run(), recorder


def assert_a_killed_run_ends_alike(plan: RunPlan, folder: Path) -> None:
    """Killed in the second pass and gone on with from the middle of a pass, it ends in the same bits of weights,
    optimizer and random states as a run that was left alone."""
    often = {"evals_per_epoch": 1.5, "gradient_accumulation": 2}  # 3 updates a pass, a check after every 2
    plan = plan.model_copy(update={"spec": plan.spec.model_copy(update=often)})
    trained(plan, folder / "whole")
    with pytest.raises(Killed):
        session_of(plan, folder / "killed", KilledAtSecondCheck()).run()
    _summary, seen = trained(plan, folder / "killed")
    resumed = seen.of(Resumed)[0]
    assert (resumed.exact, resumed.step) == (True, 2)
    whole, killed = (
        checkpoint.valid_checkpoints(folder / name / "checkpoints")[0] for name in ("whole", "killed")
    )
    assert whole.name == killed.name
    for name in (checkpoint.WEIGHTS, checkpoint.STATE):
        assert checkpoint.file_facts(whole / name) == checkpoint.file_facts(killed / name)
