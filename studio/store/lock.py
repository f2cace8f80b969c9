"""One program at a time in a workspace. The kernel holds the lock, so a crash leaves none behind."""

from __future__ import annotations

import logging
import os
from pathlib import Path

from filelock import FileLock, Timeout

from studio.errors import BusyError
from studio.i18n import _

log = logging.getLogger(__name__)


class WorkspaceLock:
    """The lock of one workspace; the holder's process number is written beside it, for the message only."""

    def __init__(self, path: Path) -> None:
        self._lock = FileLock(path, timeout=0, thread_local=False)
        self._holder = path.with_suffix(".pid")

    def acquire(self) -> None:
        """Take the lock. Raises BusyError ``workspace.in_use``."""
        try:
            self._lock.acquire()
        except Timeout as problem:
            raise BusyError(
                "workspace.in_use",
                _("Another window or command uses this workspace (process {pid}).").format(pid=self._pid()),
                _("Close it, or open another workspace."),
            ) from problem
        try:
            self._holder.write_text(str(os.getpid()), encoding="ascii")
        except OSError as problem:  # a full disk: the lock holds without the number
            log.warning("The holder of the lock cannot be noted: %s", problem)

    def release(self) -> None:
        """Let go; does nothing when it is not held."""
        if self._lock.is_locked:
            self._holder.unlink(missing_ok=True)
            self._lock.release()

    def _pid(self) -> str:
        try:
            return self._holder.read_text(encoding="ascii").strip() or "?"
        except OSError:
            return "?"
