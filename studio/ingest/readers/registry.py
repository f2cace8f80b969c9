"""Which reader a file needs that is no plain delimited or JSON text: told by its content first, its name second."""

from __future__ import annotations

import re
import struct
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

from studio.i18n import _
from studio.ingest import errors
from studio.ingest.readers.arrow_reader import ArrowReader
from studio.ingest.readers.batches import Reader
from studio.ingest.readers.compound import MAGIC, CompoundError, CompoundFile
from studio.ingest.readers.html_reader import HtmlReader
from studio.ingest.readers.markdown_reader import MarkdownReader
from studio.ingest.readers.ods_reader import OdsReader
from studio.ingest.readers.sqlite_reader import SqliteReader
from studio.ingest.readers.table_reader import ParquetReader
from studio.ingest.readers.workbook_reader import WorkbookReader

# Archives that are documents, by a member that only they have; the first that fits.
_ZIP_KINDS: Final = (("word/", "docx"), ("xl/", "xlsx"), ("ppt/", "pptx"))
_ODS: Final = b"application/vnd.oasis.opendocument.spreadsheet"
_MAX_MEMBERS: Final = 100_000
_MAX_COLUMNS: Final = 5_000


def _docx(path: Path, sheet: str | None, _encoding: str | None) -> Reader:
    # Loads a library that other imports need not wait for, and so does the next.
    from studio.ingest.readers.docx_reader import DocxReader

    return DocxReader(path, sheet)


def _pdf(path: Path, sheet: str | None, _encoding: str | None) -> Reader:
    from studio.ingest.readers.pdf_reader import PdfReader

    return PdfReader(path, sheet)


_OPENERS: Final[dict[str, Callable[[Path, str | None, str | None], Reader]]] = {
    "xlsx": lambda path, sheet, _encoding: WorkbookReader(path, sheet),
    "xls": lambda path, sheet, _encoding: WorkbookReader(path, sheet, "xls"),
    "ods": lambda path, sheet, _encoding: OdsReader(path, sheet),
    "parquet": lambda path, _sheet, _encoding: ParquetReader(path),
    "arrow": lambda path, _sheet, _encoding: ArrowReader(path),
    "sqlite": lambda path, sheet, _encoding: SqliteReader(path, sheet),
    "md": MarkdownReader,
    "docx": _docx,
    "pdf": _pdf,
    "html": HtmlReader,
}
# Possessive throughout: a head full of comments has 2^n ways to be none.
_HTML: Final = re.compile(
    rb"\s*+(?:<\?xml[^>]*+>\s*+)?+(?:(?><!--.*?-->)\s*+)*+<(?:!doctype html|html)\b", re.I | re.S
)
_BY_NAME: Final = {
    ".md": "md",
    ".markdown": "md",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
}
_DOCUMENT_NAMES: Final = {".xlsx": "xlsx", ".xlsm": "xlsx", ".docx": "docx", ".docm": "docx", ".ods": "ods"}
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff")
_ARROW_NAMES: Final = (".arrow", ".arrows", ".feather", ".ipc")
_MAGIC: Final = (
    (b"PAR1", "parquet"),
    (b"ARROW1\0\0", "arrow"),
    (b"FEA1", "arrow"),
    (b"SQLite format 3\0", "sqlite"),
    (b"%PDF-", "pdf"),
)


def container_kind(path: Path, head: bytes) -> str | None:
    """The format of the file that begins with ``head``: a key of ``open_container``, or what that refuses by name.

    "zip" is an archive that is none of the documents; None is text, or what is no format of ours.
    """
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head.startswith(b"PK\x03\x04"):
        return _archive_kind(path, head)
    if head.startswith(MAGIC):
        return _compound_kind(path)
    if head.startswith(b"\xff\xff\xff\xff") and path.suffix.lower() in _ARROW_NAMES:
        return "arrow"  # the stream form, which has no magic of its own
    if b"%PDF-" in head[:1024] and path.suffix.lower() == ".pdf":
        return "pdf"  # some have a few bytes before it
    if is_html(head):
        return "html"
    is_text = b"\0" not in head[:4096] or head.startswith(_UTF16)
    return _BY_NAME.get(path.suffix.lower()) if is_text else None


def open_container(form: str, path: Path, sheet: str | None, encoding: str | None = None) -> Reader:
    """The reader for a format that ``container_kind`` told; ``sheets_of`` says what ``sheet`` can choose.

    Raises StudioError: import.broken, import.binary, import.locked, import.too_large, import.dtd, import.columns,
    import.no_text, import.no_rows, import.encoding, import.old_feather, import.database_open.
    """
    if form not in _OPENERS:
        raise errors.locked() if form == "locked" else errors.binary(str(path), form.upper())
    reader = _OPENERS[form](path, sheet, encoding)
    if len(reader.columns) > _MAX_COLUMNS:
        raise errors.too_large(_("more columns than a dataset can have"), str(_MAX_COLUMNS))
    return reader


def is_html(head: bytes) -> bool:
    """Whether it begins as a web page does; comments may stand before."""
    return _HTML.match(head.removeprefix(b"\xef\xbb\xbf")[:4096]) is not None


def sheets_of(reader: Reader) -> list[str]:
    """What can be chosen in a source: sheets of a workbook, tables of a database, views of a document."""
    return list(getattr(reader, "sheets", ()))


def sheet_of(reader: Reader) -> str | None:
    """Which of them is read; None where there is nothing to choose."""
    sheet: str | None = getattr(reader, "sheet", None)
    return sheet


def _archive_kind(path: Path, head: bytes) -> str:
    """By the archive's directory; where that is cut off, by what its head names."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()[:_MAX_MEMBERS]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        names = []
    if "mimetype" in names or b"mimetype" in head[:64]:
        return "ods" if _ODS in head[:256] else "zip"
    if "xl/workbook.bin" in names:
        return "xlsb"
    for folder, kind in _ZIP_KINDS:
        if any(name.startswith(folder) for name in names) or (not names and folder.encode() in head):
            return kind
    return "zip" if names else _DOCUMENT_NAMES.get(path.suffix.lower(), "zip")


def _compound_kind(path: Path) -> str:
    """Old Office files and password-protected new ones have the same container."""
    try:
        names = CompoundFile(path).names
    except (CompoundError, struct.error, OSError, MemoryError):
        return "xls"  # whose reader says that it is damaged
    if "EncryptedPackage" in names:
        return "locked"
    if "WordDocument" in names:
        return "doc"
    return "ppt" if "PowerPoint Document" in names else "xls"
