"""Tables that are meant to harm, or that cannot be read: each a file, and the code of what comes of it."""

from __future__ import annotations

import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path

import polars as pl
import xlsxwriter

from tests.helpers.xls_file import compound, write_xls

_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_ODS = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:calcext="urn:org:documentfoundation:names:experimental:calc:xmlns:calcext:1.0"'
)


def xlsx(path: Path, rows: str) -> Path:
    """A workbook whose only sheet has this XML."""
    plain = path.with_suffix(".plain")
    with xlsxwriter.Workbook(plain) as book:
        book.add_worksheet("S").write(0, 0, "x")
    with zipfile.ZipFile(plain) as old, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            is_sheet = item.filename == "xl/worksheets/sheet1.xml"
            sheet = f'<worksheet xmlns="{_SHEET}"><sheetData>{rows}</sheetData></worksheet>'
            new.writestr(item.filename, sheet if is_sheet else old.read(item))
    plain.unlink()
    return path


def row(number: int, *cells: str) -> str:
    inner = "".join(f'<c r="{chr(65 + n)}{number}" t="str"><v>{cell}</v></c>' for n, cell in enumerate(cells))
    return f'<row r="{number}">{inner}</row>'


def ods(path: Path, sheets: dict[str, str], *, manifest: str = "<manifest/>") -> Path:
    """An OpenDocument spreadsheet whose sheets have this XML."""
    body = "".join(f'<table:table table:name="{name}">{rows}</table:table>' for name, rows in sheets.items())
    content = f"<office:document-content {_ODS}><office:body>{body}</office:body></office:document-content>"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet", zipfile.ZIP_STORED)
        archive.writestr("META-INF/manifest.xml", manifest)
        archive.writestr("content.xml", content)
    return path


def ods_row(*cells: str, repeated: int = 1, wide: int = 1) -> str:
    inner = "".join(
        f'<table:table-cell office:value-type="string" table:number-columns-repeated="{wide}">'
        f"<text:p>{cell}</text:p></table:table-cell>"
        for cell in cells
    )
    return f'<table:table-row table:number-rows-repeated="{repeated}">{inner}</table:table-row>'


def blank_rows_xlsx(folder: Path) -> Path:
    blank = "".join(
        f'<row r="{n}" s="1"><c r="A{n}" s="1"/><c r="B{n}" s="1"/></row>' for n in range(3, 1_000_003)
    )
    return xlsx(folder / "blank.xlsx", row(1, "question", "answer") + row(2, "q", "a") + blank)


def blank_rows_ods(folder: Path) -> Path:
    blank = '<table:table-row table:number-rows-repeated="1048574">'
    blank += '<table:table-cell table:number-columns-repeated="16384"/></table:table-row>'
    rows = ods_row("question", "answer") + ods_row("q", "a") + blank
    return ods(folder / "blank.ods", {"S": rows})


def last_corner(folder: Path) -> Path:
    far = '<row r="1048576"><c r="XFD1048576" t="str"><v>x</v></c></row>'
    return xlsx(folder / "corner.xlsx", row(1, "question") + far)


def hidden_corner(folder: Path) -> Path:
    """The same, written as no office program does."""
    far = "<row r='1048576'><c t='str' r = 'XFD1048576'><v>x</v></c></row>"
    return xlsx(folder / "hidden.xlsx", row(1, "question") + far)


def xls_corner(folder: Path) -> Path:
    return write_xls(folder / "corner.xls", [(0, 0, "question"), (65535, 65535, "x")])


def repeated_ods(folder: Path) -> Path:
    rows = ods_row("question", "answer") + ods_row("x", repeated=1_048_575, wide=16_384)
    return ods(folder / "repeated.ods", {"S": rows})


def protected_xlsx(folder: Path) -> Path:
    """An encrypted workbook is an OLE file with these two streams."""
    path = folder / "protected.xlsx"
    path.write_bytes(compound({"EncryptionInfo": b"x" * 5000, "EncryptedPackage": b"y" * 9000}))
    return path


def protected_xls(folder: Path) -> Path:
    return write_xls(folder / "protected.xls", [(0, 0, "question")], password=True)


def protected_ods(folder: Path) -> Path:
    return ods(folder / "protected.ods", {"S": ods_row("a")}, manifest="<m><m:encryption-data/></m>")


def old_word(folder: Path) -> Path:
    path = folder / "old.doc"
    path.write_bytes(compound({"WordDocument": b"x" * 5000}))
    return path


def looped_xls(folder: Path) -> Path:
    """The sectors of its workbook run in a circle."""
    path = write_xls(folder / "loop.xls", [(0, 0, "question"), (1, 0, "x" * 3000)])
    data = bytearray(path.read_bytes())
    table = int.from_bytes(data[76:80], "little")
    start = (table + 1) * 512
    data[start + 12 : start + 16] = (0).to_bytes(4, "little")
    path.write_bytes(bytes(data))
    return path


def macro_workbook(folder: Path) -> Path:
    """Macros beside the sheet; they are never looked at."""
    path = xlsx(folder / "macro.xlsm", row(1, "question", "answer") + row(2, "q", "a"))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("xl/vbaProject.bin", compound({"dir": b"Sub AutoOpen()".ljust(5000)}))
    return path


def dtd_workbook(folder: Path) -> Path:
    path = folder / "dtd.xlsx"
    with zipfile.ZipFile(xlsx(folder / "plain.xlsx", row(1, "a"))) as old, zipfile.ZipFile(path, "w") as new:
        for item in old.infolist():
            text = old.read(item)
            if item.filename == "xl/workbook.xml":
                text = text.replace(b"<workbook", b'<!DOCTYPE x [<!ENTITY a "b">]><workbook', 1)
            new.writestr(item.filename, text)
    return path


def lying_parquet(folder: Path) -> Path:
    """Its footer counts 8,000 rows where there are 1,000."""
    path = folder / "lying.parquet"
    pl.DataFrame({"prompt": ["a"] * 1000, "response": ["b"] * 1000}).write_parquet(path, statistics=False)
    data = path.read_bytes()
    footer = len(data) - 8 - int.from_bytes(data[-8:-4], "little")
    path.write_bytes(data[:footer] + data[footer:].replace(b"\xd0\x0f", b"\x80\x7d"))
    return path


def truncated_parquet(folder: Path) -> Path:
    path = folder / "cut.parquet"
    pl.DataFrame({"prompt": ["a"] * 1000}).write_parquet(path)
    path.write_bytes(path.read_bytes()[:-20])
    return path


def truncated_arrow(folder: Path) -> Path:
    path = folder / "cut.arrow"
    pl.DataFrame({"prompt": ["a"] * 10_000}).write_ipc_stream(path)
    path.write_bytes(path.read_bytes()[:-5000])
    return path


def lying_arrow(folder: Path) -> Path:
    """A message that claims to be 4 GB long."""
    path = folder / "long.arrow"
    path.write_bytes(b"\xff\xff\xff\xff\xf0\xff\xff\xff" + bytes(4000))
    return path


def old_feather(folder: Path) -> Path:
    path = folder / "old.feather"
    path.write_bytes(b"FEA1" + bytes(400) + b"FEA1")
    return path


def broken_sqlite(folder: Path) -> Path:
    path = folder / "broken.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE faq (question, answer)")
        connection.executemany("INSERT INTO faq VALUES (?, ?)", [("q" * 100, "a" * 100)] * 2000)
    connection.close()
    data = bytearray(path.read_bytes())
    data[8192:16384] = b"\xa5" * 8192
    path.write_bytes(bytes(data))
    return path


def endless_view(folder: Path) -> Path:
    """A view that never ends beside a table."""
    path = folder / "view.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE faq (question, answer)")
        connection.execute("INSERT INTO faq VALUES ('q', 'a')")
        connection.execute(
            "CREATE VIEW a AS WITH RECURSIVE n(question) AS "
            "(SELECT 1 UNION ALL SELECT question + 1 FROM n) SELECT * FROM n"
        )
    connection.close()
    return path


HOSTILE: list[tuple[Callable[[Path], Path], str, str, int]] = [
    (blank_rows_xlsx, "xlsx", "", 1),
    (blank_rows_ods, "ods", "", 1),
    (last_corner, "xlsx", "import.too_large", 0),
    (hidden_corner, "xlsx", "import.too_large", 0),
    (xls_corner, "xls", "import.too_large", 0),
    (repeated_ods, "ods", "import.too_large", 0),
    (protected_xlsx, "locked", "import.locked", 0),
    (protected_xls, "xls", "import.locked", 0),
    (protected_ods, "ods", "import.locked", 0),
    (old_word, "doc", "import.binary", 0),
    (looped_xls, "xls", "import.broken", 0),
    (macro_workbook, "xlsx", "", 1),
    (dtd_workbook, "xlsx", "import.dtd", 0),
    (lying_parquet, "parquet", "import.broken", 0),
    (truncated_parquet, "parquet", "import.broken", 0),
    (truncated_arrow, "arrow", "import.broken", 0),
    (lying_arrow, "arrow", "import.broken", 0),
    (old_feather, "arrow", "import.old_feather", 0),
    (broken_sqlite, "sqlite", "import.broken", 0),
    (endless_view, "sqlite", "", 1),
]
