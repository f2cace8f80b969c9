"""Files that datasets of pictures and recordings share: each once, under the hash of its bytes, whole or not at all."""

from __future__ import annotations

import hashlib
import stat
import uuid
from pathlib import Path
from typing import Final

MAX_BYTES: Final = 64 << 20


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


def place_of(content: bytes, ending: str, store: Path) -> Path:
    """Where these bytes belong: ``<first two hex>/<sha256>.<ending>``."""
    return named_place(store, f"{hashlib.sha256(content).hexdigest()}.{ending}")


def named_place(store: Path, name: str) -> Path:
    """Where the file of this name lies in ``store``."""
    return store / name[:2] / name


def is_stored(content: bytes, target: Path) -> bool:
    """Whether exactly these bytes are there already."""
    return target.is_file() and target.read_bytes() == content


def keep(content: bytes, target: Path) -> None:
    """Aside, then renamed: a name in the store never stands for half a file. Raises OSError."""
    if not target.parent.is_dir():
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = target.with_name(f".{target.stem}.{uuid.uuid4().hex[:8]}")
    try:
        aside.write_bytes(content)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)
