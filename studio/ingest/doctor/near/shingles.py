"""Texts as sets of hashed shingles: every run of SIZE characters, 2 for Chinese and its neighbours, 5 otherwise.

Upper and lower case, and runs of white space, make no difference. A shorter text is one shingle.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import polars as pl

U32 = np.ndarray[Any, np.dtype[np.uint32]]
I64 = np.ndarray[Any, np.dtype[np.int64]]

EASTERN_SIZE: Final = 2
WESTERN_SIZE: Final = 5
_MOST_CHARACTERS: Final = 200_000  # of a text; what comes behind makes no difference
_EASTERN: Final = r"[\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}]"
_MULTIPLIER: Final = np.uint32(0x01000193)


@dataclass
class Shingles:
    """values[starts[i]:starts[i + 1]] are the shingles of text i, in the order of the text, repeated ones too."""

    values: U32
    starts: I64

    def counts(self) -> I64:
        """Shingles of each text."""
        return np.diff(self.starts)


def shingles_of(texts: pl.Series) -> Shingles:
    """The shingles of each text; at least one each."""
    plain = (
        texts.str.slice(0, _MOST_CHARACTERS).str.to_lowercase().str.replace_all(r"\s+", " ").str.strip_chars()
    )
    eastern = plain.str.count_matches(_EASTERN)
    is_eastern = (eastern * 3 >= plain.str.count_matches(r"\p{Latin}")) & (eastern > 0)
    size = np.where(is_eastern.to_numpy(), EASTERN_SIZE, WESTERN_SIZE)
    lengths = np.maximum(plain.str.len_chars().to_numpy().astype(np.int64), 1)
    joined = "".join(text or " " for text in plain)
    codes = np.frombuffer(joined.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)
    return _windows(codes, lengths, np.minimum(size, lengths))


def _windows(codes: U32, lengths: I64, sizes: I64) -> Shingles:
    """Hash every window; hashes of the windows that begin at a place grow character by character."""
    ends = np.cumsum(lengths)
    remaining = np.repeat(ends, lengths) - np.arange(len(codes))  # characters from here to the text's end
    size_here = np.repeat(sizes, lengths)
    hashed = np.full(len(codes), np.uint32(0x811C9DC5))
    for step in range(WESTERN_SIZE):
        shifted = codes[step:]
        part = hashed[: len(shifted)]
        longer = size_here[: len(shifted)] > step
        np.copyto(part, _mixed((part ^ _mixed(shifted)) * _MULTIPLIER), where=longer)
    begins = remaining >= size_here
    counts = lengths - sizes + 1
    return Shingles(hashed[begins], np.concatenate([[0], np.cumsum(counts)]))


def _mixed(values: U32) -> U32:
    """MurmurHash3's finaliser: every bit of the input reaches every bit of the output."""
    values = values ^ (values >> np.uint32(16))
    values = values * np.uint32(0x85EBCA6B)
    values = values ^ (values >> np.uint32(13))
    values = values * np.uint32(0xC2B2AE35)
    return values ^ (values >> np.uint32(16))
