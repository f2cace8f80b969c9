"""The store of pictures that all datasets share: each once, under the hash of its bytes, if it can be shown at all."""

from __future__ import annotations

import warnings
from io import BytesIO
from pathlib import Path
from typing import Final

from PIL import Image, UnidentifiedImageError

from studio.ingest.dataset.file_store import FileFault as ImageFault
from studio.ingest.dataset.file_store import FileStore, content_of, name_of, named_place

IMAGES_FOLDER: Final = "images"  # beside the datasets
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


def store_image(path: Path, store: FileStore) -> str:
    """Take the picture into ``store``; its name there, ``<sha256>.<ending>``.

    The whole picture is decoded to prove that it can be; what is stored is the file's bytes, unchanged: a CMYK JPEG
    stays one, and an EXIF rotation stays a note for whoever shows it. The ending is by content, not by name.
    Raises ImageFault (image_missing, image_too_large, image_unknown, image_broken) and OSError of the store.
    """
    content = content_of(path, "image")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of oddities in metadata; bombs are stopped by MAX_PIXELS
        with _opened(content) as picture:
            ending = ENDINGS["JPEG" if picture.format == _SEVERAL else picture.format or ""]
            name = name_of(content, ending)
            if store.holds(content, name):
                return name
            _decode(picture)
    store.keep(content, name)
    return name


def image_place(store: Path, name: str) -> Path:
    """Where the picture of this name lies in ``store``."""
    return named_place(store, name)


def store_content(content: bytes, store: FileStore, ending: str) -> str:
    """Put bytes that are known to be a picture into ``store``; its name there. Raises OSError."""
    name = name_of(content, ending)
    if not store.place(name).is_file():
        store.keep(content, name)
    return name


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
