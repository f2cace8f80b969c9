"""Trainers by the dozen: a process that has torch in memory already, and forks one trainer for each line it reads.

``python -m tests.faults.training_server`` reads ``FOLDER`` or ``FOLDER N`` (end itself with SIGKILL at its Nth fsync or
rename) and answers with the child's number; the child's end is told as ``ended NUMBER CODE``. A trainer takes a tenth
of a second to start here, and ten seconds by itself.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from studio.domain.architectures import Method
from studio.engine import checkpoint, folders
from studio.engine import session as session_module
from studio.engine import trainer as trainer_module
from studio.engine.saver import Saver
from studio.engine.session import Session
from studio.protocol.events import Finished
from studio.worker.control import CommandControl
from studio.worker.io import CommandReader, EventWriter
from tests.engine.helpers import chat_rows, make_plan

SAVE_EVERY_S = 0.15
STEPS = 700


class QuickSaver(Saver):
    """Saves more often than the form allows, so that a short run has many saves to be killed in."""

    def __init__(self, folder: Path, keep: int, emit: Any, every_s: float) -> None:
        super().__init__(folder, keep, emit, min(every_s, SAVE_EVERY_S))


def plan() -> Any:
    """A run of a few seconds: a model of a few thousand weights, with dropout."""
    return make_plan(
        None, method=Method.SCRATCH, epochs=100, max_steps=STEPS, batch_size=4, layers=1, heads=2, width=16,
        vocabulary=300, max_length=48, evals_per_epoch=0.05, learning_rate=3e-3, gradient_accumulation=1,
    ).model_copy(update={"probes": []})  # fmt: skip


def train(folder: Path) -> None:
    """What ``worker train`` does, in a folder of its own."""
    writer = EventWriter(None, folder / "events.jsonl")
    control = CommandControl(
        CommandReader(None, folder / "commands.jsonl"), writer.emit, end_with_parent=False
    )
    Session(plan(), folder, chat_rows, writer.emit, control).run()
    writer.emit(Finished())


def end_at(call: int) -> None:
    """Have this process killed at its ``call``-th fsync, rename or removal of a file, before that is done."""
    left = [call]

    def counted(real: Callable[..., Any]) -> Callable[..., Any]:
        def wrapped(*args: Any, **options: Any) -> Any:
            left[0] -= 1
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*args, **options)

        return wrapped

    os.fsync, os.rename, os.replace = counted(os.fsync), counted(os.rename), counted(os.replace)
    os.unlink, os.rmdir = counted(os.unlink), counted(os.rmdir)
    Path.rename = counted(Path.rename)  # type: ignore[method-assign]
    checkpoint.fsync = counted(folders.fsync)


def serve() -> None:
    """Fork a trainer for each line of standard input, until it ends."""
    session_module.Saver = QuickSaver  # type: ignore[misc]
    trainer_module.EVENT_INTERVAL_S = 0.0
    import torch

    torch.set_num_threads(1)
    for line in sys.stdin:
        folder, *call = line.split()
        child = os.fork()
        if child == 0:
            _be_trainer(Path(folder), int(call[0]) if call else 0)
        _say(str(child))
        _pid, status = os.waitpid(child, 0)  # one at a time; whoever asked kills it, or not
        _say(f"ended {child} {os.waitstatus_to_exitcode(status)}")


def prctl_die_with_parent() -> None:
    """Linux: this process is killed when the server is gone."""
    import ctypes

    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def _be_trainer(folder: Path, call: int) -> None:
    code = 1
    try:
        prctl_die_with_parent()
        with (folder / "stderr.log").open("a") as log:
            os.dup2(log.fileno(), 2)
        if call:
            end_at(call)
        train(folder)
        code = 0
    finally:
        sys.stderr.flush()
        os._exit(code)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    serve()
