"""Pictures: a folder for each class, or a table beside them; the good ones in the store, the bad ones put aside."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

import polars as pl
import pytest
from PIL import Image

from studio.errors import StudioError
from tests.faults import archives
from tests.unit.ingest.helpers import rejected, run_import
from tests.unit.ingest.sources.test_archives import preview_of


def picture(colour: str, kind: str = "PNG") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (8, 6), colour).save(file, kind)
    return file.getvalue()


RED, GREEN, BLUE = picture("red"), picture("green"), picture("blue", "JPEG")


def class_folders(folder: Path) -> Path:
    for name, content in {
        "cat/1.png": RED,
        "cat/2.png": GREEN,
        "dog/1.jpg": BLUE,
        "dog/cut.jpg": BLUE[: len(BLUE) // 2],
        "dog/same.png": RED,
        "README.txt": b"About these pictures.",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)
    return folder


def rows(out: Path) -> set[tuple[str, str]]:
    return set(pl.read_parquet(out / "rows.parquet").select("image", "label").iter_rows())


def stored(content: bytes, ending: str) -> str:
    return f"{hashlib.sha256(content).hexdigest()}.{ending}"


@pytest.mark.parametrize("packed", [False, True])
def test_a_folder_for_each_class(packed: bool, tmp_path: Path) -> None:
    source = class_folders(tmp_path / "pets")
    if packed:
        files = {
            path.relative_to(source).as_posix(): path.read_bytes()
            for path in source.rglob("*")
            if path.is_file()
        }
        source = archives.archive(tmp_path / "pets.zip", files)
    preview = preview_of(source, tmp_path / "scratch")
    assert (preview.format, preview.shape, preview.columns) == ("images", "image-label", ["image", "label"])
    assert preview.rows[0] == ["cat/1.png", "cat"]
    assert [line.split(":")[0] for line in preview.skipped] == ["README.txt"]
    out = tmp_path / "sets" / "out"
    version = run_import(source, out)
    red, green, blue = stored(RED, "png"), stored(GREEN, "png"), stored(BLUE, "jpg")
    assert rows(out) == {(red, "cat"), (green, "cat"), (blue, "dog"), (red, "dog")}
    assert version.labels == {"cat": 2, "dog": 2}
    assert version.languages == {}
    store = tmp_path / "sets" / "images"
    assert (store / red[:2] / red).read_bytes() == RED
    (cut,) = rejected(out, 0, 9)
    assert (cut.row, cut.code, cut.excerpt) == (4, "image_broken", "dog/cut.jpg")
    assert (version.sources[0].format, version.sources[0].rows) == ("images", 4)


def test_a_text_beside_the_folders_does_not_stop_an_import_with_roles(tmp_path: Path) -> None:
    """The window sends the shape and the roles that its preview showed."""
    source = class_folders(tmp_path / "pets")
    shown = preview_of(source, tmp_path / "scratch")
    version = run_import(source, tmp_path / "sets" / "out", shape=shown.shape, roles=shown.roles)
    assert version.rows == 4
    assert rows(tmp_path / "sets" / "out") >= {(stored(RED, "png"), "cat"), (stored(BLUE, "jpg"), "dog")}


def test_the_hash_of_a_folder_changes_with_a_picture(tmp_path: Path) -> None:
    source = class_folders(tmp_path / "pets")
    first = run_import(source, tmp_path / "sets" / "a")
    again = run_import(source, tmp_path / "sets" / "b")
    (source / "cat" / "1.png").write_bytes(GREEN)
    changed = run_import(source, tmp_path / "sets" / "c")
    assert first.source_sha256 == again.source_sha256 != changed.source_sha256


def test_a_table_beside_the_pictures(tmp_path: Path) -> None:
    folder = tmp_path / "shop"
    (folder / "photos").mkdir(parents=True)
    (folder / "photos" / "1.png").write_bytes(RED)
    (folder / "photos" / "2.jpg").write_bytes(BLUE)
    (tmp_path / "outside.png").write_bytes(GREEN)
    (folder / "list.csv").write_text(
        "image,label\nphotos/1.png,shoe\nphotos\\2.jpg,hat\nphotos/3.png,hat\n../outside.png,hat\n"
        f"{tmp_path / 'outside.png'},hat\n,hat\n"
    )
    out = tmp_path / "sets" / "out"
    version = run_import(folder, out)
    assert rows(out) == {(stored(RED, "png"), "shoe"), (stored(BLUE, "jpg"), "hat")}
    assert [item.member for item in version.sources] == ["list.csv"]
    assert [(item.row, item.code) for item in rejected(out, 0, 9)] == [
        (3, "image_missing"),
        (4, "image_outside"),
        (5, "image_outside"),
        (6, "missing_image"),
    ]
    assert run_import(folder / "list.csv", tmp_path / "sets" / "alone").rows == 2


def test_pictures_among_texts_are_named(tmp_path: Path) -> None:
    (tmp_path / "mixed").mkdir()
    (tmp_path / "mixed" / "a.csv").write_bytes(archives.GOOD["good.csv"])
    (tmp_path / "mixed" / "logo.png").write_bytes(RED)
    preview = preview_of(tmp_path / "mixed", tmp_path / "scratch")
    assert preview.members == ["a.csv"]
    assert [line.split(":")[0] for line in preview.skipped] == ["logo.png"]


def test_only_broken_pictures_are_refused(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "1.png").write_bytes(RED[:20])
    with pytest.raises(StudioError) as caught:
        run_import(tmp_path / "bad", tmp_path / "sets" / "out")
    assert caught.value.code == "import.no_rows"
