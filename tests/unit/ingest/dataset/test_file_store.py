"""Files of a job that fails, is cancelled or is killed are in no store; those of one that ends are, all of them."""

from __future__ import annotations

import io
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from PIL import Image

from studio.domain.datasets import ImportSpec
from studio.domain.recipes import AugmentStep, ImageOperator, ReplaceStep
from studio.errors import StudioError
from studio.ingest.dataset import file_store
from studio.ingest.dataset.file_store import FileStore, name_of
from studio.ingest.importer import Importer
from studio.ingest.versions.derive import Deriver
from studio.services.children import JobCancelled
from tests.process.test_import_worker import end, launch
from tests.unit.ingest.helpers import run_import


def picture(number: int) -> bytes:
    file = io.BytesIO()
    image = Image.new("RGB", (8, 6), (number % 256, number // 256, 99))
    image.putpixel((1, 1), (255, 255, 255))
    image.save(file, "PNG")
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


def aside(sets: Path) -> list[Path]:
    return list(sets.glob(".tmp-*/.new-files/*/*.png"))


def cancels(sets: Path, after: int) -> Callable[[], None]:
    """A check that cancels the job once so many files lie aside."""

    def check() -> None:
        if len(aside(sets)) >= after:
            raise JobCancelled

    return check


def names_in(sets: Path) -> list[str]:
    return sorted(path.name for path in sets.iterdir())


def test_all_files_of_an_import_are_in_the_store(tmp_path: Path) -> None:
    sets = tmp_path / "sets"
    run_import(pets(tmp_path / "pets", range(20)), sets / "first")
    run_import(pets(tmp_path / "more", range(10, 30)), sets / "second")
    assert in_store(sets) == named(sets / "first") | named(sets / "second")
    assert names_in(sets) == ["first", "images", "second"]
    assert not list(sets.glob("*/.new-files"))


def test_a_cancelled_import_leaves_those_of_others_only(tmp_path: Path) -> None:
    sets = tmp_path / "sets"
    run_import(pets(tmp_path / "first", range(20)), sets / "first")
    source = pets(tmp_path / "second", range(10, 200))
    job = Importer(ImportSpec(source=str(source)), sets / "second", lambda _event: None, cancels(sets, 60))
    with pytest.raises(JobCancelled):
        job.run("x")
    assert in_store(sets) == named(sets / "first")
    assert names_in(sets) == ["first", "images"]


def test_a_failed_import_leaves_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_args: object) -> None:
        assert len(aside(tmp_path / "sets")) == 30
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("studio.ingest.importer.write_manifest", full)
    with pytest.raises(StudioError):
        run_import(pets(tmp_path / "pets", range(30)), tmp_path / "sets" / "out")
    assert in_store(tmp_path / "sets") == set()


def test_what_a_killed_import_took_is_gone_with_the_next(tmp_path: Path) -> None:
    sets = tmp_path / "sets"
    source = pets(tmp_path / "pets", range(1500))
    spec = {"source": str(source)}
    child = launch("import", {"spec": spec, "out_dir": str(sets / "first"), "dataset_id": "first"})
    try:
        while child.poll() is None and not aside(sets):
            time.sleep(0.001)
        child.send_signal(signal.SIGSTOP)
        assert aside(sets)
        child.send_signal(signal.SIGKILL)
        assert child.wait(60) == -signal.SIGKILL
    finally:
        end(child)
    assert aside(sets)
    assert in_store(sets) == set()
    run_import(pets(tmp_path / "more", range(3)), sets / "more")
    assert in_store(sets) == named(sets / "more")
    assert names_in(sets) == ["images", "more"]


@pytest.mark.parametrize("made_by", ["import", "derive"])
def test_files_are_on_the_disk_before_they_are_in_the_store_and_there_before_the_dataset(
    made_by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sets = tmp_path / "sets"
    source = pets(tmp_path / "pets", range(8))
    if made_by == "derive":
        run_import(source, sets / "v1")
    acts: list[str] = []

    def watch(owner: Any, name: str, told: str) -> None:
        own = getattr(owner, name)
        monkeypatch.setattr(owner, name, lambda *given: acts.append(told) or own(*given))

    watch(os, "sync", "disk")
    watch(FileStore, "land", "store")
    watch(os, "rename", "dataset")
    synced: list[Path] = []
    own_sync = file_store.sync
    monkeypatch.setattr(file_store, "sync", lambda path: synced.append(path) or own_sync(path))
    if made_by == "derive":
        derivation(sets).run("v2", [TURNED])
    else:
        run_import(source, sets / "v1")
    assert acts == ["disk", "store", "dataset"]
    assert sets / "images" in synced
    assert {path.parent for path in synced if path != sets / "images"} == {sets / "images"}


def derivation(sets: Path, check: Callable[[], None] = lambda: None) -> Deriver:
    return Deriver(sets / "v1", sets / "v2", lambda _event: None, check)


TURNED = AugmentStep(image=(ImageOperator.ROTATE,), copies=3)


def test_changed_copies_are_in_the_store_once_their_version_is(tmp_path: Path) -> None:
    sets = tmp_path / "sets"
    run_import(pets(tmp_path / "pets", range(40)), sets / "v1")
    job = Deriver(sets / "v1", sets / "v2", lambda _event: None, cancels(sets, 5))
    before = in_store(sets)
    with pytest.raises(JobCancelled):
        job.run("v2", [TURNED])
    assert in_store(sets) == before
    # The second step looks whether each picture is there, also those that were made a moment ago.
    derivation(sets).run("v2", [TURNED, ReplaceStep(find="cat", replacement="tiger", columns=("label",))])
    assert in_store(sets) == named(sets / "v2") > before


def test_a_file_that_was_damaged_in_the_store_is_mended(tmp_path: Path) -> None:
    name = name_of(b"whole", "png")
    FileStore(tmp_path / "store").keep(b"who", name)
    job = FileStore(tmp_path / "store", tmp_path / "job" / "aside")
    assert not job.holds(b"whole", name)
    job.keep(b"whole", name)
    assert job.holds(b"whole", name)
    assert not FileStore(tmp_path / "store").holds(b"whole", name)
    job.settle()
    job.land()
    assert FileStore(tmp_path / "store").holds(b"whole", name)
    assert list((tmp_path / "job").iterdir()) == []
