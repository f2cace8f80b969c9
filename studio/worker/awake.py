"""Keeps the computer from going to sleep while a model is trained. Where the system refuses, training just goes on."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from types import TracebackType
from typing import Final

_ES_CONTINUOUS: Final = 0x80000000
_ES_SYSTEM_REQUIRED: Final = 0x00000001


class Awake:
    """Held from ``keep`` to ``release``; a context. wanted: False does nothing at all.

    On Linux and macOS a small helper holds the system's own lock for as long as this process holds a pipe to it, so a
    kill ends it too.
    """

    def __init__(self, *, wanted: bool = True) -> None:
        self._wanted = wanted
        self._helper: subprocess.Popen[bytes] | None = None

    @property
    def held(self) -> bool:
        """Whether a helper holds the lock now."""
        return self._helper is not None and self._helper.poll() is None

    def keep(self) -> None:
        """Ask the system to stay awake; asking twice changes nothing."""
        if not self._wanted or self.held:
            return
        if sys.platform == "win32":
            ctypes.windll.kernel32.SetThreadExecutionState(_ES_CONTINUOUS | _ES_SYSTEM_REQUIRED)
            return
        try:
            self._helper = subprocess.Popen(
                _command(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
        except OSError:  # no such program here
            self._helper = None

    def release(self) -> None:
        """Let the computer sleep again."""
        if self._wanted and sys.platform == "win32":
            ctypes.windll.kernel32.SetThreadExecutionState(_ES_CONTINUOUS)
        helper, self._helper = self._helper, None
        if helper is None:
            return
        if helper.stdin is not None:
            helper.stdin.close()
        helper.terminate()
        helper.wait()

    def __enter__(self) -> Awake:
        self.keep()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release()


def _command() -> list[str]:
    if sys.platform == "darwin":
        return ["caffeinate", "-i", "-w", str(os.getpid())]
    return [
        "systemd-inhibit", "--what=sleep:idle", "--mode=block", "--who=Product Matrix Studio",
        "--why=A model is being trained", "cat",
    ]  # fmt: skip
