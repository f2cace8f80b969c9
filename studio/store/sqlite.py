"""The SQLite library that is used: one without the WAL-reset bug, which loses acknowledged data.

Versions 3.7.0 to 3.51.2 have the bug; where Python's own is older than the fix, pysqlite3 carries a newer one.
"""

from __future__ import annotations

import sqlite3
from types import ModuleType

from studio.errors import ResourceError
from studio.i18n import _

FIXED_VERSION = (3, 51, 3)
BUSY_TIMEOUT_MS = 30_000


def sqlite_module() -> ModuleType:
    """The DB-API module to use. Raises ResourceError ``store.sqlite_version`` when none is new enough."""
    if sqlite3.sqlite_version_info >= FIXED_VERSION:
        return sqlite3
    try:
        import pysqlite3
    except ImportError:
        pysqlite3 = None
    if pysqlite3 is not None and pysqlite3.sqlite_version_info >= FIXED_VERSION:
        return pysqlite3  # type: ignore[no-any-return]
    found = pysqlite3.sqlite_version if pysqlite3 is not None else sqlite3.sqlite_version
    raise too_old(found)


def too_old(found: str) -> ResourceError:
    """The refusal to store anything with a SQLite that can lose it."""
    return ResourceError(
        "store.sqlite_version",
        _("SQLite {found} on this computer can lose data; {needed} or newer is needed.").format(
            found=found, needed=".".join(map(str, FIXED_VERSION))
        ),
        _("Run the installer again; it brings a newer one."),
    )
