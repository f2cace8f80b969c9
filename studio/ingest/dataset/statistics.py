"""Languages and token counts of a dataset: of all rows when it is small, of a stable sample when it is large."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import numpy as np
import polars as pl
from tokenizers import Tokenizer

from studio.domain.datasets import TokenStats
from studio.domain.shapes import Shape
from studio.i18n import _
from studio.ingest.dataset.content import plain_texts, prose_columns

SMALL_ROWS: Final = 20_000
SAMPLE_ROWS: Final = 5_000
_HAN: Final = r"\p{Han}"
_KANA_HANGUL: Final = r"[\p{Hiragana}\p{Katakana}\p{Hangul}]"
_LATIN: Final = r"[A-Za-z]"


class StableSample:
    """All rows up to SMALL_ROWS; beyond, the SAMPLE_ROWS rows whose keys have the smallest low halves.

    The choice depends on the contents only, not on their order, so a re-import gives the same figures.
    """

    def __init__(self) -> None:
        self.seen = 0
        self._frames: list[pl.DataFrame] = []
        self._held = 0
        self._limit: int | None = None

    @property
    def is_partial(self) -> bool:
        return self.seen > SMALL_ROWS

    def add(self, frame: pl.DataFrame) -> None:
        """frame: canonical rows with ``key``."""
        self.seen += frame.height
        frame = frame.with_columns((pl.col("key") & 0xFFFFFFFF).alias("rank"))
        if self._limit is not None:
            frame = compact(frame.filter(pl.col("rank") <= self._limit))
        self._frames.append(frame)
        self._held += frame.height
        if self._held > 2 * SMALL_ROWS:
            self._shrink()

    def rows(self) -> pl.DataFrame:
        """The sampled rows."""
        if self.is_partial:
            self._shrink()
        return pl.concat(self._frames) if self._frames else pl.DataFrame()

    def _shrink(self) -> None:
        rows = compact(pl.concat(self._frames).bottom_k(SAMPLE_ROWS, by="rank"))
        self._frames, self._held = [rows], rows.height
        self._limit = int(rows["rank"].max())  # type: ignore[arg-type]


def compact(frame: pl.DataFrame) -> pl.DataFrame:
    """The few rows that were picked, in memory of their own: picked ones keep all the texts alive they came from."""
    return pl.DataFrame(frame.to_dict(as_series=False), schema=frame.schema)


def sample_texts(rows: pl.DataFrame, shape: Shape) -> list[str]:
    """What is read by the model in each sampled row, as one text; none for shapes without text."""
    if rows.is_empty() or not prose_columns(shape):
        return []
    columns = [plain_texts(rows[name]) for name in prose_columns(shape)]
    joined = pl.DataFrame(columns).select(pl.concat_str(pl.all(), separator="\n", ignore_nulls=True))
    return joined.to_series().to_list()


def language_shares(texts: list[str]) -> dict[str, float]:
    """Share of rows by script: zh (mostly Chinese characters), en (mostly Latin letters), other; adds up to 1."""
    if not texts:
        return {}
    counts = pl.DataFrame({"text": texts}).select(
        han=pl.col("text").str.count_matches(_HAN),
        other=pl.col("text").str.count_matches(_KANA_HANGUL),
        latin=pl.col("text").str.count_matches(_LATIN),
        letters=pl.col("text").str.count_matches(r"\p{L}"),
    )
    # One Chinese character says about as much as three Latin letters.
    zh = (pl.col("han") > 0) & (pl.col("han") * 3 >= pl.col("latin")) & (pl.col("other") * 4 < pl.col("han"))
    en = ~zh & (pl.col("latin") * 2 > pl.col("letters"))
    shares = counts.select(zh=zh.mean(), en=en.mean()).row(0)
    return {
        "zh": round(shares[0], 4),
        "en": round(shares[1], 4),
        "other": round(1 - shares[0] - shares[1], 4),
    }


def load_tokenizer(folder: Path) -> Tokenizer | None:
    """The folder's tokenizer.json, for whole texts; None when there is none that can be read."""
    try:
        tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    except Exception:  # noqa: BLE001 (tokenizers raises no other kind)
        return None
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def count_tokens(texts: list[str], rows: int, tokenizer_dir: Path) -> TokenStats | None:
    """Tokens per row by the folder's tokenizer.json, without special tokens; None when there is none.

    The total is scaled up from the sample when ``rows`` is more than ``len(texts)``.
    """
    tokenizer = load_tokenizer(tokenizer_dir) if texts else None
    if tokenizer is None:
        return None
    lengths = np.array([len(e.ids) for e in tokenizer.encode_batch_fast(texts, add_special_tokens=False)])
    name = tokenizer_dir.name
    if len(texts) < rows:
        name = _("{name} (estimated from {rows} rows)").format(name=name, rows=len(texts))
    return TokenStats(
        tokenizer=name,
        total=round(float(lengths.mean()) * rows),
        mean=round(float(lengths.mean()), 2),
        p50=int(np.percentile(lengths, 50)),
        p95=int(np.percentile(lengths, 95)),
        longest=int(lengths.max()),
    )
