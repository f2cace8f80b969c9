"""What an import is made from: files, folders and archives that are there, pasted text, and the room they need."""

from __future__ import annotations

import csv
import io
import itertools
import os
import re
import shutil
import zipfile
from pathlib import Path

from studio.domain.datasets import ImportSpec, Origin, OriginKind
from studio.domain.ids import new_id
from studio.errors import NotFoundError, ResourceError, StudioError
from studio.i18n import _
from studio.services.files import write_atomically
from studio.words import size_words

SPACE_FACTOR = 3  # free bytes for each byte of the source: rows, rejected rows, and the copy being built
_MOST_PACKED = (
    200  # an archive's stated size beyond this ratio is not believed; the import has limits of its own
)
_NAME_CHARACTERS = 40
_JSON_ROWS = re.compile(r"\s*\[\s*\{")
_LOOKED_AT = 2**16
_LINES_COMPARED = 20


def check_sources(spec: ImportSpec) -> None:
    """Raise NotFoundError ``dataset.no_file`` unless every source is a file or a folder."""
    for source in (spec.source, *spec.more_sources):
        path = Path(source)
        try:
            there = path.is_file() or path.is_dir()
        except OSError:  # e.g. a name that this system cannot have
            there = False
        if not there:
            raise NotFoundError(
                "dataset.no_file", _("There is no file {path}.").format(path=path.name or source),
                _("Choose the file again."),
            )  # fmt: skip


def source_bytes(spec: ImportSpec) -> int:
    """Bytes of all sources, unpacked; links out of a folder are not followed."""
    return sum(_bytes_of(Path(source)) for source in (spec.source, *spec.more_sources))


def check_space(folder: Path, wanted_bytes: int) -> None:
    """Raise ResourceError ``dataset.no_disk`` unless there is room for a dataset made from so many bytes."""
    free, needed = shutil.disk_usage(folder).free, SPACE_FACTOR * wanted_bytes
    if free < needed:
        raise ResourceError(
            "dataset.no_disk",
            _("There is not enough free disk space for this data: {need} needed, {free} free.").format(
                need=size_words(needed), free=size_words(free)
            ),
            _("Free some space, or move the workspace to a larger disk."),
        )


def keep_pasted(text: str, folder: Path, name: str = "") -> ImportSpec:
    """Write pasted text into ``folder`` and give it as a source. Raises StudioError ``dataset.nothing_pasted``."""
    if not text.strip():
        raise StudioError(
            "dataset.nothing_pasted",
            _("There is no text to import."),
            _("Copy some text, then paste it again."),
        )
    sound = text.encode("utf-8", "replace").decode("utf-8")  # half a character cannot be stored
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{_file_name(name)}-{new_id(6)}{_ending(sound)}"
    check_space(folder, len(sound.encode()))
    write_atomically(path, sound)
    return ImportSpec(
        source=str(path), name=name.strip() or _("Pasted text"), origin=Origin(kind=OriginKind.CLIPBOARD)
    )


def _bytes_of(path: Path) -> int:
    try:
        if path.is_dir():
            return _folder_bytes(path)
        size = path.stat().st_size
        return max(size, _unpacked_bytes(path, size)) if path.suffix.lower() == ".zip" else size
    except OSError:  # it went away just now: the import itself will say so
        return 0


def _folder_bytes(folder: Path) -> int:
    total = 0
    for place, _folders, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(place, name)).st_size
            except OSError:  # a file that left while we looked needs no room
                continue
    return total


def _unpacked_bytes(path: Path, size: int) -> int:
    try:
        with zipfile.ZipFile(path) as archive:
            stated = sum(member.file_size for member in archive.infolist())
    except (zipfile.BadZipFile, ValueError, NotImplementedError):  # the import says what is wrong with it
        return size
    return min(stated, _MOST_PACKED * size)


def _ending(text: str) -> str:
    """The file ending that says what pasted text is; what is not sure is .txt, which is looked into when it is read.

    Cells copied from a spreadsheet come with tabs between them, whatever their headers are called.
    """
    if _JSON_ROWS.match(text):
        return ".json"
    lines = csv.reader(io.StringIO(text[:_LOOKED_AT], newline=""), delimiter="\t")
    try:
        widths = [len(cells) for cells in itertools.islice(lines, _LINES_COMPARED) if cells]
    except csv.Error:  # a cell without end: no table
        return ".txt"
    return ".tsv" if len(widths) > 1 and widths[0] > 1 and len(set(widths)) == 1 else ".txt"


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.]+", "-", name.lower()).strip("-.")[:_NAME_CHARACTERS] or "pasted"
