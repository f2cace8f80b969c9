"""Datasets of pictures or recordings on their way out: one folder a class, and a table that says which is which."""

from __future__ import annotations

import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import Final

import polars as pl

from studio.ingest.dataset.images import image_place
from studio.ingest.dataset.pictures import FileKind
from studio.ingest.dataset.publish import published, written
from studio.ingest.export import problems
from studio.ingest.export.table import ExportTable
from studio.ingest.export.writers import WRITERS, Tell

_UNLABELLED: Final = "_unlabelled"
_UNSAFE: Final = re.compile(r'[\x00-\x1f<>:"/\\|?*]')
_RESERVED: Final = re.compile(r"^(con|prn|aux|nul|com\d|lpt\d)(\..*)?$", re.I)
_MOST_CHARS: Final = 60


def export_pictures(
    table: ExportTable, kind: FileKind, datasets: Path, format: str, out: Path, tell: Tell,
    check: Callable[[], None],
) -> Path:  # fmt: skip
    """Write a ZIP archive (``out`` ends with .zip) or a folder; returns its path. Raises OSError."""
    store = datasets / kind.folder
    named = _WithPaths(table, kind)
    if out.suffix.lower() == ".zip":
        with written(out) as aside, tempfile.TemporaryDirectory(prefix=".tmp-", dir=out.parent) as between:
            listing = Path(between) / f"labels.{format}"
            WRITERS[format](named, listing, tell)
            with zipfile.ZipFile(aside, "w", zipfile.ZIP_STORED, allowZip64=True) as archive:
                archive.write(listing, listing.name, zipfile.ZIP_DEFLATED)
                for source, target in named.pictures(store, check):
                    archive.write(source, target)
        return out
    folder = out.with_suffix("") if out.suffix.lower() == f".{format}" else out
    with published(folder) as aside:
        WRITERS[format](named, aside / f"labels.{format}", tell)
        for source, target in named.pictures(store, check):
            (aside / target).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, aside / target)
    return folder


class _WithPaths(ExportTable):
    """The same table with each file's path beside the table instead of its name in the store."""

    def __init__(self, table: ExportTable, kind: FileKind) -> None:
        self._table = table
        self._column = kind.column
        self.rows = table.rows
        self.columns = table.columns
        self._folders = ClassFolders(kind.folder)

    @property
    def json_columns(self) -> tuple[str, ...]:
        return self._table.json_columns

    def frames(self) -> Iterator[tuple[pl.DataFrame, list[int]]]:
        for frame, numbers in self._table.frames():
            cells = frame.select(self._column, "label").iter_rows()
            paths = [str(self._folders.path(image, label)) for image, label in cells]
            yield frame.with_columns(pl.Series(self._column, paths, dtype=pl.String)), numbers

    def pictures(self, store: Path, check: Callable[[], None]) -> Iterator[tuple[Path, str]]:
        """(file in the store, path in the export) of each picture, once for each class it has."""
        done: set[str] = set()
        for frame, _numbers in self.frames():
            for target in frame[self._column]:
                name = PurePosixPath(target).name
                source = image_place(store, name)
                check()
                if target in done:
                    continue
                if not source.is_file():
                    raise problems.missing_picture(name)
                done.add(target)
                yield source, target


class ClassFolders:
    """A folder name for each label that every system takes; two labels never share one."""

    def __init__(self, folder: str = "images") -> None:
        self._folder = folder
        self._names: dict[str | None, str] = {None: _UNLABELLED}
        self._taken = {_UNLABELLED}

    def path(self, image: str, label: str | None) -> PurePosixPath:
        """Where a picture of this class is, beside the table."""
        if label not in self._names:
            self._names[label] = self._free(label or "")
        return PurePosixPath(self._folder, self._names[label], image)

    def _free(self, label: str) -> str:
        base = _UNSAFE.sub("_", label)[:_MOST_CHARS].strip(" .") or "_"
        base = f"_{base}" if _RESERVED.match(base) else base
        name, count = base, 2
        while name.casefold() in self._taken:
            name, count = f"{base} ({count})", count + 1
        self._taken.add(name.casefold())
        return name
