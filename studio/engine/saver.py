"""Checkpoints written beside the loop: it stands still only while the state is copied."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import torch

from studio.engine.checkpoint import Position, Snapshot, publish, retain, take_snapshot
from studio.engine.control import Emit
from studio.protocol.events import CheckpointSaved


class Saver:
    """Writes at most one checkpoint at a time, in order; a failure is raised at the next call.

    folder: RUN_DIR/checkpoints. keep: newest checkpoints kept besides the best one.
    """

    def __init__(self, folder: Path, keep: int, emit: Emit) -> None:
        self._folder, self._keep, self._emit = folder, keep, emit
        self._thread: threading.Thread | None = None
        self._error: Exception | None = None
        self._last_step = -1

    def save(self, position: Position, model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Copy the state and start to write it. Raises OSError or what else an earlier write met."""
        started = time.monotonic()
        self.wait()
        if position.step == self._last_step:
            return
        snapshot = take_snapshot(position, model, optimizer)
        self._last_step = position.step
        stall = time.monotonic() - started
        self._thread = threading.Thread(target=self._write, args=(snapshot, stall), name="checkpoint")
        self._thread.start()

    def wait(self) -> None:
        """Until the write under way is done. Raises OSError or what else it met."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def _write(self, snapshot: Snapshot, stall_s: float) -> None:
        try:
            path, size = publish(self._folder, snapshot)
            self._emit(
                CheckpointSaved(
                    step=snapshot.position.step, path=f"{self._folder.name}/{path.name}", size_bytes=size,
                    stall_s=round(stall_s, 4),
                )
            )  # fmt: skip
            retain(self._folder, self._keep, pinned={snapshot.position.best_step})
        except Exception as error:  # noqa: BLE001 (a thread's boundary: raised again in the loop by wait())
            self._error = error
