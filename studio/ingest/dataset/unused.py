"""Pictures and recordings that no dataset names, left by a job that failed, was cancelled or was killed: removed.

A job that stores files leaves a note beside the datasets until its dataset is published or has failed. Whoever removes
leaves a note as well, and each looks for the other's after leaving its own: so either the remover sees the job and
gives up, or the job sees the remover and waits. A job may therefore rely on any file that it finds in a store.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import polars as pl
import psutil

from studio.ingest.dataset.file_store import STORES

log = logging.getLogger(__name__)

_STORING: Final = ".storing-"
_REMOVING: Final = ".removing-"
_PATIENCE_S: Final = 30.0  # a remover gives up much sooner; what is older belongs to nobody
_PAUSE_S: Final = 0.02
_ROWS: Final = "rows.parquet"


def note_storing(datasets: Path) -> None:
    """Say that this process puts files into the stores of ``datasets``; nothing is removed from them meanwhile."""
    note = _own(datasets, _STORING)
    if note.exists():
        return
    datasets.mkdir(parents=True, exist_ok=True)
    note.touch(mode=0o600)
    until = time.monotonic() + _PATIENCE_S
    while _others(datasets, _REMOVING) and time.monotonic() < until:
        time.sleep(_PAUSE_S)


def storing_ended(datasets: Path, *, failed: bool) -> None:
    """Take the note of this process back, if there is one; what it stored for nothing is removed."""
    note = _own(datasets, _STORING)
    if note.exists():
        if failed:
            remove_unused(datasets)
        note.unlink(missing_ok=True)


def remove_after_killed(datasets: Path) -> None:
    """Remove what jobs left in the stores that could not take their note back."""
    left = [note for note in _notes(datasets, _STORING) if not _alive(note)]
    if left and remove_unused(datasets):
        for note in left:
            note.unlink(missing_ok=True)


def remove_unused(datasets: Path) -> bool:
    """Remove all files from the stores that no dataset names. False: not now, or not all of them."""
    note = _own(datasets, _REMOVING)
    try:
        note.touch(mode=0o600)
        return not _others(datasets, _STORING) and _removed(datasets)
    except (
        OSError,
        pl.exceptions.PolarsError,
    ) as problem:  # a dataset that cannot be read may name any of them
        log.warning("Unused pictures and recordings stay where they are: %s", problem)
        return False
    finally:
        with suppress(OSError):
            note.unlink(missing_ok=True)


def _removed(datasets: Path) -> bool:
    for column, folder in STORES.items():
        store = datasets / folder
        if not store.is_dir():
            continue
        used = _named(datasets, column)
        for part in filter(Path.is_dir, store.iterdir()):
            if _others(datasets, _STORING):  # somebody waits; the rest is for the next time
                return False
            for file in part.iterdir():
                if file.name not in used and file.is_file():
                    file.unlink(missing_ok=True)
    return True


def _named(datasets: Path, column: str) -> set[str]:
    """All files that a row of any version of any dataset names; those of jobs under way are not asked."""
    names: set[str] = set()
    for rows in datasets.glob(f"[!.]*/{_ROWS}"):
        if column in pl.read_parquet_schema(rows):
            found = pl.scan_parquet(rows, glob=False).select(pl.col(column).unique()).collect()
            names.update(found[column].drop_nulls())
    return names


def _own(datasets: Path, kind: str) -> Path:
    return datasets / f"{kind}{os.getpid()}"


def _others(datasets: Path, kind: str) -> bool:
    """Another process that lives has left such a note."""
    return any(_alive(note) for note in _notes(datasets, kind) if note != _own(datasets, kind))


def _notes(datasets: Path, kind: str) -> Iterator[Path]:
    return datasets.glob(f"{kind}*")


def _alive(note: Path) -> bool:
    pid = note.name.rpartition("-")[2]
    return pid.isdigit() and psutil.pid_exists(int(pid))
