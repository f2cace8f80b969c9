"""Pictures that are meant to harm, or that cannot be shown: each a file, and what comes of it."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

from PIL import Image


def _png(folder: Path, name: str, width: int, height: int, data: bytes, more: bytes = b"") -> Path:
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path = folder / name
    chunks = _chunk(b"IHDR", header) + more + _chunk(b"IDAT", data) + _chunk(b"IEND", b"")
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    return path


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def gigapixel_png(folder: Path) -> Path:
    return _png(folder, "giga.png", 60_000, 60_000, zlib.compress(bytes(1 << 20)))


def hundred_megapixels(folder: Path) -> Path:
    """Below what Pillow itself refuses."""
    return _png(folder, "mega.png", 10_000, 10_000, zlib.compress(bytes(1 << 20)))


def text_bomb_png(folder: Path) -> Path:
    """A comment that unpacks to 256 MB."""
    packed = zlib.compress(b" " * (256 << 20), 9)
    return _png(folder, "text.png", 1, 1, zlib.compress(bytes(4)), _chunk(b"zTXt", b"c\0\0" + packed))


def truncated_jpeg(folder: Path) -> Path:
    path = folder / "cut.jpg"
    Image.effect_noise((200, 200), 50).convert("RGB").save(path)
    path.write_bytes(path.read_bytes()[:-3000])
    return path


def not_an_image(folder: Path) -> Path:
    path = folder / "text.png"
    path.write_text("this is text")
    return path


def empty(folder: Path) -> Path:
    path = folder / "empty.png"
    path.touch()
    return path


def rotated_cmyk(folder: Path) -> Path:
    """As a camera's picture comes out of a print shop: CMYK, turned by a note in its EXIF data; good."""
    picture = Image.new("CMYK", (40, 20), (10, 20, 30, 0))
    exif = Image.Exif()
    exif[0x0112] = 6
    path = folder / "cmyk.jpeg"
    picture.save(path, exif=exif)
    return path


HOSTILE: list[tuple[Callable[[Path], Path], str]] = [
    (gigapixel_png, "image_too_large"),
    (hundred_megapixels, "image_too_large"),
    (text_bomb_png, "image_broken"),
    (truncated_jpeg, "image_broken"),
    (not_an_image, "image_unknown"),
    (empty, "image_unknown"),
]
