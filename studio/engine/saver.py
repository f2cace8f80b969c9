"""Checkpoints written beside the loop: it stands still only while the state is copied."""

from __future__ import annotations

import errno
import shutil
import threading
import time
from pathlib import Path

import torch

from studio.engine.checkpoint import (
    Buffers,
    Position,
    Snapshot,
    publish,
    retain,
    snapshot_bytes,
    take_snapshot,
)
from studio.engine.control import Emit
from studio.protocol.events import CheckpointSaved

RESERVE = 2  # times its size must be free before a checkpoint is written


class Saver:
    """Writes at most one checkpoint at a time, in order; a failure is raised at the next call, and then tried again.

    folder: RUN_DIR/checkpoints. keep: newest checkpoints kept besides the best one. every_s: how often one is due.
    """

    def __init__(self, folder: Path, keep: int, emit: Emit, every_s: float = 60.0) -> None:
        self._folder, self._keep, self._emit, self._every_s = folder, keep, emit, every_s
        self._thread: threading.Thread | None = None
        self._error: Exception | None = None
        self._buffers = Buffers()
        self._unwritten: tuple[Snapshot, float] | None = (
            None  # with the seconds that the loop stood still for it
        )
        self._last_step = -1
        self._last_save = time.monotonic()
        self.needed_bytes = 0  # of free space, for the next checkpoint

    @property
    def due(self) -> bool:
        """Whether it is time to save, and the last one is written; or whether that has failed."""
        if self._thread is not None and self._thread.is_alive():
            return False
        return self._error is not None or time.monotonic() - self._last_save >= self._every_s

    def save(self, position: Position, model: torch.nn.Module, optimizer: torch.optim.Optimizer) -> None:
        """Copy the state and start to write it. Raises OSError or what else an earlier write met."""
        started = time.monotonic()
        self.wait()
        if position.step == self._last_step:
            return
        self._check_room(optimizer)
        snapshot = take_snapshot(position, model, optimizer, self._buffers)
        self._last_save = time.monotonic()
        self._unwritten = (snapshot, self._last_save - started)
        self._last_step = position.step
        self._thread = threading.Thread(target=self._write, name="checkpoint")
        self._thread.start()

    def wait(self) -> None:
        """Until the write under way is done; one that failed is tried again by the call after. Raises as it met."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        elif self._unwritten is not None and self._error is None:
            self._write()
        if self._error is not None:
            error, self._error = self._error, None
            raise error

    def forget_buffers(self) -> None:
        """Give the memory of the copies back; the next save takes new memory, and a little longer."""
        if self._unwritten is None:
            self._buffers = Buffers()

    def _check_room(self, optimizer: torch.optim.Optimizer) -> None:
        self.needed_bytes = RESERVE * snapshot_bytes(optimizer)
        self._folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(self._folder).free < self.needed_bytes:
            raise OSError(errno.ENOSPC, "too little room for a checkpoint", str(self._folder))

    def _write(self) -> None:
        assert self._unwritten is not None
        snapshot, stall_s = self._unwritten
        try:
            path, size = publish(self._folder, snapshot)
            self._emit(
                CheckpointSaved(
                    step=snapshot.position.step, path=f"{self._folder.name}/{path.name}", size_bytes=size,
                    stall_s=round(stall_s, 4),
                )
            )  # fmt: skip
            self._unwritten = None
            retain(self._folder, self._keep, pinned={snapshot.position.best_step})
        except Exception as error:  # noqa: BLE001 (a thread's boundary: raised again in the loop by wait())
            self._error = error
