"""A full disk ends no run: what could not be written waits until there is room, then it is written."""

from __future__ import annotations

import errno
import os
import shutil
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from studio.engine.control import Control, Reason
from studio.i18n import _
from studio.words import size_words

NO_ROOM: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
LEAST_ROOM: Final = 1 << 20  # bytes that must be free before a run goes on, whatever it wants to write
ResultT = TypeVar("ResultT")


class Patience:
    """Does what writes to ``folder``; where there is no room it holds the run and tries again.

    step: at which the run stands. needed: bytes that are to be written next.
    """

    def __init__(
        self, folder: Path, control: Control, step: Callable[[], int], needed: Callable[[], int]
    ) -> None:
        self._folder, self._control = folder, control
        self._step, self._needed = step, needed

    def __call__(self, act: Callable[[], ResultT]) -> ResultT:
        """The result of ``act``. Raises OSError for another trouble, or when the user stops the run meanwhile."""
        while True:
            stopped = self._control.stop
            try:
                return act()
            except OSError as error:
                if error.errno not in NO_ROOM or stopped:
                    raise
            self._hold()

    def _hold(self) -> None:
        needed = max(LEAST_ROOM, self._needed())
        free = shutil.disk_usage(self._folder).free
        reason = Reason(
            "run.disk_full",
            _("The disk is full: the run needs {needed} to save itself, and {free} are free.").format(
                needed=size_words(needed), free=size_words(free)
            ),
            _("Free some space: the run then goes on by itself."),
        )
        self._control.hold(self._step(), reason, lambda: has_room(self._folder, needed))


def has_room(folder: Path, needed: int) -> bool:
    """Whether ``needed`` bytes can really be written below ``folder``: free, within limits, with a name left."""
    if shutil.disk_usage(folder).free < needed:
        return False
    trial = folder / f".trial-{uuid.uuid4().hex}"
    try:
        with trial.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, needed)
        return True
    except OSError:
        return False
    finally:
        trial.unlink(missing_ok=True)
