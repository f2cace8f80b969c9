"""Copies of the database: made by SQLite's own backup, checked before they count, thinned, and put back."""

from __future__ import annotations

import os
import re
import secrets
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

from studio.errors import StudioError
from studio.i18n import _
from studio.services.files import fsync_folder
from studio.store.database import Database

EVERY_S = 30 * 60
KEEP_NEWEST = 6
KEEP_DAYS = 7  # beyond the newest: one a day for this many days, then one a week
KEEP_WEEKS = 8
_NAME = re.compile(r"studio-(\d{8}T\d{6})-[\w.]+\.db")


class BackupKeeper:
    """Makes a copy every 30 minutes while something changes. A failed copy is tried again at the next turn."""

    def __init__(
        self,
        database: Database,
        folder: Path,
        clock: Callable[[], float] = time.monotonic,
        every_s: float = EVERY_S,
    ) -> None:
        self._database = database
        self._folder = folder
        self._clock = clock
        self._every_s = every_s
        self._copied_at = clock()
        self._copied_writes = database.writes

    def backup_if_due(self) -> Path | None:
        """A new copy when something changed and the last is old enough; None otherwise, or when it failed."""
        if self._clock() - self._copied_at < self._every_s or self._database.writes == self._copied_writes:
            return None
        self._copied_at = self._clock()
        writes = self._database.writes
        try:
            copy = make_backup(self._database.path, self._folder, "auto", self._database.module)
        except StudioError:
            return None
        self._copied_writes = writes
        return copy


def make_backup(database: Path, folder: Path, reason: str, module: ModuleType) -> Path:
    """A checked copy of ``database`` in ``folder``. Raises StudioError ``store.backup_failed``."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    aside = folder / f".tmp-{secrets.token_hex(4)}"
    try:
        _copy(database, aside, module)
        if not is_good(aside, module):
            raise OSError("the copy is damaged")
        target = _free_name(folder, stamp, reason)
        os.replace(aside, target)
        fsync_folder(folder)
    except (OSError, module.Error) as problem:
        aside.unlink(missing_ok=True)
        raise StudioError(
            "store.backup_failed", _("The backup of the database failed: {error}").format(error=problem),
            _("Check that the disk is not full."),
        ) from problem  # fmt: skip
    thin(folder)
    return target


def newest_good(folder: Path, module: ModuleType) -> Path | None:
    """The newest copy that is sound; None when there is none."""
    return next((path for path in list_backups(folder) if is_good(path, module)), None)


def list_backups(folder: Path) -> list[Path]:
    """All copies, newest first (by their name's time; clocks of files are not trusted)."""
    return sorted((path for path in folder.glob("studio-*.db") if _NAME.fullmatch(path.name)), reverse=True)


def restore(database: Path, backup: Path) -> Path:
    """Put a copy in the place of ``database``; the old file is kept beside it. Returns where the old file is."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S")
    kept = database.with_name(f"{database.name}.damaged-{stamp}-{secrets.token_hex(2)}")
    aside = database.with_name(f".restore-{secrets.token_hex(4)}")
    aside.write_bytes(backup.read_bytes())
    with aside.open("rb+") as file:
        os.fsync(file.fileno())
    for suffix in ("", "-wal", "-shm"):
        part = database.with_name(database.name + suffix)
        if part.exists():
            os.replace(part, kept.with_name(kept.name + suffix))
    os.replace(aside, database)
    fsync_folder(database.parent)
    return kept


def thin(folder: Path) -> None:
    """Remove copies that newer ones make dispensable: the newest stay, then one a day, then one a week."""
    backups = list_backups(folder)
    days: set[str] = set()
    weeks: set[str] = set()
    for number, path in enumerate(backups):
        at = datetime.strptime(_NAME.fullmatch(path.name)[1], "%Y%m%dT%H%M%S")  # type: ignore[index]
        day, week = at.strftime("%Y%m%d"), at.strftime("%G-%V")
        new_day = day not in days and len(days) < KEEP_DAYS
        new_week = week not in weeks and len(weeks) < KEEP_WEEKS
        if number >= KEEP_NEWEST and not new_day and not new_week:
            path.unlink()
            continue
        days.add(day)
        weeks.add(week)


def is_good(path: Path, module: ModuleType) -> bool:
    """Whether the file is a whole and sound database."""
    try:
        connection = module.connect(f"file:{path.as_posix()}?mode=ro", uri=True)
    except module.Error:
        return False
    try:
        return bool(connection.execute("PRAGMA integrity_check(1)").fetchone()[0] == "ok")
    except module.Error:
        return False
    finally:
        connection.close()


def _copy(database: Path, target: Path, module: ModuleType) -> None:
    source = module.connect(str(database))
    copy = module.connect(str(target))
    try:
        source.backup(copy)
        copy.execute("PRAGMA journal_mode=DELETE").fetchall()  # one file, no -wal beside it
    finally:
        copy.close()
        source.close()
    with target.open("rb+") as file:
        os.fsync(file.fileno())


def _free_name(folder: Path, stamp: str, reason: str) -> Path:
    names = (f"studio-{stamp}-{reason}{'' if n == 1 else f'.{n}'}.db" for n in range(1, 1000))
    return next(folder / name for name in names if not (folder / name).exists())
