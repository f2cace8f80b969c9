"""Unpacking a ZIP archive that a stranger made: nothing outside its folder, nothing without end."""

from __future__ import annotations

import os
import shutil
import stat
import time
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import IO, Final

from studio.errors import StudioError
from studio.i18n import _
from studio.ingest import errors
from studio.ingest.detect.encoding import SAMPLE_BYTES

MAX_ENTRIES: Final = 200_000
MAX_TOTAL_BYTES: Final = 8 << 30
MAX_RATIO: Final = 200  # of all that was unpacked, beyond SMALL_BYTES; ordinary text stays below 20
SMALL_BYTES: Final = 64 << 20
_BLOCK: Final = 1 << 20
_NESTED: Final = (".zip", ".7z", ".rar", ".tar", ".gz", ".tgz", ".bz2", ".xz", ".zst")
_READ_BY_HEAD: Final = (
    ".csv",
    ".tsv",
    ".jsonl",
    ".ndjson",
    ".txt",
    ".png",
    ".jpg",
    ".jpeg",
    ".webp",
    ".bmp",
    ".gif",
)
_SYSTEM: Final = frozenset(
    {"thumbs.db", "desktop.ini", "__macosx", "$recycle.bin", "system volume information"}
)
_UTF8_NAME: Final = 0x800
Skip = Callable[[str, str], None]


def unpack(
    source: Path, folder: Path, skip: Skip, check: Callable[[], None], *, heads_only: bool = False
) -> Iterator[tuple[Path, str, int]]:
    """Each file of the archive, written into ``folder`` under its own path; with that path, and its whole size.

    skip: told (name, reason) of members that are not unpacked: unsafe paths, links, archives, hidden files.
    heads_only: of text files only the first SAMPLE_BYTES.
    Raises StudioError import.archive (damaged, encrypted), import.too_large (a bomb), and what ``check`` raises.
    """
    folder.mkdir(parents=True)
    try:
        with zipfile.ZipFile(source) as archive:
            yield from _Unpacking(archive, source, folder, heads_only, check).run(skip)
    except NotImplementedError as error:
        raise damaged(source, _("it was packed in a way that is not known here")) from error
    except (zipfile.BadZipFile, zlib.error, EOFError, ValueError) as error:
        raise damaged(source, _("its list of files is broken or cut short")) from error
    except RuntimeError as error:  # the zipfile module's word for "encrypted"
        raise locked(source) from error


class _Unpacking:
    def __init__(
        self,
        archive: zipfile.ZipFile,
        source: Path,
        folder: Path,
        heads_only: bool,
        check: Callable[[], None],
    ) -> None:
        self._archive, self._source, self._folder = archive, source, folder
        self._heads_only, self._check = heads_only, check
        self._written = 0
        self._packed = 0

    def run(self, skip: Skip) -> Iterator[tuple[Path, str, int]]:
        entries = [entry for entry in self._archive.infolist() if not entry.is_dir()]
        self._refuse_bombs(entries)
        taken: set[str] = set()
        for name, entry in sorted(
            ((member_name(entry), entry) for entry in entries), key=lambda pair: pair[0]
        ):
            self._check()
            reason = _unsafe(name, entry) or (_("the same name twice") if name.lower() in taken else "")
            if reason:
                skip(name, reason)
                continue
            taken.add(name.lower())
            yield self._write(name, entry), name, entry.file_size

    def _refuse_bombs(self, entries: list[zipfile.ZipInfo]) -> None:
        """By what the archive says of itself; whether it tells the truth is seen while it is unpacked."""
        if len(entries) > MAX_ENTRIES:
            raise errors.too_large(
                _("{count} files in the archive").format(count=len(entries)), str(MAX_ENTRIES)
            )
        total = sum(entry.file_size for entry in entries)
        self._refuse_too_large(total, sum(entry.compress_size for entry in entries))
        self._folder.mkdir(parents=True, exist_ok=True)
        if not self._heads_only and total > shutil.disk_usage(self._folder).free * 0.9:
            raise errors.disk_full()

    def _refuse_too_large(self, total: int, packed: int) -> None:
        if total > MAX_TOTAL_BYTES:
            raise errors.too_large(f"{total >> 20} MB", f"{MAX_TOTAL_BYTES >> 20} MB")
        if total > SMALL_BYTES and total > packed * MAX_RATIO:
            what = _("an archive that unpacks to {times} times its size").format(
                times=total // max(1, packed)
            )
            raise errors.too_large(what, str(MAX_RATIO))

    def _write(self, name: str, entry: zipfile.ZipInfo) -> Path:
        target = self._folder.joinpath(*PurePosixPath(name).parts)
        by_head = self._heads_only and target.suffix.lower() in _READ_BY_HEAD
        self._packed += entry.compress_size
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with self._archive.open(entry) as packed, target.open("xb") as file:
                self._copy(packed, file, SAMPLE_BYTES if by_head else None)
        # One name is a file here and a folder there; or its content is not what the archive says of it.
        except (FileExistsError, NotADirectoryError, zipfile.BadZipFile, zlib.error, EOFError) as error:
            raise damaged(self._source, name) from error
        with suppress(OverflowError, ValueError, OSError):
            written_at = time.mktime((*entry.date_time, 0, 0, -1))
            os.utime(target, (written_at, written_at))
        return target

    def _copy(self, packed: IO[bytes], file: IO[bytes], most: int | None) -> None:
        left = most if most is not None else MAX_TOTAL_BYTES
        while left > 0 and (block := packed.read(min(_BLOCK, left))):
            self._check()
            left -= len(block)
            self._written += len(block)
            self._refuse_too_large(self._written, self._packed)
            file.write(block)


def member_name(entry: zipfile.ZipInfo) -> str:
    """The member's path. Where the archive does not say that it is UTF-8, Chinese systems mean GBK."""
    if entry.flag_bits & _UTF8_NAME or entry.filename.isascii():
        return entry.filename
    try:
        raw = entry.filename.encode("cp437")
    except UnicodeEncodeError:
        return entry.filename
    for encoding in ("utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return entry.filename


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name is what systems and office programs put beside the user's own."""
    return name.startswith((".", "~$")) or name.lower() in _SYSTEM


def _unsafe(name: str, entry: zipfile.ZipInfo) -> str:
    """Why this member is not unpacked, or ""."""
    path = PurePosixPath(name)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name:
        return _("its path is invalid or leads out of the archive")
    if "\0" in name or any(len(part.encode()) > 255 for part in path.parts):
        return _("its path is invalid or leads out of the archive")
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in (0, stat.S_IFREG):
        return _("a link or a device, not a file")
    if any(is_hidden(part) for part in path.parts):
        return _("a hidden or system file")
    if path.suffix.lower() in _NESTED:
        return _("an archive within the archive; unpack it first")
    return ""


def damaged(path: Path, reason: str) -> StudioError:
    return StudioError(
        "import.archive",
        _("The archive is damaged: {path} ({reason}).").format(path=path, reason=reason),
        _("Pack it again, or unpack it and choose the folder."),
    )


def locked(path: Path) -> StudioError:
    return StudioError(
        "import.archive",
        _("The archive is protected by a password: {path}.").format(path=path),
        _("Unpack it with its password and choose the folder."),
    )
