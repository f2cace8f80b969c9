"""Comparing versions: counts and pages agree with what a plain dictionary says."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.domain.datasets import DiffKind
from studio.domain.shapes import Shape
from studio.errors import StudioError
from studio.ingest.dataset import canonical
from studio.ingest.versions import compare as compare_module
from studio.ingest.versions.compare import compare
from tests.helpers.examples import examples
from tests.unit.ingest.versions.helpers import make_dataset

VERSION = st.dictionaries(
    st.integers(1, 60),
    st.tuples(st.sampled_from(["a", "b", "a "]), st.sampled_from(["train", "test"])),
    min_size=1,
)


@settings(max_examples=examples(60), deadline=None)
@given(older=VERSION, newer=VERSION, shuffled=st.booleans())
def test_as_a_dictionary_says(
    older: dict[int, tuple[str, str]], newer: dict[int, tuple[str, str]], shuffled: bool
) -> None:
    both = older.keys() & newer.keys()
    with tempfile.TemporaryDirectory() as place, pytest.MonkeyPatch.context() as patch:
        patch.setattr(compare_module, "_RANGE_ROWS", 7)
        patch.setattr(canonical, "ROW_GROUP_ROWS", 5)
        for name, version in (("old", older), ("new", newer)):
            numbers = sorted(version, reverse=shuffled and name == "new")
            make_dataset(
                Path(place) / name, Shape.TEXT, [(version[n][0],) for n in numbers],
                splits=[version[n][1] for n in numbers], numbers=numbers,
            )  # fmt: skip
        whole = compare(Path(place) / "old", Path(place) / "new", 0, 1000)
        pages = [
            compare(Path(place) / "old", Path(place) / "new", at, 4)
            for at in range(0, len(whole.rows) + 1, 4)
        ]
        of_kind = {
            kind: compare(Path(place) / "old", Path(place) / "new", 0, 1000, only=kind) for kind in DiffKind
        }
    assert sorted(row.row for some in of_kind.values() for row in some.rows) == [
        row.row for row in whole.rows
    ]
    for kind, some in of_kind.items():
        assert len(some.rows) == getattr(some, kind) == getattr(whole, kind)
    assert whole.added == len(newer.keys() - older.keys())
    assert whole.removed == len(older.keys() - newer.keys())
    assert whole.changed == sum(older[n][0] != newer[n][0] for n in both)
    assert whole.moved == sum(older[n][0] == newer[n][0] and older[n][1] != newer[n][1] for n in both)
    expected = sorted(n for n in older.keys() | newer.keys() if older.get(n) != newer.get(n))
    assert [change.row for change in whole.rows] == expected
    for change in whole.rows:
        for side, version in ((change.before, older), (change.after, newer)):
            cells = version.get(change.row)
            assert side == (None if cells is None else {"text": cells[0], "split": cells[1]})
    assert [change for page in pages for change in page.rows] == whole.rows
    assert {(page.added, page.removed, page.changed, page.moved) for page in pages} == {
        (whole.added, whole.removed, whole.changed, whole.moved)
    }


def test_shapes_must_be_the_same(tmp_path: Path) -> None:
    make_dataset(tmp_path / "old", Shape.TEXT, [("a",)])
    make_dataset(tmp_path / "new", Shape.TEXT_LABEL, [("a", "b")])
    with pytest.raises(StudioError):
        compare(tmp_path / "old", tmp_path / "new", 0, 10)


def test_damage_is_named(tmp_path: Path) -> None:
    make_dataset(tmp_path / "old", Shape.TEXT, [("a",)])
    make_dataset(tmp_path / "new", Shape.TEXT, [("b",)])
    (tmp_path / "new" / "rows.parquet").write_bytes(b"x")
    with pytest.raises(StudioError) as caught:
        compare(tmp_path / "old", tmp_path / "new", 0, 10)
    assert caught.value.code == "import.broken"
