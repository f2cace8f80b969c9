"""Recordings: a folder for each label, or a table beside them; the good ones in the store, the bad ones put aside."""

from __future__ import annotations

import hashlib
import io
import zipfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest
import soundfile

from studio.domain.datasets import Split
from studio.errors import StudioError
from studio.ingest.dataset.file_store import FileStore
from studio.ingest.dataset.recordings import ENDINGS, store_recording
from studio.ingest.dataset.rows import read_split
from studio.ingest.export.exporter import Exporter
from tests.faults import archives
from tests.unit.ingest.helpers import rejected, run_import
from tests.unit.ingest.sources.test_archives import preview_of


def recording(hertz: float, kind: str = "WAV", seconds: float = 0.2) -> bytes:
    wave = 0.5 * np.sin(2 * np.pi * hertz * np.arange(round(16_000 * seconds)) / 16_000)
    file = io.BytesIO()
    soundfile.write(file, wave, 16_000, format=kind)
    return file.getvalue()


LOW, MIDDLE, HIGH = recording(200), recording(600, "FLAC"), recording(2000, "OGG")


def stored(content: bytes, ending: str) -> str:
    return f"{hashlib.sha256(content).hexdigest()}.{ending}"


def label_folders(folder: Path) -> Path:
    for name, content in {
        "off/1.wav": LOW,
        "off/2.flac": MIDDLE,
        "on/1.ogg": HIGH,
        "on/cut.wav": LOW[: len(LOW) // 2],
        "on/nothing.wav": b"no recording at all",
        "on/same.wav": LOW,
        "on/picture.png": b"",
        "README.txt": b"About these recordings.",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def rows(out: Path) -> set[tuple[str, str]]:
    return set(pl.read_parquet(out / "rows.parquet").select("audio", "label").iter_rows())


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_for_each_label(packed: bool, tmp_path: Path) -> None:
    source = label_folders(tmp_path / "commands")
    if packed:
        files = {p.relative_to(source).as_posix(): p.read_bytes() for p in source.rglob("*") if p.is_file()}
        source = archives.archive(tmp_path / "commands.zip", files)
    preview = preview_of(source, tmp_path / "scratch")
    assert (preview.format, preview.shape, preview.columns) == (
        "recordings",
        "audio-label",
        ["audio", "label"],
    )
    assert preview.rows[0] == ["off/1.wav", "off"]
    assert [line.split(":")[0] for line in preview.skipped] == ["README.txt", "on/picture.png"]
    out = tmp_path / "sets" / "out"
    version = run_import(source, out)
    low, middle, high = stored(LOW, "wav"), stored(MIDDLE, "flac"), stored(HIGH, "ogg")
    assert rows(out) == {(low, "off"), (middle, "off"), (high, "on"), (low, "on")}
    assert version.labels == {"off": 2, "on": 2}
    store = tmp_path / "sets" / "audio"
    assert (store / low[:2] / low).read_bytes() == LOW
    assert [(item.row, item.code) for item in rejected(out, 0, 9)] == [
        (4, "audio_broken"),
        (5, "audio_unknown"),
    ]


def test_a_table_beside_the_recordings(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    (folder / "said").mkdir(parents=True)
    (folder / "said" / "1.wav").write_bytes(LOW)
    (tmp_path / "outside.wav").write_bytes(HIGH)
    (folder / "list.csv").write_text(
        "录音,标签\nsaid/1.wav,开\nsaid/2.wav,关\n../outside.wav,关\n,关\n", encoding="utf-8"
    )
    out = tmp_path / "sets" / "out"
    run_import(folder, out)
    assert rows(out) == {(stored(LOW, "wav"), "开")}
    assert [(item.row, item.code) for item in rejected(out, 0, 9)] == [
        (2, "audio_missing"),
        (3, "audio_outside"),
        (4, "missing_audio"),
    ]


def test_recordings_among_texts_are_named(tmp_path: Path) -> None:
    (tmp_path / "mixed").mkdir()
    (tmp_path / "mixed" / "a.csv").write_bytes(archives.GOOD["good.csv"])
    (tmp_path / "mixed" / "b.wav").write_bytes(LOW)
    preview = preview_of(tmp_path / "mixed", tmp_path / "scratch")
    assert preview.members == ["a.csv"]
    assert [line.split(":")[0] for line in preview.skipped] == ["b.wav"]


@pytest.mark.parametrize(("kind", "ending"), [item for item in ENDINGS.items() if item[0] != "WAVEX"])
def test_the_ending_is_by_content(kind: str, ending: str, tmp_path: Path) -> None:
    (tmp_path / "a.dat").write_bytes(recording(440, kind))
    assert store_recording(tmp_path / "a.dat", FileStore(tmp_path / "store")).endswith(f".{ending}")


def test_unlabelled_recordings_wait_for_a_label(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    (tmp_path / "plain" / "list.csv").write_text("audio\n1.wav\n2.wav\n")
    for name, content in (("1.wav", LOW), ("2.wav", recording(900))):
        (tmp_path / "plain" / name).write_bytes(content)
    out = tmp_path / "sets" / "out"
    run_import(tmp_path / "plain", out)
    assert [row for split in Split for row in read_split(out, split)] == []
    given = [row for split in Split for row in read_split(out, split, unlabelled=True)]
    assert sorted(row["audio"] for row in given) == sorted(
        [stored(LOW, "wav"), stored(recording(900), "wav")]
    )


def test_an_export_has_a_folder_for_each_label(tmp_path: Path) -> None:
    source = label_folders(tmp_path / "commands")
    out = tmp_path / "sets" / "out"
    run_import(source, out)
    Exporter(out, lambda _event: None, lambda: None).run("csv", tmp_path / "out.zip")
    with zipfile.ZipFile(tmp_path / "out.zip") as archive:
        assert archive.read(f"audio/on/{stored(HIGH, 'ogg')}") == HIGH
        assert f"audio/off/{stored(MIDDLE, 'flac')}" in archive.namelist()


def test_only_broken_recordings_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bad" / "on").mkdir(parents=True)
    (tmp_path / "bad" / "on" / "1.wav").write_bytes(LOW[:30])
    with pytest.raises(StudioError) as caught:
        run_import(tmp_path / "bad", tmp_path / "sets" / "out")
    assert caught.value.code == "import.no_rows"
