"""Files that datasets of pictures and recordings share: each once, under the hash of its bytes, whole or not at all."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import uuid
from pathlib import Path
from typing import Final

from studio.ingest.dataset.publish import sync

MAX_BYTES: Final = 64 << 20
ASIDE: Final = ".new-files"  # in the folder of a dataset that is being made


class FileFault(ValueError):
    """A file that is not taken. code: one of the image_… and audio_… sentences in readers/batches.py."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def content_of(path: Path, kind: str) -> bytes:
    """The bytes of a file that may be taken. kind: image or audio. Raises FileFault (…_missing, …_too_large)."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise FileFault(f"{kind}_missing")
        if status.st_size > MAX_BYTES:
            raise FileFault(f"{kind}_too_large")
        return path.read_bytes()
    except OSError as error:
        raise FileFault(f"{kind}_missing") from error


def named_place(folder: Path, name: str) -> Path:
    """Where the file of this name lies in a store: ``<first two hex>/<sha256>.<ending>``."""
    return folder / name[:2] / name


class FileStore:
    """A store as one job sees it. folder: of the store.

    aside: a folder within the one that the job fills. What the job takes lies there until ``land``, its last act, so
    a job that fails, is cancelled or is killed before leaves nothing in the store. Without it, files go straight there.
    """

    def __init__(self, folder: Path, aside: Path | None = None) -> None:
        self.folder, self._aside = folder, aside

    def place(self, name: str) -> Path:
        """Where the file of this name lies for this job; in the store when it is nowhere."""
        if self._aside is not None and (own := named_place(self._aside, name)).is_file():
            return own
        return named_place(self.folder, name)

    def holds(self, content: bytes, name: str) -> bool:
        """Whether exactly these bytes are there already."""
        place = self.place(name)
        return place.is_file() and place.read_bytes() == content

    def keep(self, content: bytes, name: str) -> None:
        """Aside, then renamed: a name never stands for half a file. Raises OSError."""
        target = named_place(self._aside or self.folder, name)
        if not target.parent.is_dir():
            target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        half = target.with_name(f".{target.stem}.{uuid.uuid4().hex[:8]}")
        try:
            half.write_bytes(content)
            half.replace(target)
        finally:
            half.unlink(missing_ok=True)

    def settle(self) -> None:
        """Put what was taken on the disk, all at once: 10,000 small files synced one by one take half a minute."""
        if self._aside is not None and self._aside.is_dir() and hasattr(os, "sync"):
            os.sync()

    def land(self) -> None:
        """Move what was taken into the store; to be called before a dataset that names it is published.

        Raises OSError.
        """
        if self._aside is None or not self._aside.is_dir():
            return
        for part in sorted(self._aside.iterdir()):
            target = self.folder / part.name
            target.mkdir(mode=0o700, parents=True, exist_ok=True)
            for file in part.iterdir():
                _move(file, target / file.name)
            sync(target)
        sync(self.folder)
        shutil.rmtree(self._aside)


def _move(file: Path, target: Path) -> None:
    try:
        file.replace(target)
    except PermissionError:  # Windows, while somebody reads the one that another job has put there
        if not target.is_file() or target.stat().st_size != file.stat().st_size:
            raise
        file.unlink()


def name_of(content: bytes, ending: str) -> str:
    """What these bytes are called in a store."""
    return f"{hashlib.sha256(content).hexdigest()}.{ending}"
