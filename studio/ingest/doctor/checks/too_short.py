"""Answers and texts with next to nothing in them."""

from __future__ import annotations

from typing import ClassVar

import polars as pl

from studio.domain.findings import Severity
from studio.domain.recipes import FindingKind, FixAction
from studio.domain.shapes import Shape
from studio.i18n import ngettext
from studio.ingest.doctor.lengths import TokenCounter
from studio.ingest.doctor.rules import Hits, RowRule
from studio.ingest.doctor.texts import learned_columns, text_parts


class TooShort(RowRule):
    """Rows whose answer (the text, where there is no answer) has fewer tokens than asked for."""

    kind: ClassVar = FindingKind.TOO_SHORT
    severity: ClassVar = Severity.NOTE

    def __init__(self, counter: TokenCounter, min_tokens: int) -> None:
        self._counter = counter
        self._limit = min_tokens

    def actions(self, shape: Shape) -> tuple[FixAction, ...]:
        return (FixAction.REMOVE,) if learned_columns(shape) else ()

    def find(self, frame: pl.DataFrame, shape: Shape) -> Hits:
        parts = text_parts(frame, learned_columns(shape))
        if "messages" in learned_columns(shape):  # the last message is an answer
            parts = parts.group_by("index", maintain_order=True).last()
        tokens = self._counter.count_between(parts["text"].str.strip_chars(), self._limit, 1 << 62)
        short = parts.filter(tokens < self._limit)
        counted = tokens.filter(tokens < self._limit)
        notes = [ngettext("{n} token", "{n} tokens", count).format(n=count) for count in counted[:50]]
        notes += [""] * (short.height - len(notes))
        return Hits(short["index"], columns=short["column"].to_list(), notes=notes)
