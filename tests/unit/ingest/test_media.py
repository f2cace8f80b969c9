"""Pictures and recordings become the arrays that they are: turned, flattened, resampled; bad files are refused."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pytest
import soundfile
from PIL import Image

from studio.errors import StudioError
from studio.ingest.dataset.file_store import FileStore
from studio.ingest.dataset.images import store_image
from studio.ingest.dataset.recordings import store_recording
from studio.ingest.media import StoredMedia
from tests.faults import images

MEDIA = StoredMedia()


def test_a_grey_picture_at_its_own_size_is_unchanged(tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (28, 28), dtype=np.uint8)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    assert np.array_equal(MEDIA.picture(str(tmp_path / "a.png"), 28, 1)[:, :, 0], pixels)
    assert not MEDIA.coloured(str(tmp_path / "a.png"))


def test_it_is_turned_as_its_note_says_and_scaled_whole(tmp_path: Path) -> None:
    picture = Image.new("RGB", (40, 20), "white")
    picture.paste((255, 0, 0), (0, 0, 20, 20))  # the left half is red
    note = picture.getexif()
    note[0x0112] = 6  # to be shown turned by a quarter, clockwise
    picture.save(tmp_path / "a.png", exif=note)
    seen = MEDIA.picture(str(tmp_path / "a.png"), 16, 3)
    assert seen[2, :, 1].max() == 0  # the upper half is red
    assert seen[13, :, 1].min() == 255
    assert MEDIA.coloured(str(tmp_path / "a.png"))


def test_what_is_transparent_is_white(tmp_path: Path) -> None:
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(tmp_path / "a.png")
    assert MEDIA.picture(str(tmp_path / "a.png"), 8, 3).min() == 255
    grey = Image.new("LA", (8, 8), (0, 0))
    grey.save(tmp_path / "b.png")
    assert MEDIA.picture(str(tmp_path / "b.png"), 8, 1).min() == 255


def test_sixteen_bits_become_eight(tmp_path: Path) -> None:
    Image.fromarray(np.full((8, 8), 0x8000, np.uint16)).save(tmp_path / "a.png")
    assert set(MEDIA.picture(str(tmp_path / "a.png"), 8, 1).ravel().tolist()) == {128}


def test_cmyk_and_grey_stored_as_colours(tmp_path: Path) -> None:
    assert MEDIA.picture(str(images.rotated_cmyk(tmp_path)), 8, 3).shape == (8, 8, 3)
    Image.new("L", (64, 64), 77).convert("RGB").save(tmp_path / "a.jpg")
    assert not MEDIA.coloured(str(tmp_path / "a.jpg"))


@pytest.mark.parametrize(("make", "code"), images.HOSTILE, ids=lambda value: getattr(value, "__name__", ""))
def test_hostile_pictures_are_refused(make: object, code: str, tmp_path: Path) -> None:
    path = make(tmp_path)  # type: ignore[operator]
    with pytest.raises(StudioError) as caught:
        MEDIA.picture(str(path), 16, 3)
    assert caught.value.code in ("input.unreadable", "input.missing")


def test_names_are_found_in_the_stores(tmp_path: Path) -> None:
    Image.new("L", (8, 8), 9).save(tmp_path / "a.png")
    soundfile.write(tmp_path / "a.wav", np.zeros(160), 16_000)
    picture = store_image(tmp_path / "a.png", FileStore(tmp_path / "sets" / "images"))
    sound = store_recording(tmp_path / "a.wav", FileStore(tmp_path / "sets" / "audio"))
    media = StoredMedia(tmp_path / "sets")
    assert media.picture(picture, 8, 1).max() == 9
    assert len(media.sound(sound, 16_000)) == 160
    for name in (f"{hashlib.sha256(b'').hexdigest()}.png", "../a.png", ""):
        with pytest.raises(StudioError) as caught:
            media.picture(name, 8, 1)
        assert caught.value.code == "input.missing"


@pytest.mark.parametrize(
    ("rate", "kind"), [(8_000, "WAV"), (22_050, "FLAC"), (44_100, "OGG"), (48_000, "WAV")]
)
def test_a_tone_keeps_its_height_and_length_at_another_rate(rate: int, kind: str, tmp_path: Path) -> None:
    times = np.arange(rate) / rate
    wave = 0.5 * np.sin(2 * np.pi * 440 * times)
    path = tmp_path / f"a.{kind.lower()}"
    soundfile.write(path, np.stack([wave, wave], axis=1), rate, format=kind)
    heard = MEDIA.sound(str(path), 16_000)
    assert heard.dtype == np.float32
    assert abs(len(heard) - 16_000) <= 1
    assert MEDIA.seconds(str(path)) == pytest.approx(1.0, abs=0.01)
    strength = np.abs(np.fft.rfft(heard[:16_000] * np.hanning(len(heard[:16_000]))))
    assert abs(int(strength.argmax()) - 440) <= 1
    assert np.abs(heard[2000:14_000]).max() == pytest.approx(0.5, abs=0.03)


def test_nothing_above_half_the_new_rate_is_folded_down(tmp_path: Path) -> None:
    times = np.arange(48_000) / 48_000
    soundfile.write(tmp_path / "a.wav", 0.5 * np.sin(2 * np.pi * 15_000 * times), 48_000)
    assert np.abs(MEDIA.sound(str(tmp_path / "a.wav"), 16_000)[500:-500]).max() < 0.01


def test_bad_recordings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.wav").write_bytes(b"no recording")
    soundfile.write(tmp_path / "b.wav", np.zeros(0), 16_000)
    for name in ("a.wav", "b.wav"):
        with pytest.raises(StudioError) as caught:
            MEDIA.sound(str(tmp_path / name), 16_000)
        assert caught.value.code == "input.unreadable"
    with pytest.raises(StudioError):
        MEDIA.seconds(str(tmp_path / "a.wav"))


def test_drawn_pixels_come_back(tmp_path: Path) -> None:
    for channels in (1, 3):
        pixels = np.random.default_rng(channels).integers(0, 256, (9, 9, channels), dtype=np.uint8)
        MEDIA.draw(pixels, tmp_path / "a.png")
        assert np.array_equal(MEDIA.picture(str(tmp_path / "a.png"), 9, channels), pixels)
    assert [path.name for path in tmp_path.iterdir()] == ["a.png"]
