"""SQLite databases, read as they lie on the disk: nothing is written beside them, and no code of theirs is loaded."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Final
from urllib.parse import quote

from studio.ingest import errors
from studio.ingest.detect.names import KNOWN_NAMES, plain_name
from studio.ingest.readers.rows import RowReader, SourceRow
from studio.ingest.readers.table_reader import hex_text
from studio.ingest.readers.workbook_reader import choose_sheet

_FETCH_ROWS: Final = 1_000
_MAX_CELL_BYTES: Final = 64 << 20
_as_text = partial(str, encoding="utf-8", errors="surrogateescape")


class SqliteReader(RowReader):
    """One table; ``sheets`` lists all. Views and virtual tables are left out: they run what the database says.

    Integers and reals become the shortest text that gives the same number again, blobs hexadecimal as SQLite writes
    it (X'00FF'), NULL no cell. ``sheet`` None: the table whose column names are known, then the one with most rows.
    Raises StudioError import.broken, import.no_rows, import.columns, import.database_open.
    """

    def __init__(self, path: Path, sheet: str | None) -> None:
        self._path = path
        wal = path.with_name(path.name + "-wal")
        if wal.is_file() and wal.stat().st_size:
            raise errors.database_open(str(path))
        try:
            with closing(self._connect()) as connection:
                self.sheets = _tables(connection)
                chosen = choose_sheet(sheet, self.sheets)
                if not chosen:
                    raise errors.no_rows(str(path))
                self.sheet = chosen[0] if sheet is not None else _likeliest(connection, chosen)
                columns = _columns(connection, self.sheet)
        except sqlite3.Error as error:
            raise errors.broken(str(path), "SQLite") from error
        super().__init__(columns, self._all_rows)

    def _connect(self) -> sqlite3.Connection:
        address = f"file:{quote(str(self._path.resolve()))}?mode=ro&immutable=1"
        connection = sqlite3.connect(address, uri=True)
        connection.text_factory = _as_text
        connection.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MAX_CELL_BYTES)
        connection.execute("PRAGMA trusted_schema=OFF")
        connection.execute("PRAGMA cell_size_check=ON")
        return connection

    def _all_rows(self) -> Iterator[SourceRow]:
        names = ", ".join(map(_quoted, self.columns))
        read = 0
        try:
            with closing(self._connect()) as connection:
                cursor = connection.execute(f"SELECT {names} FROM {_quoted(self.sheet)}")
                while rows := cursor.fetchmany(_FETCH_ROWS):
                    for number, row in enumerate(rows, start=read + 1):
                        yield SourceRow(number, [_cell(value) for value in row])
                    read += len(rows)
        except sqlite3.Error as error:
            raise errors.broken(str(self._path), "SQLite") from error


def _tables(connection: sqlite3.Connection) -> list[str]:
    rows = connection.execute(
        "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite\\_%' "
        "ESCAPE '\\'"
    )
    order = [name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
    found = {name for (name,) in rows}
    return [name for name in order if name in found]


def _columns(connection: sqlite3.Connection, table: str) -> list[str]:
    rows = connection.execute("SELECT name, hidden FROM pragma_table_xinfo(?)", (table,))
    return [name for name, hidden in rows if hidden != 1]


def _likeliest(connection: sqlite3.Connection, tables: list[str]) -> str:
    def known(table: str) -> int:
        return sum(plain_name(name) in KNOWN_NAMES for name in _columns(connection, table))

    most = max(map(known, tables))
    rivals = [table for table in tables if known(table) == most]
    return max(rivals, key=lambda table: _count(connection, table)) if len(rivals) > 1 else rivals[0]


def _count(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f"SELECT count(*) FROM {_quoted(table)}").fetchone()[0])


def _cell(value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return hex_text(value)
    return repr(value)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
