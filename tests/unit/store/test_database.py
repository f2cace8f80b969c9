"""The file itself: durable settings, versions, migrations, damage, backups."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from sqlalchemy import text

from studio.errors import StudioError
from studio.store import backup, schema
from studio.store.backup import BackupKeeper, list_backups, make_backup, newest_good, restore, thin
from studio.store.database import CorruptDatabaseError, Database, looks_sound
from studio.store.migrating import MIGRATIONS, Versions, alembic_config, open_database, schema_version
from studio.store.sqlite import FIXED_VERSION, sqlite_module

DECISION = {"subject": "x", "what": "y", "why": "z", "by": "me", "at": datetime(2026, 1, 1, tzinfo=UTC)}


def add(database: Database, count: int = 1) -> None:
    for _ in range(count):
        with database.write() as connection:
            connection.execute(schema.decisions.insert().values(**DECISION))


def count(database: Database) -> int:
    with database.read() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM decisions").scalar() or 0)


def tables(path: Path) -> set[str]:
    connection = sqlite_module().connect(str(path))
    rows = connection.execute("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    connection.close()
    return {" ".join(row[0].split()).replace("( ", "(").replace(" )", ")") for row in rows}


def columns(path: Path) -> dict[str, list[tuple[object, ...]]]:
    connection = sqlite_module().connect(str(path))
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
    found = {}
    for name in names:
        found[name] = sorted(connection.execute(f"PRAGMA table_info({name})").fetchall())
        found[f"{name} keys"] = sorted(
            row[2:] for row in connection.execute(f"PRAGMA foreign_key_list({name})")
        )
        found[f"{name} indexes"] = sorted(
            row[1:4] for row in connection.execute(f"PRAGMA index_list({name})")
        )
        found[f"{name} kind"] = [row[4:] for row in connection.execute(f"PRAGMA table_list({name})")]
    connection.close()
    return found


def test_every_connection_is_durable(database: Database) -> None:
    with database.read() as connection:
        pragma = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    assert pragma == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1, "busy_timeout": 30_000}


def test_the_sqlite_in_use_has_no_wal_reset_bug() -> None:
    assert sqlite_module().sqlite_version_info >= FIXED_VERSION


def test_an_old_sqlite_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.store.sqlite.FIXED_VERSION", (99, 0, 0))
    with pytest.raises(StudioError) as caught:
        sqlite_module()
    assert caught.value.code == "store.sqlite_version"
    assert caught.value.exit_code == 3


def test_a_block_that_raises_writes_nothing(database: Database) -> None:
    def fail_half_way() -> None:
        with database.write() as connection:
            connection.execute(schema.decisions.insert().values(**DECISION))
            raise KeyError

    with pytest.raises(KeyError):
        fail_half_way()
    assert count(database) == 0
    assert database.writes == 1  # the creation of the tables only


def test_migrations_lead_to_the_same_tables_as_a_new_database(tmp_path: Path) -> None:
    open_database(tmp_path / "new.db", tmp_path / "b").close()
    migrated = Database(tmp_path / "migrated.db")
    from alembic import command

    config = alembic_config(Versions())
    with migrated.write() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    migrated.close()
    assert columns(tmp_path / "migrated.db") == columns(tmp_path / "new.db")
    assert schema_version(tmp_path / "migrated.db", sqlite_module()) == schema.HEAD


def test_known_revisions_are_those_of_the_scripts() -> None:
    from alembic.script import ScriptDirectory

    scripts = ScriptDirectory.from_config(alembic_config(Versions()))
    assert [script.revision for script in scripts.walk_revisions()][::-1] == list(schema.REVISIONS)


def test_opening_an_up_to_date_database_does_not_import_alembic(tmp_path: Path) -> None:
    open_database(tmp_path / "studio.db", tmp_path / "b").close()
    code = (
        "import sys; from pathlib import Path; from studio.store.migrating import open_database;"
        f"open_database(Path({str(tmp_path / 'studio.db')!r}), Path({str(tmp_path / 'b')!r})).close();"
        "print([m for m in ('alembic', 'sqlalchemy.orm', 'polars', 'torch') if m in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.strip() == "[]"


@pytest.fixture
def next_version(tmp_path: Path) -> Path:
    """A copy of the migrations with a place for a second one."""
    scripts = tmp_path / "scripts"
    (scripts / "versions").mkdir(parents=True)
    (scripts / "env.py").write_text((MIGRATIONS / "env.py").read_text())
    for path in (MIGRATIONS / "versions").glob("v*.py"):
        (scripts / "versions" / path.name).write_text(path.read_text())
    return scripts


def second(scripts: Path, body: str) -> Versions:
    source = f'revision = "9999"\ndown_revision = "{schema.HEAD}"\nfrom alembic import op\nimport sqlalchemy as sa\n\n'
    source += "def upgrade():\n" + textwrap.indent(textwrap.dedent(body), "    ")
    (scripts / "versions" / "v9999.py").write_text(source)
    return Versions((*schema.REVISIONS, "9999"), scripts)


def test_a_due_migration_keeps_the_data_and_a_backup(tmp_path: Path, next_version: Path) -> None:
    path, backups = tmp_path / "studio.db", tmp_path / "backups"
    old = open_database(path, backups)
    add(old)
    old.close()
    versions = second(
        next_version,
        """
        with op.batch_alter_table("decisions") as table:
            table.add_column(sa.Column("note", sa.String()))
            table.alter_column("why", new_column_name="reason")
        """,
    )
    database = open_database(path, backups, versions)
    with database.read() as connection:
        assert connection.exec_driver_sql("SELECT reason, note FROM decisions").all() == [("z", None)]
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    database.close()
    assert schema_version(list_backups(backups)[0], sqlite_module()) == schema.HEAD


def test_a_failed_migration_leaves_the_database_as_it_was(tmp_path: Path, next_version: Path) -> None:
    path, backups = tmp_path / "studio.db", tmp_path / "backups"
    old = open_database(path, backups)
    add(old, 3)
    old.close()
    before = tables(path)
    versions = second(next_version, 'op.drop_table("decisions")\nraise RuntimeError("the disk went away")')
    with pytest.raises(StudioError, match="the disk went away") as caught:
        open_database(path, backups, versions)
    assert caught.value.code == "store.migration_failed"
    assert tables(path) == before
    database = open_database(path, backups)
    assert count(database) == 3
    database.close()


def test_a_migration_killed_half_way_changes_nothing(tmp_path: Path, next_version: Path) -> None:
    path, backups = tmp_path / "studio.db", tmp_path / "backups"
    old = open_database(path, backups)
    add(old, 3)
    old.close()
    before = tables(path)
    second(
        next_version, 'op.drop_table("decisions")\nimport os, signal\nos.kill(os.getpid(), signal.SIGKILL)'
    )
    code = (
        "from pathlib import Path; from studio.store.migrating import Versions, open_database\n"
        f"versions = Versions({(*schema.REVISIONS, '9999')!r}, Path({str(next_version)!r}))\n"
        f"open_database(Path({str(path)!r}), Path({str(backups)!r}), versions)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=60, check=False).returncode == -9
    assert tables(path) == before
    database = open_database(path, backups)
    assert count(database) == 3
    database.close()


def test_a_newer_database_is_refused_and_untouched(tmp_path: Path) -> None:
    path = tmp_path / "studio.db"
    database = open_database(path, tmp_path / "b")
    with database.write() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '7777'"))
    database.close()
    before = path.read_bytes()
    with pytest.raises(StudioError) as caught:
        open_database(path, tmp_path / "b")
    assert caught.value.code == "store.newer"
    assert path.read_bytes() == before


def damage(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[4096:12288] = b"\xa5" * 8192
    path.write_bytes(content)


@pytest.mark.parametrize("how", ["flipped", "truncated", "another file"])
def test_a_damaged_database_names_the_newest_good_backup(tmp_path: Path, how: str) -> None:
    path, backups = tmp_path / "studio.db", tmp_path / "backups"
    database = open_database(path, backups)
    add(database, 50)
    copy = make_backup(path, backups, "test", database.module)
    database.close()
    if how == "flipped":
        damage(path)
    elif how == "truncated":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    else:
        path.write_bytes(b"not a database at all, but a letter to a friend" * 10)
    broken = path.read_bytes()
    with pytest.raises(CorruptDatabaseError) as caught:
        open_database(path, backups)
    assert caught.value.code == "store.corrupt"
    assert caught.value.backup == copy
    assert copy.name in caught.value.hint
    assert path.read_bytes() == broken
    kept = restore(path, copy)
    assert kept.read_bytes() == broken
    again = open_database(path, backups)
    assert count(again) == 50
    again.close()


def test_a_damaged_backup_is_not_offered(tmp_path: Path, database: Database) -> None:
    add(database, 50)
    good = make_backup(database.path, tmp_path / "b", "test", database.module)
    bad = good.with_name("studio-20991231T000000-test.db")
    bad.write_bytes(good.read_bytes())
    damage(bad)
    assert newest_good(tmp_path / "b", database.module) == good
    assert newest_good(tmp_path / "none", database.module) is None


def test_a_copy_is_whole_while_the_database_is_in_use(tmp_path: Path, database: Database) -> None:
    add(database, 5)
    with database.write() as connection:
        connection.execute(schema.decisions.insert().values(**DECISION))
        copy = make_backup(database.path, tmp_path / "b", "test", database.module)
    restored = open_database(copy, tmp_path / "c")
    assert count(restored) == 5
    restored.close()
    assert backup.is_good(copy, database.module)


def test_backups_come_when_due_and_changed(tmp_path: Path, database: Database) -> None:
    time = [0.0]
    keeper = BackupKeeper(database, tmp_path / "b", clock=lambda: time[0])
    add(database)
    assert keeper.backup_if_due() is None  # changed, not due
    time[0] = 1800
    first = keeper.backup_if_due()
    assert first is not None
    time[0] = 3600
    assert keeper.backup_if_due() is None  # due, not changed
    add(database)
    second_copy = keeper.backup_if_due()
    assert second_copy is not None
    assert second_copy != first


def test_a_backup_that_cannot_be_made_says_so_and_leaves_nothing(tmp_path: Path, database: Database) -> None:
    (tmp_path / "b").mkdir()
    with pytest.raises(StudioError) as caught:
        make_backup(tmp_path / "b", tmp_path / "b", "test", database.module)
    assert caught.value.code == "store.backup_failed"
    assert list((tmp_path / "b").iterdir()) == []


def test_thinning_keeps_the_newest_then_days_then_weeks(tmp_path: Path) -> None:
    newest = datetime(2026, 11, 22, 20, 0)
    for half_hours in range(48 * 90):
        at = newest - timedelta(minutes=30 * half_hours)
        (tmp_path / f"studio-{at:%Y%m%dT%H%M%S}-auto.db").touch()
    thin(tmp_path)
    kept = [path.name[7:15] for path in list_backups(tmp_path)]
    assert kept[:6] == ["20261122"] * 6
    days = list(dict.fromkeys(kept))
    assert days[:7] == [f"202611{day}" for day in range(22, 15, -1)]
    assert 6 + 6 < len(kept) <= 6 + 6 + 8
    thin(tmp_path)
    assert [path.name[7:15] for path in list_backups(tmp_path)] == kept


class Refusing:
    """An SQLite module whose database refuses everything with one message."""

    DatabaseError = sqlite_module().DatabaseError

    def __init__(self, message: str) -> None:
        self._message = message

    def connect(self, _path: str) -> None:
        raise self.DatabaseError(self._message)


@pytest.mark.parametrize(
    ("message", "free", "code"),
    [
        ("database or disk is full", 10**9, "store.disk_full"),
        ("disk I/O error", 4096, "store.disk_full"),  # all that SQLite says when it cannot make its -shm file
        ("database is locked", 10**9, "store.locked"),
        ("unable to open database file", 10**9, "store.not_writable"),
    ],
)
def test_a_refusal_is_not_taken_for_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, message: str, free: int, code: str
) -> None:
    monkeypatch.setattr("studio.store.database.shutil.disk_usage", lambda _path: SimpleNamespace(free=free))
    with pytest.raises(StudioError) as caught:
        looks_sound(tmp_path / "studio.db", Refusing(message))  # type: ignore[arg-type]
    assert caught.value.code == code


def test_unreadable_pages_are_damage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("studio.store.database.shutil.disk_usage", lambda _path: SimpleNamespace(free=10**9))
    assert not looks_sound(tmp_path / "studio.db", Refusing("disk I/O error"))  # type: ignore[arg-type]
