"""The statistics page: every figure against one counted by hand."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tokenizers import Tokenizer
from tokenizers.models import BPE, WordLevel
from tokenizers.pre_tokenizers import Whitespace

from studio.domain.shapes import Shape
from studio.domain.statistics import DatasetStatistics
from studio.ingest.dataset import measure as measure_module
from studio.ingest.dataset.content import json_text
from studio.ingest.dataset.file_store import FileStore
from studio.ingest.dataset.histograms import ValueCounts, histogram_of, nice_edges
from studio.ingest.dataset.images import store_content
from studio.ingest.dataset.measure import Measurer, keep
from studio.ingest.dataset.statistics import SMALL_ROWS
from tests.unit.ingest.versions.helpers import make_dataset


def measured(folder: Path, tokenizer: Path | None = None) -> DatasetStatistics:
    return Measurer(folder, tokenizer, lambda _event: None, lambda: None).run()


def test_labels_lengths_duplicates_examples(tmp_path: Path) -> None:
    rows = [("四个字啊", "a"), ("four words in here", "b"), ("four words in here ", "b"), ("x", None)]
    version = make_dataset(
        tmp_path / "v1", Shape.TEXT_LABEL, rows, splits=["train", "train", "test", "train"]
    )
    found = measured(tmp_path / "v1")
    assert (found.dataset_id, found.rows, found.estimated) == (version.id, 4, False)
    assert found.splits == {"train": 3, "validation": 0, "test": 1}
    assert found.labels == {"b": {"train": 1, "test": 1}, "": {"train": 1}, "a": {"train": 1}}
    assert found.duplicates == 1
    assert found.languages == {"zh": 0.25, "en": 0.75, "other": 0.0}
    lengths = found.lengths[0]
    assert (lengths.column, lengths.unit, lengths.longest) == ("text", "characters", 19)
    assert sum(lengths.counts) == 4
    assert [row["text"] for row in found.examples["train"]] == ["四个字啊", "four words in here", "x"]
    assert found.examples["validation"] == []
    keep(found, tmp_path / "v1")
    kept = json.loads((tmp_path / "v1" / "statistics.json").read_text())
    assert DatasetStatistics.model_validate(kept) == found


def test_tokens_and_vocabulary(tmp_path: Path) -> None:
    tokenizer = Tokenizer(WordLevel({"a": 0, "b": 1, "[UNK]": 2, "never": 3}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    make_dataset(tmp_path / "v1", Shape.TEXT, [("a b",), ("a",), ("a x a y",)])
    found = measured(tmp_path / "v1", tmp_path)
    tokens = next(item for item in found.lengths if item.unit == "tokens")
    assert (tokens.column, tokens.longest, tokens.p50, sum(tokens.counts)) == ("", 4, 2, 3)
    assert found.vocabulary is not None
    assert (found.vocabulary.distinct, found.vocabulary.size) == (3, 4)
    assert found.vocabulary.bytes_share == round(2 / 7, 4)
    assert found.vocabulary.characters_per_token == round(11 / 7, 3)


def test_bytes_count_as_pieces(tmp_path: Path) -> None:
    vocabulary = {"<unk>": 0, "a": 1, "<0xE4>": 2, "<0xBD>": 3, "<0xA0>": 4}
    Tokenizer(BPE(vocabulary, [], unk_token="<unk>", byte_fallback=True)).save(
        str(tmp_path / "tokenizer.json")
    )
    make_dataset(tmp_path / "v1", Shape.TEXT, [("a你",)])
    found = measured(tmp_path / "v1", tmp_path).vocabulary
    assert found is not None
    assert (found.distinct, found.bytes_share) == (4, 0.75)


def test_conversations_are_measured_by_what_is_said(tmp_path: Path) -> None:
    talk = json_text([{"role": "user", "content": "12345"}, {"role": "assistant", "content": "1234"}])
    make_dataset(tmp_path / "v1", Shape.MESSAGES, [(talk,)])
    found = measured(tmp_path / "v1").lengths
    assert [(item.column, item.longest) for item in found] == [("messages", 10)]


def test_numbers_and_several_labels(tmp_path: Path) -> None:
    make_dataset(tmp_path / "n", Shape.TEXT_NUMBER, [("a", "1"), ("b", "-2.5"), ("c", "1e1")])
    numbers = measured(tmp_path / "n").numbers
    assert numbers is not None
    assert (numbers.p50, numbers.longest, sum(numbers.counts)) == (1.0, 10.0, 3)
    make_dataset(
        tmp_path / "l",
        Shape.TEXT_LABELS,
        [("a", '["x","y"]'), ("b", '["x"]'), ("c", None)],
        splits=["train"] * 3,
    )
    assert measured(tmp_path / "l").labels == {"x": {"train": 2}, "": {"train": 1}, "y": {"train": 1}}
    make_dataset(tmp_path / "r", Shape.RATINGS, [("u", "i", "5", None), ("u", "j", "3", None)])
    ratings = measured(tmp_path / "r")
    assert (ratings.numbers.longest if ratings.numbers else 0, ratings.lengths) == (5.0, [])


def test_pictures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = []
    for width, form in ((30, "PNG"), (50, "PNG"), (40, "JPEG")):
        stream = io.BytesIO()
        Image.new("RGB", (width, 10)).save(stream, form)
        names.append(store_content(stream.getvalue(), FileStore(tmp_path / "images"), form.lower()))
    make_dataset(tmp_path / "v1", Shape.IMAGE_LABEL, [(name, "a") for name in names])
    found = measured(tmp_path / "v1")
    assert found.images is not None
    assert found.images.formats == {"png": 2, "jpeg": 1}
    assert (found.images.widths.longest, found.images.widths.p50, found.images.heights.longest) == (
        50,
        40,
        10,
    )
    monkeypatch.setattr(measure_module, "MOST_IMAGES", 2)
    again = measured(tmp_path / "v1")
    assert again.estimated
    assert again.images is not None
    assert sum(again.images.formats.values()) == 2


def test_a_large_set_is_estimated_and_says_so(tmp_path: Path) -> None:
    rows = [(f"text {i}",) for i in range(SMALL_ROWS + 5000)]
    make_dataset(tmp_path / "v1", Shape.TEXT, rows)
    found = measured(tmp_path / "v1")
    assert found.estimated
    assert found.duplicates == 0
    assert sum(found.lengths[0].counts) == len(rows), "characters are counted over all rows"


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.integers(0, 5000), max_size=30), min_size=1, max_size=5))
def test_counts_in_pieces_are_counts(parts: list[list[int]]) -> None:
    counts = ValueCounts()
    for part in parts:
        counts.add(pl.Series(part, dtype=pl.UInt32))
    values = np.array([value for part in parts for value in part])
    found = counts.histogram("x", "")
    if not len(values):
        assert found is None
        return
    assert found is not None
    assert sum(found.counts) == len(values)
    assert found.p50 == np.percentile(values, 50, method="inverted_cdf")
    assert found.longest == values.max()
    assert found.edges[0] <= values.min()
    assert found.edges == sorted(set(found.edges))


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=50))
def test_real_numbers(values: list[float]) -> None:
    found = histogram_of(pl.Series(values), "x")
    assert found is not None
    assert sum(found.counts) == len(values)
    assert len(found.counts) <= 26


def test_the_long_tail_has_a_bin_of_its_own() -> None:
    counts = ValueCounts()
    counts.add(pl.Series([20] * 60 + [22] * 39 + [36]))
    found = counts.histogram("x", "characters")
    assert found is not None
    assert (found.edges, found.counts) == ([20.0, 21.0, 22.0, 23.0, 36.0], [60, 0, 39, 1])


def test_edges_are_round() -> None:
    assert nice_edges(0, 23, whole=True) == [float(i) for i in range(25)]
    assert nice_edges(3, 3, whole=True)[:2] == [3.0, 4.0]
    assert nice_edges(0.0, 1.0, whole=False)[1] == pytest.approx(0.05)
