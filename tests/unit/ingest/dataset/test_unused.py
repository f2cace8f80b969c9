"""Files that a failed, cancelled or killed job stored are removed; what anybody needs stays."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from studio.domain.datasets import ImportSpec
from studio.errors import StudioError
from studio.ingest.dataset import unused
from studio.ingest.dataset.images import store_content
from studio.ingest.importer import Importer
from studio.services.children import JobCancelled
from tests.unit.ingest.helpers import run_import


def picture(number: int) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 6), (number, 2 * number, 99)).save(file, "PNG")
    return file.getvalue()


def pets(folder: Path, numbers: range) -> Path:
    for number in numbers:
        place = folder / ("cat" if number % 2 else "dog") / f"{number}.png"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(picture(number))
    return folder


def in_store(sets: Path) -> set[str]:
    return {path.name for path in (sets / "images").rglob("*") if path.is_file()}


def named(out: Path) -> set[str]:
    return set(pl.read_parquet(out / "rows.parquet")["image"])


def cancelled(source: Path, out: Path, *, after: int) -> None:
    """An import that is cancelled once so many files are in the store."""

    def check() -> None:
        if len(in_store(out.parent)) >= after:
            raise JobCancelled

    spec = ImportSpec(source=str(source))
    with pytest.raises(JobCancelled):
        Importer(spec, out, lambda _event: None, check).run("x")


@pytest.fixture
def other() -> Iterator[subprocess.Popen[bytes]]:
    """Another process that lives for now."""
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.communicate()


def test_a_cancelled_import_leaves_no_pictures_but_those_of_others(tmp_path: Path) -> None:
    sets = tmp_path / "sets"
    run_import(pets(tmp_path / "first", range(20)), sets / "first")
    kept = in_store(sets)
    assert kept == named(sets / "first")
    cancelled(pets(tmp_path / "second", range(10, 200)), sets / "second", after=60)
    assert in_store(sets) == kept
    assert sorted(path.name for path in sets.iterdir()) == ["first", "images"]


def test_a_failed_import_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> None:
        assert len(in_store(tmp_path / "sets")) == 30
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("studio.ingest.importer.write_manifest", full)
    with pytest.raises(StudioError):
        run_import(pets(tmp_path / "pets", range(30)), tmp_path / "sets" / "out")
    assert in_store(tmp_path / "sets") == set()


def test_nothing_is_removed_while_another_process_stores(
    tmp_path: Path, other: subprocess.Popen[bytes]
) -> None:
    sets = tmp_path / "sets"
    (sets / f".storing-{other.pid}").parent.mkdir()
    (sets / f".storing-{other.pid}").touch()
    cancelled(pets(tmp_path / "pets", range(200)), sets / "out", after=60)
    left = in_store(sets)
    assert len(left) >= 60
    other.communicate()  # it ends without taking its note back, as when it is killed
    run_import(pets(tmp_path / "more", range(3)), sets / "more")
    assert in_store(sets) == named(sets / "more")
    assert sorted(path.name for path in sets.iterdir()) == ["images", "more"]


def test_whoever_stores_waits_for_the_remover(tmp_path: Path, other: subprocess.Popen[bytes]) -> None:
    remover = tmp_path / f".removing-{other.pid}"
    remover.touch()
    storing = threading.Thread(target=unused.note_storing, args=(tmp_path,))
    storing.start()
    patience = time.monotonic() + 10
    while not (tmp_path / f".storing-{os.getpid()}").exists() and time.monotonic() < patience:
        time.sleep(0.005)
    assert storing.is_alive()
    remover.unlink()
    storing.join(10)
    assert not storing.is_alive()


def test_a_dataset_that_cannot_be_read_may_need_all_of_them(tmp_path: Path) -> None:
    name = store_content(picture(1), tmp_path / "images", "png")
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "rows.parquet").write_bytes(b"PAR1 is how it begins, and that is all")
    assert not unused.remove_unused(tmp_path)
    assert in_store(tmp_path) == {name}
    (tmp_path / "broken" / "rows.parquet").unlink()
    assert unused.remove_unused(tmp_path)
    assert in_store(tmp_path) == set()
