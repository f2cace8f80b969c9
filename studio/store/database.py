"""One SQLite file: opened durable and checked, read and written in transactions, its errors told in words."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DatabaseError
from sqlalchemy.pool import ConnectionPoolEntry

from studio.errors import ResourceError, StudioError
from studio.i18n import _
from studio.store.sqlite import BUSY_TIMEOUT_MS, sqlite_module

_DURABLE = (
    "PRAGMA journal_mode=WAL", "PRAGMA synchronous=FULL", "PRAGMA foreign_keys=ON",
    f"PRAGMA busy_timeout={BUSY_TIMEOUT_MS}",
)  # fmt: skip
_ROOM_BYTES = 2**20  # with less free, SQLite cannot make its own files and only says “disk I/O error”
QUICK_CHECK_BYTES = 32 * 2**20  # up to this size the whole file is checked when it is opened (about 20 ms)


class CorruptDatabaseError(StudioError):
    """The database is damaged. ``backup`` is the newest good copy, if there is one; the original is left as it is."""

    def __init__(self, path: Path, backup: Path | None) -> None:
        hint = (
            _("Restore the backup {name}; the damaged file is kept: {command}").format(
                name=backup.name, command=f'studio doctor --restore --workspace "{path.parent}"'
            )
            if backup
            else _("There is no backup yet. The damaged file is kept: {path}").format(path=path)
        )
        super().__init__("store.corrupt", _("The workspace's database is damaged."), hint)
        self.backup = backup


class Database:
    """The open database. ``writes`` counts transactions that changed something, for the backups.

    Reads and writes may come from any thread; each thread at work has a connection of its own.
    """

    def __init__(self, path: Path, module: ModuleType | None = None) -> None:
        self.path = path
        self.module = module or sqlite_module()
        self.writes = 0
        self._count_lock = threading.Lock()
        self.engine = _engine(path, self.module)

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A connection that sees one state of the database. Raises StudioError for the database's own errors."""
        with self._telling(), self.engine.begin() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """A transaction that is durable when this ends, and undone when the block raises."""
        with self._telling():
            with self.engine.connect().execution_options(studio_write=True) as connection, connection.begin():
                yield connection
            with self._count_lock:
                self.writes += 1

    def integrity_problem(self) -> str | None:
        """What SQLite's own full check finds wrong; None when all is well. May take seconds for a large file."""
        with self.read() as connection:
            found = str(connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar())
        return None if found == "ok" else found

    def close(self) -> None:
        """Close every connection; what was written is in the file."""
        self.engine.dispose()

    @contextmanager
    def _telling(self) -> Iterator[None]:
        try:
            yield
        except DatabaseError as problem:
            raise told(str(problem.orig), self.path) from problem


def told(text: str, path: Path) -> StudioError:
    """The database's error in words."""
    if "malformed" in text or "not a database" in text or "disk image" in text:
        return CorruptDatabaseError(path, None)
    if "full" in text or ("I/O error" in text and shutil.disk_usage(path.parent).free < _ROOM_BYTES):
        return ResourceError("store.disk_full", _("The disk is full."), _("Free some space, then try again."))
    if "locked" in text:
        return StudioError(
            "store.locked", _("The database is in use by another program."), _("Try again in a moment.")
        )
    if "readonly" in text or "read-only" in text or "unable to open" in text:
        return StudioError(
            "store.not_writable", _("The workspace's database cannot be written."),
            _("Check that the disk is there and that you may write to {path}.").format(path=path.parent),
        )  # fmt: skip
    return StudioError("store.failed", _("The database refused: {error}").format(error=text))


def looks_sound(path: Path, module: ModuleType) -> bool:
    """Whether the file is a database without visible damage; a large one is checked by its first page only.

    Raises StudioError ``store.disk_full``, ``store.locked``, ``store.not_writable``: then nobody can tell.
    """
    try:
        connection = module.connect(str(path))
        try:
            connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
            if path.stat().st_size <= QUICK_CHECK_BYTES:
                return bool(connection.execute("PRAGMA quick_check(1)").fetchone()[0] == "ok")
            return True
        finally:
            connection.close()
    except (module.DatabaseError, sqlite3.DatabaseError) as problem:
        reason = told(str(problem), path)
        if isinstance(reason, CorruptDatabaseError) or reason.code == "store.failed":
            return False
        raise reason from problem


def _engine(path: Path, module: ModuleType) -> Engine:
    engine = create_engine(f"sqlite:///{path}", module=module)

    @event.listens_for(engine, "connect")
    def _on_connect(connection: Any, _entry: ConnectionPoolEntry) -> None:
        connection.isolation_level = None  # the driver begins nothing by itself: _on_begin does
        for pragma in _DURABLE:
            connection.execute(pragma).fetchall()

    @event.listens_for(engine, "begin")
    def _on_begin(connection: Connection) -> None:
        write = connection.get_execution_options().get("studio_write", False)
        connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")

    return engine
