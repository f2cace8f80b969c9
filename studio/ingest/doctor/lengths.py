"""How many tokens a row has, and cutting a text at a number of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

import polars as pl
from tokenizers import Tokenizer

from studio.domain.shapes import Shape
from studio.errors import StudioError
from studio.i18n import _
from studio.ingest.dataset.statistics import load_tokenizer
from studio.ingest.doctor.texts import text_columns, text_parts

CHARACTERS_PER_TOKEN: Final = 2  # when there is no tokenizer: between English (4) and Chinese (1.5)
# A text with more characters per token than this is no language; it counts as long enough.
CHARACTERS_AT_MOST: Final = 32


@lru_cache(maxsize=2)
def _load(file: Path, _changed_at: int) -> Tokenizer | None:
    return load_tokenizer(file.parent)


class TokenCounter:
    """Counts by the folder's tokenizer.json, special tokens left out; by characters / 2, rounded up, without one."""

    def __init__(self, tokenizer_dir: str | None) -> None:
        self._tokenizer: Tokenizer | None = None
        if tokenizer_dir is None:
            return
        file = Path(tokenizer_dir) / "tokenizer.json"
        try:
            self._tokenizer = _load(file, file.stat().st_mtime_ns)
        except OSError as error:
            raise _no_tokenizer(str(file)) from error
        if self._tokenizer is None:
            raise _no_tokenizer(str(file))

    @property
    def has_tokenizer(self) -> bool:
        return self._tokenizer is not None

    def count(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text."""
        if self._tokenizer is None:
            return [-(-len(text) // CHARACTERS_PER_TOKEN) for text in texts]
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [len(encoding) for encoding in encodings]

    def count_between(self, texts: pl.Series, low: int, high: int) -> pl.Series:
        """Tokens of each text, right for those below ``low`` or above ``high``; others may get ``low``.

        No text has more tokens than bytes, so most texts need not be counted.
        """
        if self._tokenizer is None:
            return ((texts.str.len_chars() + CHARACTERS_PER_TOKEN - 1) // CHARACTERS_PER_TOKEN).cast(pl.Int64)
        long = texts.str.len_bytes().cast(pl.Int64) > high
        doubtful = long | (texts.str.len_chars() < low * CHARACTERS_AT_MOST)
        counts = self.count(texts.filter(doubtful).to_list())
        base = pl.Series("tokens", [low], dtype=pl.Int64).new_from_index(0, len(texts))
        return base.scatter(doubtful.arg_true(), pl.Series(counts, dtype=pl.Int64)) if counts else base

    def cut(self, text: str, limit: int) -> str:
        """The beginning of the text that has at most ``limit`` tokens, without white space at its end."""
        if limit <= 0:
            return ""
        if self._tokenizer is None:
            return text[: limit * CHARACTERS_PER_TOKEN].rstrip()
        text = text[: limit * CHARACTERS_AT_MOST]
        keep = limit
        while keep > 0:
            offsets = self._tokenizer.encode(text, add_special_tokens=False).offsets
            if len(offsets) <= limit:
                return text
            text = text[: max((end for _start, end in offsets[:keep]), default=0)].rstrip()
            keep -= 1
        return ""


def row_tokens(frame: pl.DataFrame, shape: Shape, counter: TokenCounter, low: int, high: int) -> pl.Series:
    """Tokens of each row as a model sees it, right above ``high``; of two answers the longer one counts."""
    parts = text_parts(frame, text_columns(shape))
    sizes = parts.group_by("index").agg(pl.col("text").str.len_bytes().sum().alias("size"))
    large = sizes.filter(pl.col("size") > high)["index"] if counter.has_tokenizer else sizes["index"]
    parts = parts.filter(pl.col("index").is_in(large.implode()))
    counted = parts.with_columns(tokens=pl.Series(counter.count(parts["text"].to_list()), dtype=pl.Int64))
    by_column = counted.group_by("index", "column").agg(pl.col("tokens").sum())
    answers = pl.col("column").is_in(["chosen", "rejected"])
    sums = by_column.group_by("index").agg(
        tokens=pl.col("tokens").filter(~answers).sum() + pl.col("tokens").filter(answers).max().fill_null(0)
    )
    base = pl.Series("tokens", [low], dtype=pl.Int64).new_from_index(0, frame.height)
    return base.scatter(sums["index"], sums["tokens"]) if sums.height else base


def _no_tokenizer(file: str) -> StudioError:
    return StudioError(
        "doctor.tokenizer",
        _("The lengths cannot be counted: there is no readable tokenizer in {file}.").format(file=file),
        _("Choose a base model with a tokenizer.json, or count characters instead."),
    )
