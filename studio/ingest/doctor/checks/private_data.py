"""Private data of people: what a model has seen, it can repeat."""

from __future__ import annotations

import secrets
from collections import Counter
from typing import ClassVar

import polars as pl

from studio.domain.findings import Severity
from studio.domain.recipes import FindingKind, FixAction
from studio.domain.shapes import Shape
from studio.ingest.doctor.checks.mending import put_back
from studio.ingest.doctor.rules import Hits, NewRows, RowRule, Treated
from studio.ingest.doctor.texts import text_columns, text_parts
from studio.ingest.privacy.masking import Pseudonyms, mask
from studio.ingest.privacy.scanner import PrivateScanner, Span


class PrivateData(RowRule):
    """Masked by what it is ([PHONE]), replaced by made-up values, or removed with its row."""

    kind: ClassVar = FindingKind.PRIVATE_DATA
    severity: ClassVar = Severity.PROBLEM

    def __init__(self, private_kinds: tuple[str, ...] = ()) -> None:
        """private_kinds: names of PrivateKind; empty: all."""
        self._scanner = PrivateScanner()
        self._kinds = frozenset(private_kinds)
        # Kept nowhere: one fix gives one original one value, and nothing leads back from it.
        self._pseudonyms = Pseudonyms(secrets.token_bytes(32))
        self._last: dict[str, list[Span]] = {}

    def actions(self, shape: Shape) -> tuple[FixAction, ...]:
        return (FixAction.MASK, FixAction.REPLACE, FixAction.REMOVE) if text_columns(shape) else ()

    def find(self, frame: pl.DataFrame, shape: Shape) -> Hits:
        parts, spans = self._scanned(frame, shape)
        kinds_of: dict[int, set[str]] = {}
        column_of: dict[int, str] = {}
        for index, column, hits in zip(parts["index"], parts["column"], spans, strict=True):
            if hits:
                kinds_of.setdefault(index, set()).update(span.kind.value for span in hits)
                column_of.setdefault(index, column)
        rows = sorted(kinds_of)
        kinds = Counter(kind for found in kinds_of.values() for kind in found)
        return Hits(pl.Series(rows, dtype=pl.UInt32), kinds, columns=[column_of[row] for row in rows])

    def change(self, frame: pl.DataFrame, shape: Shape, action: FixAction, new_rows: NewRows) -> Treated:
        parts, spans = self._scanned(frame, shape)
        change = mask if action is FixAction.MASK else self._pseudonyms.replace
        texts = [
            change(text, hits) if hits else text for text, hits in zip(parts["text"], spans, strict=True)
        ]
        changed = parts.with_columns(pl.Series("text", texts, dtype=pl.String))
        hit = pl.Series([bool(hits) for hits in spans], dtype=pl.Boolean)
        return put_back(frame, shape, changed.filter(hit))

    def _scanned(self, frame: pl.DataFrame, shape: Shape) -> tuple[pl.DataFrame, list[list[Span]]]:
        """The texts of the frame and what is in them; what was scanned last is asked for again, by fewer rows."""
        parts = text_parts(frame, text_columns(shape))
        texts = parts["text"]
        if not all(text in self._last for text in texts):
            spans = self._scanner.scan(texts)
            if self._kinds:
                spans = [[span for span in found if span.kind.value in self._kinds] for found in spans]
            self._last = dict(zip(texts, spans, strict=True))
        return parts, [self._last[text] for text in texts]
