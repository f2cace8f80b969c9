"""Archives and folders from strangers: nothing is written outside, nothing has no end, everything left out is named."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from studio.domain.datasets import ImportSpec, SourcePreview
from studio.errors import StudioError
from studio.ingest import unpacking
from studio.ingest.members import members_of
from studio.ingest.multi_source import examine
from tests.faults import archives
from tests.unit.ingest.helpers import pairs, run_import

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs links")


def preview_of(source: Path, scratch: Path, **fields: object) -> SourcePreview:
    spec = ImportSpec(source=str(source), **fields)  # type: ignore[arg-type]
    with members_of(spec, scratch, lambda: None, heads_only=True) as members:
        return examine(spec, members, preview=True).preview()


def everything_below(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def test_paths_that_lead_out_are_named_and_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "absolute.csv"
    source = archives.slipping(tmp_path / "evil.zip", target)
    preview = preview_of(source, tmp_path / "scratch")
    assert preview.members == ["good.csv"]
    assert len(preview.skipped) == 5
    assert all("leads out" in reason for reason in preview.skipped)
    run_import(source, tmp_path / "sets" / "out")
    assert pairs(tmp_path / "sets" / "out") == [("a", "b")]
    assert not target.exists()
    assert not [name for name in everything_below(tmp_path) if "slip" in name]


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    source = archives.with_link(tmp_path / "link.zip", outside)
    run_import(source, tmp_path / "sets" / "out", roles={"question": "prompt", "answer": "response"})
    assert list(outside.iterdir()) == []
    assert "door: " in preview_of(source, tmp_path / "scratch").skipped[0]


@pytest.mark.parametrize("make", [archives.bomb, archives.lying_bomb], ids=["honest", "lying"])
def test_a_bomb_is_refused_and_nothing_stays(make, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    source = make(tmp_path / "bomb.zip")
    with pytest.raises(StudioError) as caught:
        run_import(source, tmp_path / "sets" / "out")
    assert caught.value.code in ("import.too_large", "import.archive")
    assert "CRC" not in caught.value.message  # the words of a library, in no language of ours
    assert everything_below(tmp_path / "sets") == set()


def test_too_many_entries_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpacking, "MAX_ENTRIES", 50)
    with pytest.raises(StudioError) as caught:
        run_import(archives.many_entries(tmp_path / "many.zip", 51), tmp_path / "sets" / "out")
    assert caught.value.code == "import.too_large"


def test_archives_within_are_named(tmp_path: Path) -> None:
    preview = preview_of(archives.nested(tmp_path / "nested.zip"), tmp_path / "scratch")
    assert preview.members == ["good.csv"]
    assert [line.split(":")[0] for line in preview.skipped] == ["more.zip", "old.tar.gz"]
    assert all("unpack it first" in line for line in preview.skipped)


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04" + b"x" * 500, b"PK\x05\x06" + bytes(18)], ids=["cut", "empty"]
)
def test_a_damaged_or_empty_archive_is_refused(content: bytes, tmp_path: Path) -> None:
    source = tmp_path / "bad.zip"
    source.write_bytes(content)
    with pytest.raises(StudioError) as caught:
        run_import(source, tmp_path / "sets" / "out")
    assert caught.value.code in ("import.archive", "import.no_files")


def test_a_password_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudioError) as caught:
        run_import(archives.encrypted(tmp_path / "locked.zip"), tmp_path / "sets" / "out")
    assert caught.value.code == "import.archive"
    assert "password" in caught.value.message


def test_names_of_chinese_systems_are_read(tmp_path: Path) -> None:
    source = tmp_path / "gbk.zip"
    archives.archive(source, {"xxxx.csv": archives.GOOD["good.csv"]})
    source.write_bytes(source.read_bytes().replace(b"xxxx.csv", "问答".encode("gb18030") + b".csv"))
    assert preview_of(source, tmp_path / "scratch").members == ["问答.csv"]


@posix
def test_loops_of_links_end(tmp_path: Path) -> None:
    folder = archives.loop_folder(tmp_path / "loops")
    preview = preview_of(folder, tmp_path / "scratch")
    assert preview.members == ["a.csv", "sub/b.csv"]
    skipped = {line.split(":")[0] for line in preview.skipped}
    assert skipped == {"sub/up", "sub/self", "one", "two", "nowhere", "z_again.csv"}
    assert run_import(folder, tmp_path / "sets" / "out").rows == 2


@posix
def test_a_pipe_does_not_stop_anything(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.csv")
    with pytest.raises(StudioError) as caught:
        run_import(tmp_path / "pipe.csv", tmp_path / "sets" / "out")
    assert caught.value.code == "import.unreadable"
