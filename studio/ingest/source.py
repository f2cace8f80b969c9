"""Reading a source once: its bytes in blocks, hashed on the way, and turned into UTF-8."""

from __future__ import annotations

import codecs
import hashlib
import queue
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Final, Protocol

from studio.ingest import errors
from studio.ingest.detect.encoding import bom_length

BLOCK_BYTES: Final = 4 << 20
_BAD: Final = "studio-bad-bytes"


def _mark_bad_bytes(error: UnicodeError) -> tuple[str, int]:
    """Undecodable bytes become lone surrogates, so that they are bad UTF-8 later, in their own row only."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "\udc80" * (error.end - error.start), error.end


codecs.register_error(_BAD, _mark_bad_bytes)


class SourceFile(Protocol):
    """What is known of a source while it is read and after: progress in bytes, and its hash."""

    path: Path
    bytes_read: int

    @property
    def size_bytes(self) -> int: ...

    @property
    def sha256(self) -> str: ...


class HashedFile:
    """The blocks of a file with their SHA-256, hashed in a thread beside the reader.

    Raises StudioError import.unreadable when the file cannot be read (any more).
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.bytes_read = 0
        self._hash = hashlib.sha256()
        self._digest: str | None = None

    @property
    def size_bytes(self) -> int:
        return self.path.stat().st_size

    @property
    def sha256(self) -> str:
        """Of the whole file, in hex; the file is read now if its blocks were not all taken."""
        if self._digest is None:
            for _block in self.blocks():
                pass
        assert self._digest is not None
        return self._digest

    def blocks(self) -> Iterator[bytes]:
        """The file from its start; the digest is known when the last block was taken."""
        self._hash = hashlib.sha256()
        self.bytes_read = 0
        waiting: queue.Queue[bytes | None] = queue.Queue(maxsize=2)
        hasher = threading.Thread(target=self._hash_all, args=(waiting,), name="sha256", daemon=True)
        hasher.start()
        complete = False
        try:
            with self.path.open("rb") as file:
                while block := file.read(BLOCK_BYTES):
                    self.bytes_read += len(block)
                    waiting.put(block)
                    yield block
            complete = True
        except OSError as error:
            raise errors.unreadable(str(self.path), error) from error
        finally:
            waiting.put(None)
            hasher.join()
            if complete:
                self._digest = self._hash.hexdigest()

    def _hash_all(self, waiting: queue.Queue[bytes | None]) -> None:
        while (block := waiting.get()) is not None:
            self._hash.update(block)


def utf8_blocks(file: HashedFile, encoding: str) -> Iterator[bytes]:
    """The file's text as UTF-8 without a byte order mark; what cannot be decoded is left as invalid UTF-8."""
    decoder = None if encoding == "utf-8" else codecs.getincrementaldecoder(encoding)(_BAD)
    first = True
    for block in file.blocks():
        if first:
            block, first = block[bom_length(block) :], False
        yield block if decoder is None else _utf8(decoder.decode(block))
    if decoder is not None and (rest := decoder.decode(b"", final=True)):
        yield _utf8(rest)


def utf8_head(data: bytes, encoding: str) -> bytes:
    """The same for the first bytes of a file, for detection; a cut-off last character is dropped."""
    data = data[bom_length(data) :]
    if encoding == "utf-8":
        return data
    return _utf8(codecs.getincrementaldecoder(encoding)(_BAD).decode(data))


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogateescape")
