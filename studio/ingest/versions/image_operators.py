"""Small changes of a picture, each by a seeded random generator; the new picture is stored by its content.

strength: share of the picture that is touched. What a picture shows is not understood: flipping turns text into mirror
writing, and a class that is told by colour or direction suffers from the operator that changes it.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from random import Random
from typing import Final

from PIL import Image, ImageEnhance, ImageOps

from studio.domain.recipes import ImageOperator
from studio.ingest.dataset.file_store import FileStore
from studio.ingest.dataset.images import ENDINGS, store_content


def crop(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    """A part of the picture is cut off at the edges, up to ``strength`` of each side, and the rest is enlarged."""
    width, height = image.size
    kept = (max(1, round(width * (1 - strength))), max(1, round(height * (1 - strength))))
    left, top = rng.randint(0, width - kept[0]), rng.randint(0, height - kept[1])
    return image.crop((left, top, left + kept[0], top + kept[1])).resize(image.size, Image.Resampling.BICUBIC)


def flip(image: Image.Image, _strength: float, _rng: Random) -> Image.Image:
    """Left and right change places."""
    return ImageOps.mirror(image)


def rotate(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    """Turned by up to ``strength`` of a quarter turn either way; the corners take the colour of the middle."""
    angle = rng.uniform(0.2, 1.0) * rng.choice((-1, 1)) * 90 * strength
    middle = image.resize((1, 1), Image.Resampling.BOX).getpixel((0, 0))
    return image.rotate(angle, Image.Resampling.BICUBIC, fillcolor=middle)


def colour(image: Image.Image, strength: float, rng: Random) -> Image.Image:
    """Brightness, contrast and saturation change by up to ``strength`` each."""
    for enhance in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
        image = enhance(image).enhance(1 + rng.choice((-1, 1)) * rng.uniform(0.3, 1.0) * strength)
    return image


OPERATORS: Final[dict[ImageOperator, Callable[[Image.Image, float, Random], Image.Image]]] = {
    ImageOperator.CROP: crop,
    ImageOperator.FLIP: flip,
    ImageOperator.ROTATE: rotate,
    ImageOperator.COLOUR: colour,
}


def changed_image(
    images: FileStore, name: str, operators: Sequence[ImageOperator], strength: float, rng: Random
) -> str:
    """The name of a changed copy of the picture, which is put into the store. Raises OSError."""
    with Image.open(images.place(name)) as opened:
        form = "JPEG" if opened.format == "JPEG" else "PNG"
        mode = "RGBA" if form == "PNG" and _has_alpha(opened) else "RGB"
        image = OPERATORS[rng.choice(list(operators))](opened.convert(mode), strength, rng)
    stream = io.BytesIO()
    image.save(stream, form, **({"quality": 92} if form == "JPEG" else {}))
    return store_content(stream.getvalue(), images, ENDINGS[form])


def _has_alpha(image: Image.Image) -> bool:
    return "transparency" in image.info or "A" in image.getbands()
