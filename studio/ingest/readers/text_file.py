"""Text files that are read by line: decoded, line ends made alike, no line longer than memory allows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from studio.ingest import errors
from studio.ingest.detect.encoding import SAMPLE_BYTES, detect_encoding
from studio.ingest.source import HashedFile, utf8_blocks

MAX_LINE_BYTES: Final = 1 << 20
_DECLARED: Final = re.compile(rb"""<meta[^>]+charset\s*=\s*["']?([\w-]+)""", re.IGNORECASE)


def encoding_of(path: Path, chosen: str | None) -> str:
    """The chosen encoding, or the one that the file's head speaks of. Raises StudioError import.encoding."""
    with path.open("rb") as file:
        head = file.read(SAMPLE_BYTES)
    declared = _DECLARED.search(head[:4096])
    for name in (chosen, detect_encoding(head), declared[1].decode("ascii", "replace") if declared else None):
        if name:
            return "utf-8" if name.lower().replace("_", "-") in ("utf-8", "utf8", "utf-8-sig") else name
    raise errors.unknown_encoding(str(path))


def text_lines(path: Path, encoding: str) -> Iterator[tuple[str, bool]]:
    """(line without its end, whether it was cut off for its length); bad bytes are lone surrogates."""
    rest, cut = b"", False
    for block in _blocks(path, encoding):
        *lines, rest = (rest + block).split(b"\n")
        for line in lines:
            yield _text(line[:MAX_LINE_BYTES]), cut or len(line) > MAX_LINE_BYTES
            cut = False
        if len(rest) > MAX_LINE_BYTES:
            rest, cut = rest[:MAX_LINE_BYTES], True
    if rest:
        yield _text(rest), cut


def _blocks(path: Path, encoding: str) -> Iterator[bytes]:
    """UTF-8 with \\n as the only line end."""
    held = b""
    try:
        for block in utf8_blocks(HashedFile(path), encoding):
            data = held + block
            held = b"\r" if data.endswith(b"\r") else b""
            data = data[: len(data) - len(held)]
            yield data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    except LookupError as error:
        raise errors.unknown_encoding(str(path)) from error
    if held:
        yield b"\n"


def _text(line: bytes) -> str:
    return line.decode("utf-8", "surrogateescape")
