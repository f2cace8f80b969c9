"""A file that is hashed while it is written, so that nobody has to read it again for that."""

from __future__ import annotations

import hashlib
import io
import os
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

_SYNC_EVERY_BYTES: Final = 32 << 20


class HashedOutput(io.RawIOBase):
    """A new file, written from its beginning to its end without going back.

    What was written is sent to the disk now and then, beside the work that makes the rest: the sync at the end, which
    the user waits for, has little left to do. ``error`` keeps the first failure: a writer of native code passes on no
    more than its words.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self._hash = hashlib.sha256()
        self._syncing = ThreadPoolExecutor(1, thread_name_prefix="sync")
        self._sync: Future[None] | None = None
        self._unsynced = 0
        self.error: OSError | None = None

    @property
    def sha256(self) -> str:
        """Of what was written so far, in hex."""
        return self._hash.hexdigest()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        """All of the data, whatever the disk takes at once. Raises OSError, of an earlier portion as well."""
        left = memoryview(data).cast("B")
        size = len(left)
        self._hash.update(left)
        try:
            while left:
                left = left[self._file.write(left) :]
            self._send(size)
        except OSError as error:
            self.error = self.error or error
            raise
        return size

    def close(self) -> None:
        """Waits for the portion that is on its way. Raises OSError when the disk did not take it: told only once."""
        sync, self._sync = self._sync, None
        try:
            self._syncing.shutdown()
            if sync is not None:
                sync.result()
        except OSError as error:
            self.error = self.error or error
            raise
        finally:
            self._file.close()
            super().close()

    def _send(self, size: int) -> None:
        self._unsynced += size
        if self._unsynced < _SYNC_EVERY_BYTES or (self._sync and not self._sync.done()):
            return
        if self._sync is not None:
            self._sync.result()
        self._unsynced = 0
        self._sync = self._syncing.submit(_to_disk, self._file.fileno())


def _to_disk(number: int) -> None:
    getattr(os, "fdatasync", os.fsync)(number)  # Windows has only the latter
