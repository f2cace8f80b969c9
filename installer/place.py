"""Where the installer keeps things, before the program's own studio.paths can be asked."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from installer.messages import _
from installer.plan import StepError


@dataclass(frozen=True)
class Place:
    """One copy of the source tree and what set-up adds to it."""

    root: Path

    @property
    def venv(self) -> Path:
        return self.root / ".venv"

    @property
    def python(self) -> Path:
        """The private environment's interpreter."""
        return self.venv / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")

    @property
    def stamps(self) -> Path:
        """Inside the environment: who deletes it, deletes what is remembered about it."""
        return self.venv / ".setup"

    @property
    def record(self) -> Path:
        """Everything that the tools wrote, for the failure message."""
        return self.root / "build" / "setup" / "setup.log"

    @property
    def lock(self) -> Path:
        return self.root / "build" / "setup" / "lock"

    @property
    def half_made(self) -> Path:
        """There while the environment is being made: one that was interrupted may hold half a pip."""
        return self.root / "build" / "setup" / "making-venv"

    @property
    def requirements(self) -> Path:
        return self.root / "installer" / "requirements.txt"

    @property
    def dev_requirements(self) -> Path:
        return self.root / "installer" / "requirements-dev.txt"

    @property
    def project(self) -> Path:
        return self.root / "pyproject.toml"


@contextmanager
def one_at_a_time(lock: Path) -> Iterator[None]:
    """Hold the lock file while setting up; freed even by a kill. Raises StepError when it is taken."""
    lock.parent.mkdir(parents=True, exist_ok=True)
    with lock.open("a+b") as stream:
        try:
            _seize(stream)
        except OSError as error:
            raise StepError(
                _("Another set-up of this copy is running."),
                _("Wait until it has finished, then run this command again."),
            ) from error
        yield


def _seize(stream: IO[bytes]) -> None:
    if sys.platform == "win32":
        import msvcrt

        stream.seek(0)
        msvcrt.locking(stream.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def has_display(platform: str = sys.platform) -> bool:
    """Whether a window can be shown; on Linux that takes an X or Wayland display."""
    if platform.startswith("linux"):
        return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
    return True
