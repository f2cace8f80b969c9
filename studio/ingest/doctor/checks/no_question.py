"""Answers and passages whose question nobody has written yet: training leaves these rows out."""

from __future__ import annotations

from typing import Final

import polars as pl

from studio.domain.findings import Example, Finding, Severity
from studio.domain.recipes import FindingKind
from studio.domain.shapes import Shape
from studio.ingest.doctor.examples import MOST_EXAMPLES, window
from studio.ingest.doctor.view import DatasetView
from studio.ingest.shaping.putting_aside import is_blank

KIND: Final = FindingKind.NO_QUESTION


def applies(shape: Shape) -> bool:
    """Whether rows of this shape may wait for a question."""
    return shape is Shape.PROMPT_RESPONSE


def find_unasked(view: DatasetView) -> Finding | None:
    """The rows that wait; no program writes their questions, so there is no fix."""
    waiting = view.table(pl.col("row").filter(is_blank("prompt")))["row"]
    if not len(waiting):
        return None
    first = view.chosen(waiting.head(MOST_EXAMPLES).to_list()).select("row", "response")
    examples = [_example(row, window(answer or "", 0)) for row, answer in first.iter_rows()]
    return Finding(
        kind=KIND, severity=Severity.WARNING, rows=len(waiting), of=view.rows, examples=examples
    )  # fmt: skip


def _example(row: int, answer: str) -> Example:
    """The answer that the question is for, which stays as it is."""
    return Example(row=row, column="response", before=answer, after=answer)
