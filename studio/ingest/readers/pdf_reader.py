"""The text layer of PDF files, a row a page; what is only a picture of text is told, not guessed."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from pypdf import PageObject, PasswordType
from pypdf import PdfReader as Document
from pypdf.errors import DependencyError, PyPdfError

from studio.i18n import _
from studio.ingest import errors
from studio.ingest.readers.prose import Block, ProseReader

_MAX_BYTES: Final = 512 << 20
_MAX_PAGES: Final = 50_000
# What pypdf raises on files whose objects are not what they should be.
_BROKEN: Final = (
    PyPdfError, ValueError, KeyError, IndexError, TypeError, AttributeError, AssertionError, RecursionError,
    NotImplementedError, OverflowError, OSError, EOFError, ZeroDivisionError, UnicodeError,
)  # fmt: skip


class PdfReader(ProseReader):
    """Pages in order; a page without text, or one that cannot be read, is put aside.

    Attachments, forms, scripts and metadata are not looked at. A file that opens without a password is read, whatever
    its owner's password forbids by convention.
    Raises StudioError import.broken, import.locked, import.too_large, import.no_text, import.columns.
    """

    def __init__(self, path: Path, sheet: str | None) -> None:
        self._path = path
        if path.stat().st_size > _MAX_BYTES:
            raise errors.too_large(f"{path.stat().st_size >> 20} MB", f"{_MAX_BYTES >> 20} MB")
        logging.getLogger("pypdf").setLevel(logging.ERROR)  # it warns of every oddity of every file
        self._document = self._opened()
        self._texts: dict[int, Block] = {}
        super().__init__(self._read, sheet, place="page")
        if not any(not block.fault for block in self._read()):
            raise errors.no_text(str(path))

    def _opened(self) -> Document:
        try:
            document = Document(self._path, strict=False)
            if document.is_encrypted and document.decrypt("") is PasswordType.NOT_DECRYPTED:
                raise errors.locked()
            self._pages = len(document.pages)
        except DependencyError as error:
            raise errors.locked() from error
        except _BROKEN as error:
            raise errors.broken(str(self._path), "PDF") from error
        if not self._pages:
            raise errors.broken(str(self._path), "PDF")
        if self._pages > _MAX_PAGES:
            raise errors.too_large(_("{count} pages").format(count=self._pages), str(_MAX_PAGES))
        return document

    def _read(self) -> Iterator[Block]:
        for number in range(1, self._pages + 1):
            if number not in self._texts:
                self._texts[number] = self._page(number)
            yield self._texts[number]

    def _page(self, number: int) -> Block:
        try:
            text = _text(self._document.pages[number - 1])
        except _BROKEN:
            return Block("", page=number, fault="page_unreadable")
        return Block(text, page=number, fault="" if text else "page_without_text")


def _text(page: PageObject) -> str:
    return page.extract_text().replace("\0", "").strip()
