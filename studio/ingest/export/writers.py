"""Writing an export's table into one file: CSV, JSONL, XLSX or Parquet, row by row, whatever their number."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import polars as pl
import xlsxwriter
from xlsxwriter.exceptions import FileCreateError, XlsxWriterException

from studio.ingest.dataset.canonical import write_frames
from studio.ingest.export import problems
from studio.ingest.export.formulas import marked_name, needs_mark, neutralised
from studio.ingest.export.table import ExportTable

SHEET_ROWS: Final = 1_048_576  # the header's included
CELL_CHARS: Final = 32_767  # as Excel counts: UTF-16 units
_BOM: Final = "\ufeff".encode()  # without it Excel takes Chinese for the system's old encoding
Tell = Callable[[int], None]


def write_csv(table: ExportTable, path: Path, tell: Tell) -> None:
    """UTF-8 with a byte order mark, commas, quotes where needed; formulas as in formulas.py."""
    texts = [name for name in table.columns if name != "split"]
    marked: set[str] = set()
    for frame, _numbers in table.frames():
        found = frame.select(needs_mark(name).any().alias(name) for name in texts).row(0, named=True)
        marked.update(name for name, has in found.items() if has)
    header = {name: marked_name(name) if name in marked else name for name in table.columns}
    with path.open("wb") as file:
        file.write(_BOM)
        file.write(pl.DataFrame(schema=dict.fromkeys(header.values(), pl.String)).write_csv().encode())
        for frame in _told(table, tell):
            safe = frame.with_columns(neutralised(name) for name in marked)
            # Written by Python: its errors say what is wrong with the disk, polars' do not.
            file.write(safe.write_csv(include_header=False, quote_style="necessary").encode())


def write_jsonl(table: ExportTable, path: Path, tell: Tell) -> None:
    """One object a line; messages and labels as lists, what is missing as null."""
    with path.open("wb") as file:
        for frame in _told(table, tell):
            fields = [_json_field(frame, name, table.json_columns) for name in table.columns]
            lines = frame.select(pl.concat_str([pl.lit("{"), *_parted(fields), pl.lit("}")]).alias("line"))
            file.write("".join(line + "\n" for line in lines["line"]).encode())


def write_parquet(table: ExportTable, path: Path, tell: Tell) -> None:
    """All columns text; messages and labels as JSON text."""
    write_frames(_told(table, tell), dict.fromkeys(table.columns, pl.String), path)


def write_xlsx(table: ExportTable, path: Path, tell: Tell) -> None:
    """One sheet, every cell a string, so that nothing is run or turned into a date.

    Raises StudioError export.too_many_rows, export.cell_too_long; nothing is cut.
    """
    _require_room(table)
    with tempfile.TemporaryDirectory(prefix=".tmp-", dir=path.parent) as aside:
        book = xlsxwriter.Workbook(str(path), {"constant_memory": True, "tmpdir": aside})
        sheet = book.add_worksheet("data")
        try:
            for place, name in enumerate(table.columns):
                sheet.write_string(0, place, name)
            line = 0
            for frame in _told(table, tell):
                for cells in frame.iter_rows():
                    line += 1
                    for place, cell in enumerate(cells):
                        if cell is not None:
                            sheet.write_string(line, place, cell)
            book.close()
        except FileCreateError as error:
            raise _os_error(error) from error
        except XlsxWriterException as error:
            raise OSError(str(error)) from error
        finally:
            with contextlib.suppress(OSError, AttributeError):
                sheet.row_data_fh.close()
            book.fileclosed = True  # nothing more is written when it is forgotten


WRITERS: Final[dict[str, Callable[[ExportTable, Path, Tell], None]]] = {
    "csv": write_csv,
    "jsonl": write_jsonl,
    "xlsx": write_xlsx,
    "parquet": write_parquet,
}


def _told(table: ExportTable, tell: Tell) -> Iterator[pl.DataFrame]:
    done = 0
    for frame, numbers in table.frames():
        yield frame
        done += len(numbers)
        tell(done)


def _require_room(table: ExportTable) -> None:
    if table.rows > SHEET_ROWS - 1:
        raise problems.too_many_rows(table.rows, SHEET_ROWS - 1)
    for frame, numbers in table.frames():
        for name in table.columns:
            longest = frame[name].str.len_bytes().fill_null(0)
            for place in (longest > CELL_CHARS).arg_true():  # most scripts: more bytes than characters
                length = len(frame[name][place].encode("utf-16-le")) // 2
                if length > CELL_CHARS:
                    raise problems.cell_too_long(numbers[place], name, length, CELL_CHARS)


def _json_field(frame: pl.DataFrame, name: str, json_columns: tuple[str, ...]) -> pl.Expr:
    """``"name":value`` of each row."""
    if name in json_columns:
        return pl.lit(f'"{name}":') + pl.col(name).fill_null("null")
    encoded = pl.struct(pl.col(name)).struct.json_encode()
    return encoded.str.strip_prefix("{").str.strip_suffix("}")


def _parted(fields: list[pl.Expr]) -> list[pl.Expr]:
    parts = [fields[0]]
    for field in fields[1:]:
        parts += [pl.lit(","), field]
    return parts


def _os_error(error: FileCreateError) -> OSError:
    """The failure with its number, which xlsxwriter wraps."""
    cause = error.args[0] if error.args else None
    return cause if isinstance(cause, OSError) else OSError(str(error))
