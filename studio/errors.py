"""The one kind of exception that is meant for a person: what happened, and what to do next."""

from __future__ import annotations

import errno


class StudioError(Exception):
    """A failure that the user can act on.

    code: stable dotted name for programs and tests, e.g. ``dataset.empty``.
    message: what happened, in the user's language, one sentence.
    hint: what to do next, in the user's language; may be empty.
    exit_code: what a command-line verb returns for it (1 = the program failed, 2 = the user can mend it,
    3 = the machine cannot do it).
    """

    exit_code = 2

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class NotFoundError(StudioError):
    """Something named by the user does not exist."""


class BusyError(StudioError):
    """Someone else holds the workspace or the compute lease."""


class ResourceError(StudioError):
    """The machine lacks disk, memory or a device for what was asked."""

    exit_code = 3


def is_disk_full(error: BaseException) -> bool:
    """Whether it says that nothing more fits on the disk, or into what the user may have of it."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
