"""Several files in one dataset: rows numbered through, each file's record kept, what does not fit named."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import polars as pl
import pytest

from studio.domain.datasets import DatasetVersion, ImportSpec
from studio.errors import StudioError
from studio.ingest.members import members_of
from studio.ingest.multi_source import examine
from tests.faults import archives
from tests.unit.ingest.helpers import pairs, rejected, run_import
from tests.unit.ingest.sources.test_archives import preview_of

CSV = b"question,answer\na,b\nonly\nc,d\n"
JSONL = b'{"question": "e", "answer": "f"}\nnonsense\n'
OTHER = b"name,age\nAnn,12\n"


def filled(folder: Path) -> Path:
    (folder / "deep" / "deeper").mkdir(parents=True)
    (folder / "1.csv").write_bytes(CSV)
    (folder / "deep" / "2.jsonl").write_bytes(JSONL)
    (folder / "deep" / "deeper" / "3.csv").write_bytes("question;answer\n问;答\n".encode("gb18030"))
    (folder / "people.csv").write_bytes(OTHER)
    (folder / ".secret.csv").write_bytes(CSV)
    (folder / "Thumbs.db").write_bytes(b"\0" * 100)
    return folder


def members(version: DatasetVersion) -> list[tuple[str, str, int, int, int]]:
    return [(s.member, s.format, s.first_row, s.rows, s.rejected) for s in version.sources]


EXPECTED = [
    ("1.csv", "csv", 1, 2, 1),
    ("deep/2.jsonl", "jsonl", 4, 1, 1),
    ("deep/deeper/3.csv", "csv", 6, 1, 0),
]
ROWS = [("a", "b"), ("c", "d"), ("e", "f"), ("问", "答")]


def test_a_folder(tmp_path: Path) -> None:
    version = run_import(filled(tmp_path / "data"), tmp_path / "sets" / "out")
    assert pairs(tmp_path / "sets" / "out") == ROWS
    assert pl.read_parquet(tmp_path / "sets" / "out" / "rows.parquet")["row"].sort().to_list() == [1, 3, 4, 6]
    assert members(version) == [EXPECTED[0], EXPECTED[1], EXPECTED[2]]
    assert [source.encoding for source in version.sources] == ["utf-8", "utf-8", "gb18030"]
    assert version.sources[0].sha256 == version.source_sha256 == hashlib.sha256(CSV).hexdigest()
    assert version.source_bytes == sum(source.size_bytes for source in version.sources)
    assert (version.name, version.rows, version.rejected) == ("data", 4, 2)
    put_aside = [(item.member, item.row, item.code) for item in rejected(tmp_path / "sets" / "out", 0, 9)]
    assert put_aside == [("1.csv", 2, "missing_response"), ("deep/2.jsonl", 2, "broken_json")]


def test_a_file_that_is_left_out_is_named_without_its_path(tmp_path: Path) -> None:
    content = {
        "good.csv": CSV,
        "in/broken.xlsx": b"PK\x03\x04 no workbook",
        "in/broken.pdf": b"%PDF-1.7 cut off",
    }
    source = archives.archive(tmp_path / "data.zip", content)
    skipped = preview_of(source, tmp_path / "scratch").skipped
    assert {name.split(": ")[0] for name in skipped} == {"in/broken.xlsx", "in/broken.pdf"}
    assert not [words for words in skipped if str(tmp_path) in words or "/scratch" in words]


def test_the_same_from_an_archive(tmp_path: Path) -> None:
    folder = filled(tmp_path / "data")
    files = [path for path in folder.rglob("*") if path.is_file()]
    source = archives.archive(
        tmp_path / "data.zip", {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    )
    version = run_import(source, tmp_path / "sets" / "out")
    assert pairs(tmp_path / "sets" / "out") == ROWS
    assert members(version) == EXPECTED
    assert {item.path for item in version.sources} == {str(source)}
    assert [path.name for path in (tmp_path / "sets").iterdir()] == ["out"]
    assert not (tmp_path / "sets" / "out" / "unpacked").exists()


def test_what_does_not_fit_is_named_in_the_preview(tmp_path: Path) -> None:
    preview = preview_of(filled(tmp_path / "data"), tmp_path / "scratch")
    assert preview.members == [name for name, *_rest in EXPECTED]
    reasons = dict(line.split(": ", 1) for line in preview.skipped)
    assert set(reasons) == {"people.csv", ".secret.csv", "Thumbs.db"}
    assert "question" in reasons["people.csv"] or "answer" in reasons["people.csv"]
    assert "hidden" in reasons[".secret.csv"]
    assert not (tmp_path / "scratch").exists()


def test_more_sources_of_every_kind(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes(CSV)
    archives.archive(tmp_path / "b.zip", {"b.jsonl": JSONL})
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "c.csv").write_bytes(b"question,answer\ng,h\n")
    more = (str(tmp_path / "b.zip"), str(tmp_path / "c"))
    version = run_import(tmp_path / "a.csv", tmp_path / "sets" / "out", more_sources=more)
    assert pairs(tmp_path / "sets" / "out") == [("a", "b"), ("c", "d"), ("e", "f"), ("g", "h")]
    assert [item.member for item in version.sources] == ["", "b.jsonl", "c.csv"]
    labels = [item.member for item in rejected(tmp_path / "sets" / "out", 0, 9)]
    assert labels == ["a.csv", "b.zip/b.jsonl"]


def test_chosen_roles_decide_what_fits(tmp_path: Path) -> None:
    version = run_import(
        filled(tmp_path / "data"), tmp_path / "sets" / "out", roles={"name": "text", "age": "label"}
    )
    assert [item.member for item in version.sources] == ["people.csv"]


def other_names(folder: Path) -> Path:
    """The same kind of rows under three headings, and a table of something else."""
    folder.mkdir()
    (folder / "1.csv").write_text("question,answer\n" + "Where is it?,On its way.\n" * 3, encoding="utf-8")
    (folder / "2.tsv").write_text("问题\t回答\n在哪里？\t在路上。\n", encoding="utf-8")
    (folder / "3.json").write_text(
        '[{"instruction": "How?", "input": "", "output": "So."}]', encoding="utf-8"
    )
    (folder / "4.csv").write_text("name,age\nAnn,12\n", encoding="utf-8")
    return folder


def test_columns_with_other_names_are_read_by_them(tmp_path: Path) -> None:
    source = other_names(tmp_path / "data")
    preview = preview_of(source, tmp_path / "scratch")
    assert preview.columns == ["question", "answer"]
    assert [name.split(" (")[0] for name in preview.members] == ["1.csv", "2.tsv", "3.json"]
    assert "问题 → Question" in preview.members[1]
    assert [line.split(":")[0] for line in preview.skipped] == ["4.csv"]
    version = run_import(source, tmp_path / "sets" / "out", roles=preview.roles)
    assert pairs(tmp_path / "sets" / "out")[3:] == [("在哪里？", "在路上。"), ("How?", "So.")]
    assert [set(item.roles) for item in version.sources] == [
        set(),
        {"问题", "回答"},
        {"instruction", "input", "output"},
    ]


def test_a_role_that_was_changed_is_not_guessed_back(tmp_path: Path) -> None:
    """ "question" is the answer here, and so in every file that has such a column."""
    source = other_names(tmp_path / "data")
    (source / "5.csv").write_text("question,reply\nWhy?,Because.\n", encoding="utf-8")
    version = run_import(
        source, tmp_path / "sets" / "out", roles={"answer": "prompt", "question": "response"}
    )
    assert [item.member for item in version.sources] == ["1.csv", "2.tsv", "3.json"]


def test_a_file_with_its_own_names_may_come_first(tmp_path: Path) -> None:
    source = other_names(tmp_path / "data")
    (source / "0.tsv").write_text("问题\t回答\n几点？\t三点。\n", encoding="utf-8")
    preview = preview_of(source, tmp_path / "scratch")
    assert preview.rows[0] == ["Where is it?", "On its way."]
    version = run_import(source, tmp_path / "sets" / "out")
    assert [item.member for item in version.sources] == ["1.csv", "0.tsv", "2.tsv", "3.json"]
    assert version.rows == 6


def test_notes_beside_a_large_table_are_left_out(tmp_path: Path) -> None:
    """As many kinds of text as tables, and more: what most of the bytes are is what is meant."""
    rows = "question,answer\n" + "".join(f"question {i},{'answer ' * 30}{i}\n" for i in range(2000))
    notes = {"LICENSE.md": b"# Licence\n\nFree.\n", "README.md": b"# Notes\n\nSome.\n", "a.txt": b"one\n"}
    files = {"data.csv": rows.encode(), **notes}
    folder = tmp_path / "data"
    folder.mkdir()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    packed = archives.archive(tmp_path / "data.zip", files)
    for source in (folder, packed):
        assert preview_of(source, tmp_path / "scratch").members == ["data.csv"]
        assert run_import(source, tmp_path / "sets" / source.suffix.lstrip(".") / "out").rows == 2000


def test_of_several_files_the_first_tells_what_is_meant(tmp_path: Path) -> None:
    """A document is larger than a table with as many words, and was taken for what is meant."""
    (tmp_path / "a.csv").write_bytes(b"question,answer\na,b\n")
    (tmp_path / "b.tsv").write_bytes(b"user\titem\trating\nann\ttea\t5\n" * 9)
    (tmp_path / "c.md").write_text("Some words.\n\n" * 900)
    spec = ImportSpec(
        source=str(tmp_path / "a.csv"), more_sources=(str(tmp_path / "b.tsv"), str(tmp_path / "c.md"))
    )
    with members_of(spec, tmp_path / "scratch", lambda: None) as found:
        preview = examine(spec, found, preview=True).preview()
    assert (preview.format, preview.members) == ("csv", ["a.csv"])
    assert [line.split(":")[0] for line in preview.skipped] == ["b.tsv", "c.md"]


def test_a_folder_of_texts(tmp_path: Path) -> None:
    folder = tmp_path / "texts"
    folder.mkdir()
    (folder / "a.txt").write_text("one\ntwo\n")
    (folder / "b.txt").write_text("三\n", encoding="utf-8")
    version = run_import(folder, tmp_path / "sets" / "out")
    assert (version.shape, version.rows) == ("text", 3)
    assert [item.first_row for item in version.sources] == [1, 3]


def test_nothing_to_read_is_said_with_an_example(tmp_path: Path) -> None:
    folder = tmp_path / "empty"
    folder.mkdir()
    (folder / "x.bin").write_bytes(bytes(range(256)) * 20)
    with pytest.raises(StudioError) as caught:
        run_import(folder, tmp_path / "sets" / "out")
    assert caught.value.code == "import.no_files"
    assert "x.bin" in caught.value.message


def test_a_long_member_of_an_archive_is_previewed_by_its_beginning(tmp_path: Path) -> None:
    lines = "".join(json.dumps({"question": f"q{i}", "answer": "a" * 50}) + "\n" for i in range(40_000))
    source = archives.archive(tmp_path / "long.zip", {"long.jsonl": lines.encode()})
    preview = preview_of(source, tmp_path / "scratch")
    assert len(preview.rows) == 50
    assert run_import(source, tmp_path / "sets" / "out").rows == 40_000
