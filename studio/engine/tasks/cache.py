"""Arrays that take long to make and are needed again in every epoch: each is made once and kept in a scratch file.

Made when first asked for, so a run starts at once and a fit check makes only what it looks at. The file has no name:
it goes with the process, even a killed one, and a resumed run makes its arrays again. Plain reads and writes instead
of a memory map: on a full disk a write fails with an error, where a map would end the process.
"""

from __future__ import annotations

import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import DTypeLike, NDArray

MOST_BYTES: Final = 8 << 30
_SHARE_OF_DISK: Final = 4  # at most a quarter of what is free


class ArrayCache:
    """make(index): the array, of ``shape`` and ``dtype``; always the same for an index."""

    def __init__(
        self, folder: Path, count: int, shape: tuple[int, ...], dtype: DTypeLike,
        make: Callable[[int], NDArray[Any]], most_bytes: int = MOST_BYTES,
    ) -> None:  # fmt: skip
        self._shape, self._dtype, self._make = shape, np.dtype(dtype), make
        self._size = int(np.prod(shape)) * self._dtype.itemsize
        most = min(most_bytes, shutil.disk_usage(folder).free // _SHARE_OF_DISK)
        self._room = min(count, most // self._size)
        self._made = bytearray(count)
        self._file: Any = tempfile.TemporaryFile(dir=folder, buffering=0)  # noqa: SIM115 (open as long as the cache)
        self._lock = threading.Lock()
        weakref.finalize(self, self._file.close)

    def __len__(self) -> int:
        return len(self._made)

    def __getitem__(self, index: int) -> NDArray[Any]:
        if not self._made[index]:
            array = np.ascontiguousarray(self._make(index), dtype=self._dtype)
            self._keep(index, array)
            return array
        with self._lock:
            self._file.seek(index * self._size)
            stored = self._file.read(self._size)
        return np.frombuffer(stored, dtype=self._dtype).reshape(self._shape)

    def _keep(self, index: int, array: NDArray[Any]) -> None:
        """Write the array if there is room; a disk that refuses only costs time."""
        if index >= self._room:
            return
        try:
            with self._lock:
                self._file.seek(index * self._size)
                written = self._file.write(array.tobytes())
        except OSError:
            self._room = 0
            return
        self._made[index] = written == self._size
