"""A file that is hashed while it is written, so that nobody has to read it again for that."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path
from typing import Any


class HashedOutput(io.RawIOBase):
    """A new file, written from its beginning to its end without going back.

    ``error`` keeps the first failure: a writer of native code passes on no more than its words.
    """

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb", buffering=0)
        self._hash = hashlib.sha256()
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
        return size

    def close(self) -> None:
        self._file.close()
        super().close()
