"""Unsafe words: toxic, sexual, violent, self-harm and illegal goods, from the lists in resources/wordlists.

A hit does not make a text bad; it makes it worth a look. Latin words count as whole words only; Chinese words
count anywhere, unless they stand inside a harmless phrase of the exceptions (性交 in 一次性交付).
"""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import cache
from typing import Final

import polars as pl

from studio.ingest.privacy.spans import plain, read_categories, word_list

LISTS: Final = ("unsafe_zh", "unsafe_en")
EXCEPTIONS: Final = "unsafe_exceptions"
ELSEWHERE: Final = "unsafe_elsewhere"


def categories() -> dict[str, tuple[str, ...]]:
    """Category -> words of the lists that come with the studio, Chinese and English together."""
    found: dict[str, tuple[str, ...]] = {}
    for name in LISTS:
        for category, words in read_categories(name).items():
            found[category] = found.get(category, ()) + words
    return found


@cache
def harmless_in() -> dict[str, frozenset[str]]:
    """Listed word -> languages in which it is an ordinary word."""
    found: dict[str, set[str]] = {}
    for language, words in read_categories(ELSEWHERE).items():
        for word in words:
            found.setdefault(word, set()).add(language)
    return {word: frozenset(languages) for word, languages in found.items()}


class UnsafeWords:
    """Finds listed words."""

    def __init__(self) -> None:
        listed = {plain(word).strip() for words in categories().values() for word in words}
        self._words = sorted(listed - {""}, key=len, reverse=True)
        excepted = {plain(phrase).strip() for phrase in word_list(EXCEPTIONS)} - {""}
        self._names = {word.lower(): word for word in reversed(self._words)}
        self._pattern = _alternatives(self._words)
        self._generous = "(?i)" + "|".join(r"\s+".join(map(re.escape, word.split())) for word in self._words)
        self._exceptions = _alternatives(sorted(excepted, key=len, reverse=True))

    def find(self, texts: pl.Series) -> list[list[str]]:
        """The listed words in each text, each once, in order of appearance; none for a missing text."""
        found: list[list[str]] = [[] for _ in range(len(texts))]
        suspects = (
            texts.str.contains_any(self._needles(), ascii_case_insensitive=True).fill_null(False).arg_true()
        )
        suspects = suspects.filter(texts.gather(suspects).str.contains(self._generous))
        for row, text in zip(suspects.to_list(), texts.gather(suspects).to_list(), strict=True):
            found[row] = self.find_in(plain(text))
        return found

    def _needles(self) -> list[str]:
        """What a text with a hit holds: a word, or its longest part where blanks and quotes may differ."""
        return sorted({max(re.split("[ ']", word), key=len) for word in self._words})

    def find_in(self, text: str) -> list[str]:
        """The same of one text, in its plain form."""
        harmless = [match.span() for match in self._exceptions.finditer(text)]
        hits: dict[str, None] = {}
        for match in self._pattern.finditer(text):
            start, end = match.span()
            before = bisect_left(harmless, (end, 0)) - 1  # the last that begins before the word's end
            if before < 0 or harmless[before][1] <= start:
                hits[self._names.get(" ".join(match.group().lower().split()), match.group())] = None
        return list(hits)


def _alternatives(words: list[str]) -> re.Pattern[str]:
    """One pattern for all words, longest first; Latin ends at a letter or digit, blanks may be several."""
    return re.compile("|".join(_bounded(word) for word in words), re.IGNORECASE)


def _bounded(word: str) -> str:
    pattern = r"\s+".join(re.escape(part) for part in word.split())
    left = r"(?<![A-Za-z0-9])" if word[0].isascii() and word[0].isalnum() else ""
    right = r"(?![A-Za-z0-9])" if word[-1].isascii() and word[-1].isalnum() else ""
    return left + pattern + right
