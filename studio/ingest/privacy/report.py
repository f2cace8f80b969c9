"""Counting what was found, with excerpts that show the form of a find but not the find."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Final

from studio.domain.private_data import PrivateDataReport, PrivateKind
from studio.ingest.privacy.spans import Span

EXCERPTS: Final = 5  # of each kind


def blot(span: Span) -> str:
    """The find with its middle blotted out: 138****5678, 王**, j****@mail.com. Secrets keep nothing."""
    value = span.value
    if span.kind is PrivateKind.SECRET:
        return "****"
    if span.kind is PrivateKind.EMAIL:
        user, at, host = value.partition("@")
        return f"{user[:1]}****{at}{host}" if at else f"{value[:1]}****"
    if span.kind is PrivateKind.PERSON_NAME:
        return value[:1] + "**" if len(value) > 1 else "*"
    if span.kind is PrivateKind.PHONE and len(value) >= 10:
        return f"{value[:3]}****{value[-4:]}" if value[0] != "+" else f"{value[:4]}****{value[-3:]}"
    shown = min(3, len(value) // 4)
    return f"{value[:shown]}****{value[len(value) - shown :]}" if shown else "****"


class PrivateDataTally:
    """Adds up the finds of any number of columns; ``report`` may be called at any time."""

    def __init__(self) -> None:
        self._texts = 0
        self._texts_hit = 0
        self._counts: Counter[PrivateKind] = Counter()
        self._rows: Counter[PrivateKind] = Counter()
        self._excerpts: dict[PrivateKind, list[str]] = {}

    def add(self, scanned: Iterable[Sequence[Span]]) -> None:
        """What PrivateScanner.scan returned for a column."""
        for spans in scanned:
            self._texts += 1
            self._texts_hit += bool(spans)
            self._rows.update({span.kind for span in spans})
            for span in spans:
                self._counts[span.kind] += 1
                kept = self._excerpts.setdefault(span.kind, [])
                excerpt = blot(span)
                if len(kept) < EXCERPTS and excerpt not in kept:
                    kept.append(excerpt)

    def report(self) -> PrivateDataReport:
        """The figures so far, kinds in the order of PrivateKind."""
        return PrivateDataReport(
            texts=self._texts,
            texts_hit=self._texts_hit,
            counts={kind: self._counts[kind] for kind in PrivateKind if self._counts[kind]},
            rows={kind: self._rows[kind] for kind in PrivateKind if self._rows[kind]},
            excerpts={kind: list(self._excerpts[kind]) for kind in PrivateKind if kind in self._excerpts},
        )
