"""The store of pictures: each once, its bytes unchanged, and none that cannot be shown."""

from __future__ import annotations

import hashlib
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from studio.ingest.dataset.file_store import FileStore
from studio.ingest.dataset.images import ENDINGS, ImageFault, store_image
from studio.ingest.readers.batches import reason
from tests.faults import images


@pytest.mark.parametrize(("make", "code"), images.HOSTILE, ids=lambda value: getattr(value, "__name__", ""))
def test_hostile_pictures_are_not_taken(make: Callable[[Path], Path], code: str, tmp_path: Path) -> None:
    path = make(tmp_path)
    tracemalloc.start()
    started = time.monotonic()
    with pytest.raises(ImageFault) as raised:
        store_image(path, FileStore(tmp_path / "store"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert raised.value.code == code
    assert reason(code)
    assert peak < 200 << 20
    assert time.monotonic() - started < 30
    assert not (tmp_path / "store").exists()


def test_a_missing_picture_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "gone.png", tmp_path):
        with pytest.raises(ImageFault) as raised:
            store_image(path, FileStore(tmp_path / "store"))
        assert raised.value.code == "image_missing"


def test_bytes_are_stored_unchanged_under_their_hash(tmp_path: Path) -> None:
    path = images.rotated_cmyk(tmp_path)
    name = store_image(path, FileStore(tmp_path / "store"))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    stored = tmp_path / "store" / digest[:2] / name
    assert name == f"{digest}.jpg"
    assert stored.read_bytes() == path.read_bytes()
    with Image.open(stored) as picture:
        assert (picture.mode, picture.getexif()[0x0112]) == ("CMYK", 6)


def test_the_ending_is_by_content_and_each_kind_is_known(tmp_path: Path) -> None:
    for number, (kind, ending) in enumerate(ENDINGS.items()):
        path = tmp_path / f"{kind}.dat"
        Image.new("RGB", (9, 9), (number, 0, 0)).save(path, format=kind)
        assert store_image(path, FileStore(tmp_path / "store")).endswith(f".{ending}")


def test_a_jpeg_with_a_second_picture_behind_is_a_jpeg(tmp_path: Path) -> None:
    path = tmp_path / "phone.jpg"
    first = Image.new("RGB", (9, 9))
    first.save(path, format="MPO", save_all=True, append_images=[Image.new("RGB", (4, 4))])
    assert store_image(path, FileStore(tmp_path / "store")).endswith(".jpg")


def test_the_same_picture_is_stored_once_and_half_a_picture_is_mended(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    Image.new("L", (9, 9)).save(path)
    name = store_image(path, FileStore(tmp_path / "store"))
    stored = tmp_path / "store" / name[:2] / name
    before = stored.stat().st_mtime_ns
    assert store_image(path, FileStore(tmp_path / "store")) == name
    assert stored.stat().st_mtime_ns == before
    stored.write_bytes(b"")
    store_image(path, FileStore(tmp_path / "store"))
    assert stored.read_bytes() == path.read_bytes()
    assert [p.name for p in stored.parent.iterdir()] == [name]
