"""Languages, token counts, the stable sample, and what a full disk is called."""

from __future__ import annotations

import errno
from pathlib import Path

import polars as pl
import pytest
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import Whitespace

from studio.errors import StudioError
from studio.ingest.dataset.canonical import _as_os_error, write_rows
from studio.ingest.dataset.statistics import (
    SAMPLE_ROWS,
    SMALL_ROWS,
    StableSample,
    count_tokens,
    language_shares,
)
from studio.ingest.errors import write_failed


def test_languages_by_script() -> None:
    texts = ["怎么退款，用 iPhone 下单的", "How do I get a refund?", "Как вернуть деньги", "12345"]
    assert language_shares(texts) == {"zh": 0.25, "en": 0.25, "other": 0.5}


def test_tokens_by_hand(tmp_path: Path) -> None:
    tokenizer = Tokenizer(WordLevel({"a": 0, "b": 1, "[UNK]": 2}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    stats = count_tokens(["a b", "a", "a b a b"], 3, tmp_path)
    assert stats is not None
    assert (stats.total, stats.p50, stats.longest) == (7, 2, 4)
    scaled = count_tokens(["a b", "a b"], 100, tmp_path)
    assert scaled is not None
    assert scaled.total == 200
    assert "estimated" in scaled.tokenizer
    assert count_tokens(["a"], 1, tmp_path / "nowhere") is None


def test_the_sample_depends_on_content_not_on_order() -> None:
    keys = pl.Series("key", range(3 * SMALL_ROWS), dtype=pl.UInt64).hash(seed=1).alias("key").to_frame()
    chosen = []
    for frame in (keys, keys.reverse()):
        sample = StableSample()
        for part in frame.iter_slices(7000):
            sample.add(part)
        chosen.append(set(sample.rows()["key"]))
    assert chosen[0] == chosen[1]
    assert len(chosen[0]) == SAMPLE_ROWS


def test_a_full_disk_is_named() -> None:
    error = _as_os_error(pl.exceptions.ComputeError("No space left on device (os error 28)"))
    assert error.errno == errno.ENOSPC
    assert write_failed(error).code == "import.disk_full"


def test_the_readers_own_error_comes_through(tmp_path: Path) -> None:
    def frames():  # type: ignore[no-untyped-def]
        yield pl.DataFrame(
            {"row": [1], "key": [1], "split": ["train"], "text": ["a"]},
            schema={"row": pl.Int64, "key": pl.UInt64, "split": pl.String, "text": pl.String},
        )
        raise StudioError("import.unreadable", "gone")

    with pytest.raises(StudioError):
        write_rows(frames(), ("text",), tmp_path)
