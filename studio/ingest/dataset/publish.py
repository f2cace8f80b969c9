"""A dataset folder appears whole or not at all: built aside, synced to disk, renamed into place."""

from __future__ import annotations

import os
import shutil
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psutil

_STALE_S: Final = 24 * 3600


@contextmanager
def published(out_dir: Path, finish: Callable[[], None] = lambda: None) -> Iterator[Path]:
    """A folder to fill, ``.tmp-…`` beside ``out_dir``; renamed to it at the end, removed on any exception.

    finish: called when all that is in it is safe on the disk, right before it gets its name.
    Raises OSError, FileExistsError when ``out_dir`` is there already.
    """
    if out_dir.exists():
        raise FileExistsError(f"{out_dir} exists")
    out_dir.parent.mkdir(parents=True, exist_ok=True)
    _sweep(out_dir.parent)
    aside = out_dir.parent / _aside_name()
    aside.mkdir(mode=0o700)
    try:
        yield aside
        for file in aside.iterdir():
            sync(file)
        finish()
        sync(aside)
        os.rename(aside, out_dir)
        sync(out_dir.parent)
    except BaseException:
        shutil.rmtree(aside, ignore_errors=True)
        raise


@contextmanager
def written(out: Path) -> Iterator[Path]:
    """A file to write, aside in the folder of ``out``; synced and renamed to it at the end, dropped on any exception.

    Raises OSError. A file that is there already is replaced.
    """
    aside = out.parent / f"{_aside_name()}{out.suffix}"
    try:
        yield aside
        sync(aside)
        os.replace(aside, out)
        sync(out.parent)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise


def sync(path: Path) -> None:
    """Put a file, or the names in a folder, on the disk. Raises OSError."""
    if os.name == "nt" and path.is_dir():
        return  # Windows cannot open a folder
    fd = os.open(path, os.O_RDONLY if os.name != "nt" else os.O_RDWR)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


def _aside_name() -> str:
    """Says whose it is, so that the next process can tell whether anybody still writes to it."""
    return f".tmp-{os.getpid()}-{uuid.uuid4().hex}"


def _sweep(parent: Path) -> None:
    """Remove what killed jobs left behind; what has no owner in its name only after a day."""
    for left in parent.glob(".tmp-*"):
        owner = left.name.split("-")[1]
        gone = owner.isdigit() and left.name.count("-") == 2 and not psutil.pid_exists(int(owner))
        with suppress(FileNotFoundError):  # another import sweeps as well
            if gone or time.time() - left.stat().st_mtime > _STALE_S:
                _remove(left)


def _remove(left: Path) -> None:
    if left.is_dir():
        shutil.rmtree(left, ignore_errors=True)
    else:
        left.unlink(missing_ok=True)
