"""Pages, rows by number and search agree with what stands in the file, in any order, with and without origin."""

from __future__ import annotations

import json
import random
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.domain.datasets import Split
from studio.domain.shapes import Shape
from studio.errors import StudioError
from studio.ingest.dataset import canonical
from studio.ingest.dataset.content import json_text
from studio.ingest.dataset.pages import ParquetPages
from tests.unit.ingest.versions.helpers import make_dataset, table


@settings(max_examples=40, deadline=None)
@given(
    numbers=st.lists(st.integers(1, 400), min_size=1, max_size=120, unique=True),
    asked=st.lists(st.integers(1, 400), max_size=30),
    with_origin=st.booleans(),
    offset=st.integers(0, 130),
    limit=st.integers(1, 40),
)
def test_as_it_stands_in_the_file(
    numbers: list[int], asked: list[int], with_origin: bool, offset: int, limit: int
) -> None:
    origins = ["added" if n % 2 else None for n in numbers] if with_origin else None
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        patch.setattr(canonical, "ROW_GROUP_ROWS", 16)
        folder = Path(place) / "v1"
        splits = [random.Random(n).choice(list(Split)).value for n in numbers]
        make_dataset(
            folder,
            Shape.TEXT,
            [(f"text {n}",) for n in numbers],
            numbers=numbers,
            splits=splits,
            origins=origins,
        )
        pages = ParquetPages(folder)
        assert pages.columns() == ["row", "split", *(["origin"] if with_origin else []), "text"]
        whole = pages.page(0, 1000)
        assert [int(row["row"]) for row in whole] == numbers
        assert pages.page(offset, limit) == whole[offset : offset + limit]
        for split in Split:
            own = [row for row in whole if row["split"] == split.value]
            assert pages.page(offset, limit, split) == own[offset : offset + limit]
            assert pages.count(split) == len(own)
        found = pages.rows(asked)
        assert [int(row["row"]) for row in found] == [number for number in asked if number in numbers]
        assert all(row in whole for row in found)
        hits = [n for n in numbers if "7" in str(n)]
        assert pages.find("TEXT") == numbers[:200]
        assert pages.find("7") == hits
        assert pages.find("7", ["text"], 2, 3) == hits[2:5]


def test_an_old_index_without_row_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(canonical, "ROW_GROUP_ROWS", 10)
    make_dataset(tmp_path / "v1", Shape.TEXT, [(f"t{i}",) for i in range(50)])
    index = json.loads((tmp_path / "v1" / "index.json").read_text())
    old = {
        "block_rows": 10,
        "blocks": [{s.value: block[s.value] for s in Split} for block in index["blocks"]],
    }
    (tmp_path / "v1" / "index.json").write_text(json.dumps(old))
    pages = ParquetPages(tmp_path / "v1")
    assert [row["text"] for row in pages.rows([44, 3])] == ["t43", "t2"]


def test_search_is_by_letter_and_inside_json(tmp_path: Path) -> None:
    talk = [{"role": "user", "content": 'say "hi"\n(now)'}, {"role": "assistant", "content": "ÄPFEL 苹果"}]
    make_dataset(tmp_path / "v1", Shape.MESSAGES, [(json_text(talk),), (json_text(talk[:1] * 2),)])
    pages = ParquetPages(tmp_path / "v1")
    for text, rows in (('"hi"\n(', [1, 2]), ("äpfel", [1]), ("苹果", [1]), (".", []), ("(now)", [1, 2])):
        assert pages.find(text) == rows, text
    make_dataset(tmp_path / "v2", Shape.PROMPT_RESPONSE, [(None, "a.c", "x"), ("A.C", "abc", "y")])
    assert ParquetPages(tmp_path / "v2").find("a.c") == [1, 2]
    assert ParquetPages(tmp_path / "v2").find("a.c", ["prompt"]) == [1]


def test_damage_is_named(tmp_path: Path) -> None:
    make_dataset(tmp_path / "v1", Shape.TEXT, [(f"text {i}",) for i in range(5000)])
    pages = ParquetPages(tmp_path / "v1")
    assert len(table(tmp_path / "v1")) == 5000
    file = tmp_path / "v1" / "rows.parquet"
    data = bytearray(file.read_bytes())
    data[4:2000] = b"\xff" * 1996
    file.write_bytes(data)
    with pytest.raises(StudioError) as caught:
        pages.find("text")
    assert caught.value.code == "import.broken"
