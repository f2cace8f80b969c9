"""SQLite databases: the likely table or the chosen one, cells without loss, nothing written beside the file."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from studio.errors import StudioError
from studio.ingest.readers.registry import sheets_of
from tests.unit.ingest.readers.helpers import opened, rejected, rows


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "a #1?.db"
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE logs (a, b)")
    connection.executemany("INSERT INTO logs VALUES (?, ?)", [(1, 2)] * 10)
    connection.execute('CREATE TABLE "the faq" (question TEXT, answer, "odd ""name" BLOB)')
    cells = [("q", 0.1, b"\x00\xff"), (None, 2**62, b""), ("00123", 1e300, "text")]
    connection.executemany('INSERT INTO "the faq" VALUES (?, ?, ?)', cells)
    connection.execute("INSERT INTO \"the faq\" VALUES (CAST(x'61ff' AS TEXT), 'a', NULL)")
    connection.execute("CREATE VIEW looks AS SELECT * FROM logs")
    connection.commit()
    connection.close()
    return path


def test_cells_without_loss(database: Path) -> None:
    reader = opened(database)
    assert reader.columns == ["question", "answer", 'odd "name']
    assert sheets_of(reader) == ["logs", "the faq"]
    assert rows(reader) == [
        (1, "q", "0.1", "X'00FF'"),
        (2, None, str(2**62), "X''"),
        (3, "00123", "1e+300", "text"),
    ]
    assert rejected(reader) == [(4, "invalid_bytes")]


def test_a_table_is_chosen_by_name_and_nothing_is_written(database: Path) -> None:
    assert len(rows(opened(database, "logs"))) == 10
    with pytest.raises(StudioError) as raised:
        opened(database, "looks")
    assert raised.value.code == "import.columns"
    assert [path.name for path in database.parent.iterdir()] == [database.name]


def test_a_database_in_use_is_refused(database: Path) -> None:
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("INSERT INTO logs VALUES (3, 4)")
    connection.commit()
    with pytest.raises(StudioError) as raised:
        opened(database)
    connection.close()
    assert raised.value.code == "import.database_open"
    assert len(rows(opened(database, "logs"))) == 11
