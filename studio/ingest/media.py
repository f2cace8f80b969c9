"""Pictures and recordings as arrays: the only decoding that training and answering do, and the drawing of pictures.

A name as it stands in a dataset is looked up in the workspace's stores; anything else is the path of a file. Formats
that a name may stand for, and how large it may be, are the same as for taking a file into a store.
"""

from __future__ import annotations

import math
import re
import warnings
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from studio.errors import StudioError
from studio.i18n import _

MAX_PIXELS: Final = 80_000_000
MAX_SOUND_S: Final = 600.0
FORMATS: Final = ("PNG", "JPEG", "GIF", "BMP", "WEBP", "TIFF")
_IN_STORE: Final = re.compile(r"([0-9a-f]{2})[0-9a-f]{62}\.[a-z0-9]{2,4}")
_GREY_MODES: Final = ("1", "L", "LA", "I", "F", "I;16", "I;16B", "I;16L")
_THUMB: Final = 64  # side at which colours are looked for
_COLOUR: Final = 8  # difference between red, green and blue that is more than noise of compression
_PAPER: Final = (255, 255, 255, 255)


class StoredMedia:
    """stores: the folder above the datasets, which holds ``images`` and ``audio``; None: only paths are read."""

    def __init__(self, stores: Path | None = None) -> None:
        self._stores = stores

    def picture(self, name: str, size: int, channels: int) -> NDArray[np.uint8]:
        """(size, size, channels): turned as its EXIF note says, on white where it is transparent, sides scaled
        each by itself, so that nothing is cut off. Raises StudioError input.missing, input.unreadable."""
        from PIL import Image

        mode = "L" if channels == 1 else "RGB"
        with _decoded(self._path(name, "images"), size) as picture:
            scaled = _flat(picture).convert(mode).resize((size, size), Image.Resampling.BILINEAR)
        return np.asarray(scaled, dtype=np.uint8).reshape(size, size, channels)

    def coloured(self, name: str) -> bool:
        """Whether a smaller copy has pixels whose red, green and blue differ by more than compression makes them."""
        with _decoded(self._path(name, "images"), _THUMB) as picture:
            if picture.mode in _GREY_MODES:
                return False
            small = _flat(picture).convert("RGB")
        small.thumbnail((_THUMB, _THUMB))
        pixels = np.asarray(small, dtype=np.int16)
        return bool(np.ptp(pixels, axis=2).max() > _COLOUR)

    def seconds(self, name: str) -> float:
        """By the file's header; nothing is decoded."""
        import soundfile

        path = self._path(name, "audio")
        try:
            return float(soundfile.info(str(path)).duration)
        except (soundfile.SoundFileError, OSError, RuntimeError) as error:
            raise _no_sound(path) from error

    def sound(self, name: str, rate: int) -> NDArray[np.float32]:
        """(T,): all channels averaged, resampled by a polyphase filter without aliasing."""
        path = self._path(name, "audio")
        samples, own_rate = _recording(path)
        mono = samples.mean(axis=1)
        if own_rate != rate:
            from scipy.signal import resample_poly  # half a second

            common = math.gcd(own_rate, rate)
            mono = resample_poly(mono, rate // common, own_rate // common)
        heard: NDArray[np.float32] = np.clip(mono, -1, 1).astype(np.float32)
        return heard

    def draw(self, pixels: NDArray[np.uint8], path: Path) -> None:
        """Written aside and renamed, so that nobody sees half a picture."""
        from PIL import Image

        aside = path.with_name(f".{path.name}.tmp")
        grey = pixels.shape[2] == 1
        Image.fromarray(pixels[:, :, 0] if grey else pixels).save(aside, format="PNG")
        aside.replace(path)

    def _path(self, name: str, store: str) -> Path:
        in_store = _IN_STORE.fullmatch(name)
        path = self._stores / store / in_store[1] / name if in_store and self._stores else Path(name)
        if not path.is_file():
            raise StudioError(
                "input.missing", _("The file {name} is not there.").format(name=name),
                _("Choose another file, or import the data again."),
            )  # fmt: skip
        return path


def _decoded(path: Path, size: int) -> Any:
    """The picture, decoded. Raises StudioError ``input.unreadable``."""
    from PIL import Image, ImageOps

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of oddities in metadata; bombs are stopped by MAX_PIXELS
            picture = Image.open(BytesIO(path.read_bytes()), formats=FORMATS)
            if picture.width * picture.height > MAX_PIXELS:
                raise ValueError(picture.size)
            if picture.format == "JPEG" and picture.mode in ("L", "RGB"):
                picture.draft(picture.mode, (size, size))  # decodes at a smaller scale where that is enough
            picture.load()
            return ImageOps.exif_transpose(picture)
    except Exception as error:  # decoders raise nearly anything on a damaged file
        raise StudioError(
            "input.unreadable", _("The picture {name} cannot be read.").format(name=path.name),
            _("Choose a PNG, JPEG, GIF, BMP, WebP or TIFF picture."),
        ) from error  # fmt: skip


def _flat(picture: Any) -> Any:
    """The picture on white paper, in 8 bits for each colour."""
    from PIL import Image

    if picture.mode.startswith("I;16") or picture.mode == "I":
        return Image.fromarray((np.asarray(picture, dtype=np.int64) >> 8).clip(0, 255).astype(np.uint8))
    if "transparency" in picture.info or picture.mode in ("LA", "PA", "RGBA", "La", "RGBa"):
        seen = picture.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", seen.size, _PAPER), seen)
    return picture


def _recording(path: Path) -> tuple[NDArray[np.float32], int]:
    """Samples (T, channels) and their rate. Raises StudioError ``input.unreadable``."""
    import soundfile

    try:
        with soundfile.SoundFile(path) as file:
            rate = int(file.samplerate)
            samples = file.read(int(MAX_SOUND_S * rate), dtype="float32", always_2d=True)
    except (soundfile.SoundFileError, OSError, RuntimeError, ValueError) as error:
        raise _no_sound(path) from error
    if not len(samples) or not np.isfinite(samples).all():
        raise _no_sound(path)
    return samples, rate


def _no_sound(path: Path) -> StudioError:
    return StudioError(
        "input.unreadable", _("The recording {name} cannot be read.").format(name=path.name),
        _("Choose a WAV, FLAC, OGG or MP3 recording."),
    )  # fmt: skip
