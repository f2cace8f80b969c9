"""Brings a database to the program's schema: backup first, one transaction, and the backup put back if it fails.

The usual start compares one number by plain SQL; Alembic is imported only when a migration is due.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from studio.errors import StudioError
from studio.i18n import _
from studio.store import backup, schema
from studio.store.database import CorruptDatabaseError, Database, looks_sound

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"


@dataclass(frozen=True)
class Versions:
    """The schema versions that a program knows, in order, and the folder with the migrations between them."""

    known: Sequence[str] = schema.REVISIONS
    scripts: Path = MIGRATIONS

    @property
    def head(self) -> str:
        return self.known[-1]


def open_database(
    path: Path, backups: Path, versions: Versions = Versions(), module: ModuleType | None = None
) -> Database:
    """Open, check and, if need be, create or migrate the database.

    Raises CorruptDatabaseError; StudioError ``store.newer`` when a newer program made it, and
    ``store.migration_failed`` (the database is then as it was before).
    """
    database = Database(path, module)
    try:
        _prepare(database, backups, versions)
    except BaseException:
        database.close()
        raise
    return database


def schema_version(path: Path, module: ModuleType) -> str | None:
    """The schema version of a database, by plain SQL; None for one without tables."""
    connection = module.connect(str(path))
    try:
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        return str(row[0]) if row else None
    except module.OperationalError as problem:
        if "no such table" in str(problem):
            return None
        raise
    finally:
        connection.close()


def alembic_config(versions: Versions) -> Config:
    """Alembic's settings, made here instead of in an ini file."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(versions.scripts).replace("%", "%%"))
    return config


def _prepare(database: Database, backups: Path, versions: Versions) -> None:
    path, module = database.path, database.module
    if not path.exists() or path.stat().st_size == 0:
        _create(database, versions)
        return
    if not looks_sound(path, module):
        raise CorruptDatabaseError(path, backup.newest_good(backups, module))
    version = schema_version(path, module)
    if version == versions.head:
        return
    if version is None and _has_tables(path, module):
        raise CorruptDatabaseError(path, backup.newest_good(backups, module))
    if version is None:
        _create(database, versions)
    elif version not in versions.known:
        raise StudioError(
            "store.newer", _("This workspace was made by a newer version of the program."),
            _("Install the newest version, or open another workspace. Nothing was changed."),
        )  # fmt: skip
    else:
        _migrate(database, backups, versions, version)


def _create(database: Database, versions: Versions) -> None:
    """A new database gets today's tables at once; a test proves that the migrations lead to the same."""
    with database.write() as connection:
        schema.metadata.create_all(connection)
        schema.version_table.create(connection)
        connection.execute(schema.version_table.insert().values(version_num=versions.head))


def _migrate(database: Database, backups: Path, versions: Versions, version: str) -> None:
    from alembic import command

    copy = backup.make_backup(database.path, backups, f"before_{versions.head}", database.module)
    config = alembic_config(versions)
    try:
        with database.engine.connect() as connection:
            # Tables are rebuilt; checked again at the end. By the driver: within a transaction, which SQLAlchemy would
            # begin first, this is not heeded.
            connection.connection.cursor().execute("PRAGMA foreign_keys=OFF")
            connection = connection.execution_options(studio_write=True)
            with connection.begin():
                config.attributes["connection"] = connection
                command.upgrade(config, "head")
                if connection.exec_driver_sql("PRAGMA foreign_key_check").first() is not None:
                    raise ValueError("a row points to nothing")
    except Exception as problem:  # whatever a migration raises, the database must be as it was
        database.close()
        backup.restore(database.path, copy)
        raise StudioError(
            "store.migration_failed",
            _("The workspace could not be brought to this version: {error}").format(error=problem),
            _("Nothing was changed. Use the version that you had before, and send us the message."),
        ) from problem
    database.close()  # the connection without foreign keys must not serve anyone else


def _has_tables(path: Path, module: ModuleType) -> bool:
    connection = module.connect(str(path))
    try:
        return bool(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    finally:
        connection.close()
