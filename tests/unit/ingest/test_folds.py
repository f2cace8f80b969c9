"""K-fold by content: a partition, the same each time, with every label in every part and copies on one side."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.domain.datasets import Split
from studio.errors import StudioError
from studio.ingest.dataset.folds import parts
from studio.ingest.dataset.rows import read_fold, read_split
from studio.ingest.dataset.splits import key_expr

K = 4


def table(texts: list[str], labels: list[str | None], origins: list[str] | None = None) -> pl.DataFrame:
    frame = pl.DataFrame(
        {"row": range(1, len(texts) + 1), "text": texts, "label": labels},
        schema={"row": pl.Int64, "text": pl.String, "label": pl.String},
    )
    if origins is not None:
        frame = frame.with_columns(pl.Series("origin", origins))
    keyed = frame.with_columns(key_expr(frame, ["text"]))
    split = pl.when(pl.col("row") % 5 == 0).then(pl.lit("test")).when(pl.col("row") % 5 == 1)
    return keyed.with_columns(split.then(pl.lit("validation")).otherwise(pl.lit("train")).alias("split"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    texts = [f"text {n % 90}" for n in range(100)]  # ten of them twice
    labels = ["rare" if n % 90 % 9 == 0 else "usual" for n in range(100)]
    table(texts, labels).write_parquet(tmp_path / "rows.parquet")
    return tmp_path


def rows(folder: Path, split: Split, number: int) -> list[dict[str, object]]:
    return list(read_fold(folder, split, (number, K)))


def test_every_row_but_the_test_rows_is_checked_once(folder: Path) -> None:
    everything = [
        row["row"] for split in (Split.TRAIN, Split.VALIDATION) for row in read_split(folder, split)
    ]
    checked: list[object] = []
    for number in range(1, K + 1):
        validation = [row["row"] for row in rows(folder, Split.VALIDATION, number)]
        training = [row["row"] for row in rows(folder, Split.TRAIN, number)]
        assert sorted(training + validation) == sorted(everything)
        assert validation == sorted(validation)
        assert training == sorted(training)
        checked += validation
    assert sorted(checked) == sorted(everything)


def test_the_test_rows_stay_what_they_are(folder: Path) -> None:
    kept = list(read_split(folder, Split.TEST))
    assert kept
    assert all(rows(folder, Split.TEST, number) == kept for number in (1, K))


def test_rows_are_told_as_ever(folder: Path) -> None:
    assert set(rows(folder, Split.TRAIN, 1)[0]) == {"row", "text", "label"}


def test_copies_are_on_one_side(folder: Path) -> None:
    for number in range(1, K + 1):
        training, validation = (
            {row["text"] for row in rows(folder, split, number)} for split in (Split.TRAIN, Split.VALIDATION)
        )
        assert not training & validation


def test_each_part_has_its_share_of_each_label(folder: Path) -> None:
    counts = [
        Counter(row["label"] for row in rows(folder, Split.VALIDATION, number)) for number in range(1, K + 1)
    ]
    for label in ("rare", "usual"):
        found = [count[label] for count in counts]
        assert max(found) - min(found) <= 4, found  # one group each, of one or two rows, and the doubled ones
        assert min(found) >= 1


def test_the_parts_are_the_same_whatever_the_order_of_the_rows(folder: Path) -> None:
    frame = pl.read_parquet(folder / "rows.parquet")
    one = parts(frame.lazy(), K)
    other = parts(frame.sample(fraction=1.0, shuffle=True, seed=3).lazy(), K)
    assert dict(one.rows()) == dict(other.rows())


def test_equal_values_of_a_column_stay_together() -> None:
    frame = table([f"t{n}" for n in range(60)], [None] * 60)
    frame = frame.with_columns((pl.col("row") % 7).cast(pl.String).alias("who"))
    dealt = parts(frame.lazy(), 3, by="who").join(frame.select("row", "who"), on="row")
    assert dealt.group_by("who").agg(pl.col("part").n_unique())["part"].to_list() == [1] * 7
    assert dealt["part"].n_unique() == 3


def test_copies_made_by_a_step_take_no_part() -> None:
    origins = ["added", "resampled", "augmented", ""] * 5
    frame = table([f"t{n}" for n in range(20)], ["a"] * 20, origins)
    kept = parts(frame.lazy(), 2)["row"].to_list()
    assert kept == [n for n in range(1, 21) if origins[n - 1] in ("added", "")]


def test_rows_that_wait_for_a_label_are_left_out(tmp_path: Path) -> None:
    table([f"t{n}" for n in range(20)], ["a", None] * 10).write_parquet(tmp_path / "rows.parquet")
    found = list(read_fold(tmp_path, Split.TRAIN, (1, 2))) + list(
        read_fold(tmp_path, Split.VALIDATION, (1, 2))
    )
    assert {row["label"] for row in found} == {"a"}


def test_a_damaged_dataset_is_told(tmp_path: Path) -> None:
    (tmp_path / "rows.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(StudioError) as caught:
        list(read_fold(tmp_path, Split.TRAIN, (1, 2)))
    assert caught.value.code == "import.broken"


@settings(deadline=None)
@given(
    rows=st.lists(st.tuples(st.integers(0, 30), st.sampled_from(["a", "b", "c"])), min_size=8, max_size=80),
    k=st.integers(2, 6),
)
def test_parts_differ_by_one_group_at_most_and_so_does_each_label(
    rows: list[tuple[int, str]], k: int
) -> None:
    texts, labels = [f"{label} {n}" for n, label in rows], [label for _n, label in rows]
    frame = table(texts, list(labels))
    dealt = parts(frame.lazy(), k).join(frame.select("row", "key", "label"), on="row").unique("key")
    for label in (None, "a", "b", "c"):
        chosen = dealt if label is None else dealt.filter(pl.col("label") == label)
        counts = [chosen.filter(pl.col("part") == part).height for part in range(k)]
        assert max(counts) - min(counts) <= 1, (label, counts)
