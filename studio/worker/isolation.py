"""A data job reaches no network: it reads files that strangers made.

On Linux the process moves into a network namespace of its own, where there is nothing but an unconfigured loopback;
that holds native code too. Root does it alone, anyone else within a user namespace, where the system allows those.
Everywhere, an audit hook refuses sockets to Python code. Where the namespace cannot be had (macOS, Windows, hardened
kernels) the hook is all there is: a library's native code could still connect, if it wanted to.
"""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path
from typing import Any, Final

_CLONE_NEWUSER: Final = 0x10000000
_CLONE_NEWNET: Final = 0x40000000
_REFUSED: Final = frozenset(
    {"socket.connect", "socket.sendto", "socket.sendmsg", "socket.bind", "socket.getaddrinfo",
     "socket.gethostbyname", "socket.gethostbyaddr"}
)  # fmt: skip


def leave_network() -> bool:
    """Cut this process off; returns whether the system holds it, not only Python.

    Call it before the first thread starts: Linux gives a user namespace to a single-threaded process only.
    """
    sys.addaudithook(_refuse)
    return sys.platform == "linux" and _unshare()


def _refuse(event: str, _args: tuple[Any, ...]) -> None:
    if event in _REFUSED:
        raise PermissionError(f"a data job may not use the network ({event})")


def _unshare() -> bool:
    libc = ctypes.CDLL(None, use_errno=True)
    if os.geteuid() == 0:
        return int(libc.unshare(_CLONE_NEWNET)) == 0
    user, group = os.getuid(), os.getgid()
    if libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET):
        return False
    try:  # the same user as outside; without this files would seem to be nobody's
        Path("/proc/self/setgroups").write_text("deny")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1")
    except OSError:
        return True  # the files are still ours, only the name of the user is not known
    return True
