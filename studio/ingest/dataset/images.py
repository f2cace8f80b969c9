"""The store of pictures that all datasets share: each once, under the hash of its bytes, if it can be shown at all."""

from __future__ import annotations

import hashlib
import os
import stat
import uuid
import warnings
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image, UnidentifiedImageError

IMAGES_FOLDER: Final = "images"  # beside the datasets
MAX_BYTES: Final = 64 << 20
MAX_PIXELS: Final = 80_000_000  # below the number that Pillow itself warns of
# Pillow's name of a format -> the ending in the store.
ENDINGS: Final = {"PNG": "png", "JPEG": "jpg", "GIF": "gif", "BMP": "bmp", "WEBP": "webp", "TIFF": "tif"}
_SEVERAL: Final = "MPO"  # what Pillow calls a JPEG with further pictures behind the first
# What Pillow's decoders raise on damaged files, besides OSError.
_BROKEN: Final = (
    ValueError,
    SyntaxError,
    EOFError,
    IndexError,
    KeyError,
    TypeError,
    OverflowError,
    MemoryError,
)


class ImageFault(ValueError):
    """A picture that is not taken. code: one of the image_… sentences in readers/batches.py."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def store_image(path: Path, store: Path) -> str:
    """Take the picture into ``store``; its name there, ``<sha256>.<ending>``.

    The whole picture is decoded to prove that it can be; what is stored is the file's bytes, unchanged: a CMYK JPEG
    stays one, and an EXIF rotation stays a note for whoever shows it. The ending is by content, not by name.
    It is safe from a power cut once ``settle`` was called: 10,000 small files synced one by one take half a minute.
    Raises ImageFault (image_missing, image_too_large, image_unknown, image_broken) and OSError of the store.
    """
    content = _content(path)
    digest = hashlib.sha256(content).hexdigest()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of oddities in metadata; bombs are stopped by MAX_PIXELS
        with _opened(content) as picture:
            name = f"{digest}.{ENDINGS['JPEG' if picture.format == _SEVERAL else picture.format or '']}"
            target = image_place(store, name)
            if target.is_file() and target.read_bytes() == content:
                return name
            _decode(picture)
    _write(content, target)
    return name


def image_place(store: Path, name: str) -> Path:
    """Where the picture of this name lies in ``store``."""
    return store / name[:2] / name


def store_content(content: bytes, store: Path, ending: str) -> str:
    """Put bytes that are known to be a picture into ``store``; its name there. Raises OSError."""
    name = f"{hashlib.sha256(content).hexdigest()}.{ending}"
    target = image_place(store, name)
    if not target.is_file():
        _write(content, target)
    return name


def _content(path: Path) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise ImageFault("image_missing")
        if status.st_size > MAX_BYTES:
            raise ImageFault("image_too_large")
        return path.read_bytes()
    except OSError as error:
        raise ImageFault("image_missing") from error


def _opened(content: bytes) -> Image.Image:
    """The picture with its header read and its size found bearable."""
    try:
        picture = Image.open(BytesIO(content), formats=tuple(ENDINGS))
    except Image.DecompressionBombError as error:
        raise ImageFault("image_too_large") from error
    except UnidentifiedImageError as error:
        raise ImageFault("image_unknown") from error
    except (OSError, *_BROKEN) as error:
        raise ImageFault("image_broken") from error
    if picture.width * picture.height > MAX_PIXELS:
        raise ImageFault("image_too_large")
    return picture


def _decode(picture: Image.Image) -> None:
    try:
        picture.load()
    except Image.DecompressionBombError as error:
        raise ImageFault("image_too_large") from error
    except (OSError, *_BROKEN) as error:
        raise ImageFault("image_broken") from error


def _write(content: bytes, target: Path) -> None:
    """Aside, then renamed: a name in the store never stands for half a picture."""
    if not target.parent.is_dir():
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = target.with_name(f".{target.stem}.{uuid.uuid4().hex[:8]}")
    try:
        aside.write_bytes(content)
        aside.replace(target)
    finally:
        aside.unlink(missing_ok=True)


def settle() -> None:
    """Put what was stored on the disk; to be called before a dataset that names it is published."""
    if hasattr(os, "sync"):
        os.sync()
