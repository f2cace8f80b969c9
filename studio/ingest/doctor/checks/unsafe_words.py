"""Rude, hateful and other words that no customer should read in an answer."""

from __future__ import annotations

from collections import Counter
from typing import ClassVar, Final

import polars as pl

from studio.domain.findings import Severity
from studio.domain.recipes import FindingKind, FixAction
from studio.domain.shapes import Shape
from studio.ingest.doctor.identify import many_texts
from studio.ingest.doctor.rules import Hits, RowRule
from studio.ingest.doctor.texts import text_columns, text_parts
from studio.ingest.privacy.words import UnsafeWords, harmless_in
from studio.words import listed

_LIKELY: Final = 0.2  # of a language; a few words are never more certain, and a guess among all is 0.1


class UnsafeWordsCheck(RowRule):
    """By the word lists of the studio; a row leaves whole, for a sentence without its word says nothing."""

    kind: ClassVar = FindingKind.UNSAFE_WORDS
    severity: ClassVar = Severity.NOTE
    details_name: ClassVar = "words"

    def __init__(self) -> None:
        self._words = UnsafeWords()

    def actions(self, shape: Shape) -> tuple[FixAction, ...]:
        return (FixAction.REMOVE,) if text_columns(shape) else ()

    def find(self, frame: pl.DataFrame, shape: Shape) -> Hits:
        parts = text_parts(frame, text_columns(shape))
        found: dict[int, tuple[str, set[str]]] = {}
        words = _without_strangers(parts["text"], self._words.find(parts["text"]))
        for index, column, hits in zip(parts["index"], parts["column"], words, strict=True):
            if hits:
                found.setdefault(index, (column, set()))[1].update(hits)
        rows = sorted(found)
        kinds = Counter(word for _column, hits in found.values() for word in hits)
        return Hits(
            pl.Series(rows, dtype=pl.UInt32), kinds, columns=[found[row][0] for row in rows],
            notes=[listed(sorted(found[row][1])) for row in rows],
        )  # fmt: skip


def _without_strangers(texts: pl.Series, found: list[list[str]]) -> list[list[str]]:
    """The words found in each text, without those that are harmless in the text's own language: a retard is a delay
    in French."""
    harmless = harmless_in()
    doubtful = [place for place, words in enumerate(found) if not harmless.keys().isdisjoint(words)]
    if not doubtful:
        return found
    codes, likely = many_texts().identify(texts.gather(doubtful))
    kept = list(found)
    for place, code, sure in zip(doubtful, codes, likely, strict=True):
        spoken = code if sure >= _LIKELY else ""
        kept[place] = [word for word in found[place] if spoken not in harmless.get(word, ())]
    return kept
