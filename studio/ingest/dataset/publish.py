"""A dataset folder appears whole or not at all: built aside, synced to disk, renamed into place."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_STALE_S: Final = 24 * 3600


@contextmanager
def published(out_dir: Path) -> Iterator[Path]:
    """A folder to fill, ``.tmp-<uuid>`` beside ``out_dir``; renamed to it at the end, removed on any exception.

    Raises OSError, FileExistsError when ``out_dir`` is there already.
    """
    if out_dir.exists():
        raise FileExistsError(f"{out_dir} exists")
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    _sweep(out_dir.parent)
    aside = out_dir.parent / f".tmp-{uuid.uuid4().hex}"
    aside.mkdir(mode=0o700)
    try:
        yield aside
        for file in aside.iterdir():
            _sync(file)
        _sync(aside)
        os.rename(aside, out_dir)
        _sync(out_dir.parent)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


def file_sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(path: Path) -> None:
    if os.name == "nt" and path.is_dir():
        return  # Windows cannot open a folder
    fd = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _sweep(parent: Path) -> None:
    """Remove what killed imports left behind, once it is certainly nobody's any more."""
    for left in parent.glob(".tmp-*"):
        if time.time() - left.stat().st_mtime > _STALE_S:
            shutil.rmtree(left, ignore_errors=True)
