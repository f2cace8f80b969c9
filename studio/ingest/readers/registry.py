"""Which reader a file needs that is no plain delimited or JSON text: told by its content first, its name second."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path
from typing import Final

from studio.ingest import errors
from studio.ingest.readers.batches import Reader
from studio.ingest.readers.table_reader import ParquetReader, XlsxReader

# Archives that are documents, by a member that only they have; the first that fits.
_ZIP_KINDS: Final = (("word/", "docx"), ("xl/", "xlsx"), ("ppt/", "PPTX"))
_ODS: Final = b"application/vnd.oasis.opendocument.spreadsheet"
_MAX_MEMBERS: Final = 100_000
_HTML: Final = re.compile(rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype html|html)\b", re.I | re.S)
_BY_NAME: Final = {
    ".md": "md",
    ".markdown": "md",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
}
_ARROW_NAMES: Final = (".arrow", ".arrows", ".feather", ".ipc")
_MAGIC: Final = (
    (b"PAR1", "parquet"),
    (b"ARROW1\0\0", "arrow"),
    (b"FEA1", "arrow"),
    (b"SQLite format 3\0", "sqlite"),
    (b"%PDF-", "pdf"),
)


def container_kind(path: Path, head: bytes) -> str | None:
    """The format of the file that begins with ``head``, or of a folder (b""): a key of ``open_container``.

    "zip" is an archive that is none of the documents; None is text, or what is no format of ours.
    """
    if path.is_dir():
        return None
    for magic, kind in _MAGIC:
        if head.startswith(magic):
            return kind
    if head.startswith(b"PK\x03\x04"):
        return _archive_kind(path, head)
    if head.startswith(b"\xff\xff\xff\xff") and path.suffix.lower() in _ARROW_NAMES:
        return "arrow"  # the stream form, which has no magic of its own
    if _HTML.match(head.removeprefix(b"\xef\xbb\xbf")[:4096]):
        return "html"
    return _BY_NAME.get(path.suffix.lower()) if b"\0" not in head[:4096] else None


def open_container(form: str, path: Path, sheet: str | None, encoding: str | None = None) -> Reader:
    """The reader for a format that ``container_kind`` told; ``sheets_of`` says what ``sheet`` can choose.

    Raises StudioError: import.broken, import.locked, import.too_large, import.columns, import.no_text.
    """
    if form == "parquet":
        return ParquetReader(path)
    if form == "xlsx":
        return XlsxReader(path, sheet)
    raise errors.binary(str(path), form.upper())


def sheets_of(reader: Reader) -> list[str]:
    """What can be chosen in a source: sheets of a workbook, tables of a database, views of a document."""
    return list(getattr(reader, "sheets", ()))


def skipped_of(reader: Reader) -> list[str]:
    """Files of a folder that its reader does not read, each with the reason."""
    return list(getattr(reader, "skipped", ()))


def _archive_kind(path: Path, head: bytes) -> str:
    """By the archive's directory; where that is cut off, by what its head names."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()[:_MAX_MEMBERS]
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        names = []
    if "mimetype" in names or b"mimetype" in head[:64]:
        return "ods" if _ODS in head[:256] else "zip"
    for folder, kind in _ZIP_KINDS:
        if any(name.startswith(folder) for name in names) or (not names and folder.encode() in head):
            return kind
    if not names and path.suffix.lower() in (".xlsx", ".xlsm", ".docx", ".ods"):
        return path.suffix.lower()[1:5]
    return "zip"
