"""The files of what was chosen: a folder's, an archive's, or the file itself; and why the others are left out."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from studio.domain.datasets import ImportSpec
from studio.i18n import _
from studio.ingest import errors
from studio.ingest.readers.registry import container_kind
from studio.ingest.unpacking import is_hidden, unpack
from studio.words import labelled

MAX_FILES: Final = 200_000
MAX_NAMED: Final = 1_000
IMAGE_ENDINGS: Final = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"})
AUDIO_ENDINGS: Final = frozenset({".wav", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".aif", ".aiff", ".au"})
Check = Callable[[], None]


@dataclass(frozen=True)
class Member:
    """One file to read. source: what was chosen; member: the path inside it, "" for the source itself.

    root: the folder that paths in its rows are relative to and must not lead out of; label: its name for a person.
    size_bytes: of all of it, where ``path`` is only its beginning.
    """

    path: Path
    source: Path
    root: Path
    member: str = ""
    label: str = ""
    size_bytes: int = 0

    @property
    def kind(self) -> str:
        """``image`` or ``audio`` by the file's ending, "" for what has rows of its own."""
        ending = self.path.suffix.lower()
        return "image" if ending in IMAGE_ENDINGS else "audio" if ending in AUDIO_ENDINGS else ""


@dataclass
class Members:
    """What there is to read, in order, and what is left out, each with the reason in words."""

    files: list[Member] = field(default_factory=list)
    skipped: list[str] = field(default_factory=list)
    more_skipped: int = 0

    def skip(self, label: str, reason: str) -> None:
        """Note a file that is not read; after MAX_NAMED they are only counted."""
        if len(self.skipped) < MAX_NAMED:
            self.skipped.append(labelled(label, reason))
        else:
            self.more_skipped += 1

    def named_skipped(self) -> list[str]:
        more = [_("and {count} more files").format(count=self.more_skipped)] if self.more_skipped else []
        return self.skipped + more


@contextmanager
def members_of(
    spec: ImportSpec, scratch: Path, check: Check, *, heads_only: bool = False
) -> Iterator[Members]:
    """All files of the spec's sources; archives are unpacked below ``scratch``, which is removed at the end.

    heads_only: of long text files in archives only the beginning, for a preview.
    Raises StudioError import.unreadable, import.archive, import.too_large, and whatever ``check`` raises.
    """
    sources = [Path(name) for name in (spec.source, *spec.more_sources)]
    found = Members()
    several = len(sources) > 1
    try:
        for number, source in enumerate(sources):
            before = f"{source.name}/" if several else ""
            if source.is_dir():
                _walk(source, before, found, check)
            elif _is_archive(source):
                folder = scratch / str(number)
                for path, inside, size in unpack(source, folder, found.skip, check, heads_only=heads_only):
                    found.files.append(Member(path, source, folder, inside, before + inside, size))
            else:
                label = source.name if several else ""
                found.files.append(Member(source, source, source.parent, "", label, _bytes_of(source)))
        yield found
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _walk(source: Path, before: str, found: Members, check: Check) -> None:
    """Add the files below ``source`` in the order of their names; each file and folder once, whatever links say."""
    status = source.stat()
    seen = {(status.st_dev, status.st_ino)}
    waiting = [source]
    while waiting:
        check()
        inner: list[Path] = []
        for entry in _entries(waiting.pop()):
            label = before + Path(entry.path).relative_to(source).as_posix()
            reason = _reason_to_skip(entry, seen)
            if reason:
                found.skip(label, reason)
            elif entry.is_dir():
                inner.append(Path(entry.path))
            else:
                path = Path(entry.path)
                inside = path.relative_to(source).as_posix()
                found.files.append(Member(path, source, source, inside, label, _bytes_of(path)))
        if len(found.files) > MAX_FILES:
            raise errors.too_large(_("more files than an import can have"), str(MAX_FILES))
        waiting += reversed(inner)


def _bytes_of(path: Path) -> int:
    """Its size; 0 for what cannot be looked at, which whoever opens it will say."""
    with suppress(OSError):
        return path.stat().st_size
    return 0


def _entries(folder: Path) -> Sequence[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        raise errors.unreadable(str(folder), error) from error


def _reason_to_skip(entry: os.DirEntry[str], seen: set[tuple[int, int]]) -> str:
    """Why this entry is not read, "" when it is. seen: device and inode of what was met before."""
    if is_hidden(entry.name):
        return _("a hidden or system file")
    try:
        status = entry.stat()
        usable = entry.is_dir() or entry.is_file()
    except OSError as error:  # a link to nowhere, a loop of links, no permission
        return error.strerror or str(error)
    if not usable:
        return _("neither a file nor a folder")
    identity = (status.st_dev, status.st_ino)
    if status.st_ino and identity in seen:
        return _("a link to what is read already")
    seen.add(identity)
    return ""


def _is_archive(path: Path) -> bool:
    """A ZIP archive that is no document; a file that cannot be read is none, whoever opens it will say so."""
    try:
        if not path.is_file():  # a pipe would wait for ever
            return False
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError:
        return False
    return head.startswith(b"PK\x05\x06") or container_kind(path, head) == "zip"
