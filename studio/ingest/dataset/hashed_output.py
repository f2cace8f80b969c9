"""A file that is hashed while it is written, so that nobody has to read it again for that."""

from __future__ import annotations

import hashlib
import io
import os
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

_FLUSH_BYTES: Final = 32 << 20


class HashedOutput(io.RawIOBase):
    """A new file, written from its beginning to its end without going back, and brought to the disk on the way.

    Else whoever syncs it at the end waits for all of it.
    ``error`` keeps the first failure: a writer of native code passes on no more than its words.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self._hash = hashlib.sha256()
        self._flusher = ThreadPoolExecutor(1, thread_name_prefix="flush")
        self._flushing: Future[None] | None = None
        self._unflushed = 0
        self.error: OSError | None = None

    @property
    def sha256(self) -> str:
        """Of what was written so far, in hex."""
        return self._hash.hexdigest()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        """All of the data, whatever the disk takes at once. Raises OSError."""
        left = memoryview(data).cast("B")
        size = len(left)
        self._hash.update(left)
        try:
            while left:
                left = left[self._file.write(left) :]
        except OSError as error:
            self.error = self.error or error
            raise
        self._unflushed += size
        if self._unflushed >= _FLUSH_BYTES and (self._flushing is None or self._flushing.done()):
            self._unflushed = 0
            self._flushing = self._flusher.submit(_flush, self._file.fileno())
        return size

    def close(self) -> None:
        self._flusher.shutdown()
        self._file.close()
        super().close()


def _flush(descriptor: int) -> None:
    """What is wrong with the disk is said by the sync at the end."""
    with suppress(OSError):
        getattr(os, "fdatasync", os.fsync)(descriptor)
