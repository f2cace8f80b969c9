"""The other processes of a run that is shared by several on this computer: started, and never left behind.

Each is this same worker with a rank of its own; torchrun and ``accelerate launch`` start theirs themselves.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path
from types import TracebackType
from typing import Final

from studio.domain.runs import RunPlan

GRACE_S: Final = 10.0
_OURS: Final = "STUDIO_COMPANION"  # its standard input is a pipe that the leader holds


def team_rank() -> int:
    """Which process of its team this one is; 0 leads, or is alone."""
    return int(os.environ.get("RANK", "0"))


def end_with_parent() -> None:
    """A companion that the studio started ends at once when its leader is gone, even by a kill."""
    if _OURS in os.environ:
        threading.Thread(target=_watch_parent, name="parent", daemon=True).start()


def _watch_parent() -> None:
    while os.read(0, 1024):
        continue
    os._exit(1)


class Companions:
    """Starts what the plan's placement asks for beside this process, which then leads them; a context."""

    def __init__(self, plan: RunPlan, run_dir: Path) -> None:
        launched_by_others = "WORLD_SIZE" in os.environ
        shared = plan.placement.kind == "processes" and not launched_by_others
        self._count = plan.placement.processes if shared else 1
        self._run_dir = run_dir
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start them, and say in this process's environment who is who. Raises OSError."""
        if self._count == 1:
            return
        team = {
            "WORLD_SIZE": str(self._count), "LOCAL_WORLD_SIZE": str(self._count),
            "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(_free_port()),
        }  # fmt: skip
        for rank in range(1, self._count):
            command = [*_program(), "worker", "train", str(self._run_dir)]
            environment = {**os.environ, **team, "RANK": str(rank), "LOCAL_RANK": str(rank), _OURS: "1"}
            self._processes.append(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=environment)
            )
        os.environ.update({**team, "RANK": "0", "LOCAL_RANK": "0"})

    def __enter__(self) -> Companions:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._processes:
            try:
                process.wait(0 if error else GRACE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdin is not None:
                process.stdin.close()


def _program() -> list[str]:
    return [sys.executable] if getattr(sys, "frozen", False) else [sys.executable, "-m", "studio"]


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])
