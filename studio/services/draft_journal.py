"""The file that keeps a draft: one line for each change, appended at once, so that a crash costs no typing.

A line reaches the system when it is written, which survives a kill; it is made durable against a power cut within
two seconds, by a thread, since the disk may take longer than a window can wait.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from studio.errors import ResourceError
from studio.i18n import _

log = logging.getLogger(__name__)

SYNC_EVERY_S = 2.0


class Journal:
    """Lines of JSON objects in ``path``; a last line that a crash tore is dropped when it is opened."""

    def __init__(self, path: Path, fsync: Callable[[int], None] = os.fsync) -> None:
        self.path = path
        self._fsync = fsync
        self._lock = threading.Lock()  # of all that follows; never held while the disk is waited for
        self._disk = threading.Lock()  # held while it is
        self._dirty = False
        self._syncer: threading.Thread | None = None
        self._synced_at = 0.0
        self._descriptor: int | None = None
        self._closing = threading.Event()

    def read(self) -> list[dict[str, Any]]:
        """All whole lines, in order; reading ends at the first one that is damaged."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return []
        found: list[dict[str, Any]] = []
        for line in data.split(b"\n")[:-1]:  # what follows the last line end is torn, or nothing
            entry = _entry(line)
            if entry is None:
                log.warning("The journal %s is damaged after %s lines", self.path, len(found))
                break
            found.append(entry)
        return found

    def append(self, entry: dict[str, Any]) -> None:
        """Add a line. Raises ResourceError ``draft.not_kept``; the line is then not there at all."""
        line = json.dumps(entry, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"
        with self._lock:
            before = 0
            try:
                descriptor = self._opened()
                before = os.lseek(descriptor, 0, os.SEEK_END)
                _write_all(descriptor, line)
            except OSError as problem:
                self._take_back(before)
                raise ResourceError(
                    "draft.not_kept", _("The change could not be kept: {error}.").format(error=problem.strerror),
                    _("Free some space on the disk of the workspace, then try again."),
                ) from problem  # fmt: skip
            self._see_to_sync()

    def sync(self) -> None:
        """Make all lines durable now. Raises OSError when the disk refuses."""
        with self._disk:
            with self._lock:
                descriptor, self._dirty = self._descriptor, False
            if descriptor is not None:
                self._fsync(descriptor)
            self._synced_at = time.monotonic()

    def close(self) -> None:
        """Make all durable and let go of the file."""
        self._closing.set()
        syncer = self._syncer
        if syncer is not None:
            syncer.join()
        self._sync_quietly()
        with self._disk, self._lock:
            if self._descriptor is not None:
                os.close(self._descriptor)
                self._descriptor = None

    def remove(self) -> None:
        """Close and delete the file."""
        self.close()
        self.path.unlink(missing_ok=True)

    def _opened(self) -> int:
        if self._descriptor is None:
            self._closing.clear()
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            flags = os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0)
            self._descriptor = os.open(self.path, flags, 0o600)
            os.ftruncate(self._descriptor, self._whole_bytes())
        return self._descriptor

    def _whole_bytes(self) -> int:
        """Length of the lines that ``read`` gives; what follows would only confuse the next reader."""
        whole = 0
        for line in self.path.read_bytes().split(b"\n")[:-1]:
            if _entry(line) is None:
                break
            whole += len(line) + 1
        return whole

    def _take_back(self, size: int) -> None:
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, size)

    def _see_to_sync(self) -> None:
        self._dirty = True
        if self._syncer is None:
            self._syncer = threading.Thread(target=self._sync_soon, name="draft-sync", daemon=True)
            self._syncer.start()

    def _sync_soon(self) -> None:
        while True:
            self._closing.wait(max(0.0, self._synced_at + SYNC_EVERY_S - time.monotonic()))
            self._sync_quietly()
            with self._lock:
                if not self._dirty or self._closing.is_set():
                    self._syncer = None
                    return

    def _sync_quietly(self) -> None:
        try:
            self.sync()
        except OSError as problem:  # the lines are written; the next change or the end tries again
            log.warning("The draft cannot be made durable: %s", problem)


def _entry(line: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(line)
    except ValueError:
        return None
    return entry if isinstance(entry, dict) else None


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
