"""A fetched or made folder appears whole or not at all: written aside, put on the disk, then renamed."""

from __future__ import annotations

import errno
import json
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from safetensors import SafetensorError

from studio.engine.weights import INFO_FILE, sha256_of
from studio.errors import StudioError
from studio.i18n import _


@contextmanager
def written_aside(target: Path) -> Iterator[Path]:
    """A new folder beside ``target`` to write into; it becomes ``target`` at the end, or vanishes on any error.

    Raises StudioError ``model.exists`` when ``target`` is there already, at the start or at the end.
    """
    check_free(target)
    target.parent.mkdir(parents=True, exist_ok=True)
    aside = target.with_name(f".tmp-{target.name}-{uuid.uuid4().hex[:8]}")
    aside.mkdir(mode=0o700)
    try:
        yield aside
        publish(aside, target)
    finally:
        shutil.rmtree(aside, ignore_errors=True)  # renamed by now, or unwanted


def publish(aside: Path, target: Path) -> None:
    """Put every file of ``aside`` on the disk, then rename it to ``target``. Raises StudioError ``model.exists``."""
    check_free(target)
    for path in aside.rglob("*"):
        os.chmod(path, 0o700 if path.is_dir() else 0o600)
        fsync(path)
    fsync(aside)
    aside.rename(target)
    fsync(target.parent)


@contextmanager
def plain_write_errors() -> Iterator[None]:
    """Native writers hide a full disk in exceptions of their own; outside this block it is an OSError again.

    safetensors only tells the number in its text; torch raises RuntimeError on top of the file's own OSError.
    """
    try:
        yield
    except SafetensorError as error:
        number = re.search(r"os error (\d+)", str(error))
        raise OSError(int(number[1]) if number else errno.EIO, str(error)) from error
    except RuntimeError as error:
        if isinstance(error.__context__, OSError):
            raise error.__context__ from error
        raise


def fsync(path: Path) -> None:
    """Have the system put a file's or folder's content on the disk before returning."""
    if os.name == "nt" and path.is_dir():
        return  # Windows cannot fsync a folder
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def check_free(target: Path) -> None:
    """Raise StudioError ``model.exists`` when there is something at ``target``."""
    if target.exists():
        raise StudioError(
            "model.exists",
            _("There is already a folder {path}.").format(path=target),
            _("Remove it first, or choose another name."),
        )


def note_source(folder: Path, **facts: Any) -> None:
    """Write studio.json: where the model came from, and SHA-256 and size of each file as it is now."""
    files = {
        path.relative_to(folder).as_posix(): {"bytes": path.stat().st_size, "sha256": sha256_of(path)}
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != INFO_FILE
    }
    text = json.dumps({**facts, "files": files}, ensure_ascii=False, indent=2)
    (folder / INFO_FILE).write_text(text, encoding="utf-8")
