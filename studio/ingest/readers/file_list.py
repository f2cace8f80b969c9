"""Pictures or recordings in folders: the folder that a file lies in is its label."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Final

from studio.ingest import errors
from studio.ingest.readers.batches import Batch, frame_of

_BATCH: Final = 200


class FileListReader:
    """One row for each file: ``image`` or ``audio``, its path inside the source, and ``label``; none beside the
    folders."""

    def __init__(self, column: str, names: Sequence[str]) -> None:
        self.columns = [column, "label"]
        self._names = names

    def head(self, limit: int) -> list[list[str]]:
        return [[name, _label(name)] for name in self._names[:limit]]

    def batches(self, wanted: Mapping[str, str]) -> Iterator[Batch]:
        columns = list(wanted.values())
        for start in range(0, len(self._names), _BATCH):
            names = self._names[start : start + _BATCH]
            cells = [dict(zip(self.columns, (name, _label(name) or None), strict=True)) for name in names]
            rows = range(start + 1, start + 1 + len(names))
            yield Batch(
                frame_of(rows, [[cell[column] for column in columns] for cell in cells], list(wanted))
            )


class ListedFiles:
    """The files as one source: their size, and one hash over their names and contents."""

    def __init__(self, path: Path, root: Path, names: Sequence[str]) -> None:
        self.path = path
        self.bytes_read = 0
        self._root = root
        self._names = names
        self._sha256: str | None = None

    @property
    def size_bytes(self) -> int:
        return sum((self._root / name).stat().st_size for name in self._names)

    @property
    def sha256(self) -> str:
        """Of the lines ``sha256-of-the-file  name``, in the order of the names."""
        if self._sha256 is None:
            whole = hashlib.sha256()
            for name in self._names:
                whole.update(f"{_digest(self._root / name)}  {name}\n".encode("utf-8", "surrogateescape"))
            self._sha256 = whole.hexdigest()
        return self._sha256


def _digest(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise errors.unreadable(str(path), error) from error


def _label(name: str) -> str:
    return PurePosixPath(name).parent.name
