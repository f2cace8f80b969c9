"""Conversations that the import put aside for the order of their speakers, and that can be put in order.

Neighbouring messages of one speaker become one; an answer before any question and a last question without an
answer are dropped. What the dataset holds already is not brought back again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl

from studio.domain.datasets import RejectedRow, Split, SplitShares
from studio.domain.findings import Example, Finding, FixOption, Severity
from studio.domain.recipes import FindingKind, FixAction
from studio.domain.shapes import Shape
from studio.ingest import errors
from studio.ingest.dataset.splits import key_expr, split_expr
from studio.ingest.doctor.view import DatasetView
from studio.ingest.shaping.conversations import Messages, disorder, dumped, of_value

KIND: Final = FindingKind.ROLE_ORDER
CODES: Final = ("roles_out_of_order", "no_answer")
_MOST_EXAMPLES: Final = 20


def applies(shape: Shape) -> bool:
    return shape is Shape.MESSAGES


def in_order(messages: Messages) -> Messages | None:
    """The conversation in the order that training asks for, None when nothing can be learned from it."""
    system = [item for item in messages if item["role"] == "system"]
    merged: Messages = []
    for item in messages:
        if item["role"] == "system":
            continue
        if merged and merged[-1]["role"] == item["role"]:
            merged[-1] = {**item, "content": f"{merged[-1]['content']}\n\n{item['content']}"}
        elif merged or item["role"] == "user":
            merged.append(item)
    if merged and merged[-1]["role"] == "user":
        merged.pop()
    if system:
        content = "\n\n".join(item["content"] for item in system)
        merged.insert(0, {"role": "system", "content": content})
    return None if disorder([item["role"] for item in merged]) else merged


class RoleOrder:
    """What can be brought back into one dataset. Reads rejected.jsonl once and the keys of all rows."""

    def __init__(self, view: DatasetView) -> None:
        self._view = view
        self.rows = 0  # conversations put aside for their order
        self.repaired: list[str] = []  # as they are stored
        self.examples: list[Example] = []
        self.lines: set[int] = set()  # of rejected.jsonl that are brought back
        self._look()

    def frame(self) -> pl.DataFrame:
        """messages, key, split of what is brought back; the splits get the shares that they have now."""
        frame = pl.DataFrame({"messages": pl.Series(self.repaired, dtype=pl.String)})
        return frame.with_columns(key_expr(frame, ["messages"])).with_columns(split_expr(self._shares()))

    def _look(self) -> None:
        known = set(self._view.table("key")["key"].to_list())
        for number, rejected in rejected_rows(self._view.rejected_path):
            if number % 256 == 0:
                self._view.check()
            if rejected.code not in CODES:
                continue
            self.rows += 1
            text = _repaired(rejected.content)
            if text is None:
                continue
            frame = pl.DataFrame({"messages": [text]})
            key = frame.select(key_expr(frame, ["messages"])).item()
            if key not in known:
                known.add(key)
                self._bring_back(number, rejected, text)

    def _bring_back(self, number: int, rejected: RejectedRow, text: str) -> None:
        self.lines.add(number)
        self.repaired.append(text)
        if len(self.examples) < _MOST_EXAMPLES:
            before = rejected.excerpt or rejected.content[:200]
            self.examples.append(
                Example(
                    row=rejected.row, column="messages", before=before, after=text[:300], note=rejected.reason
                )
            )

    def _shares(self) -> SplitShares:
        counts = dict(self._view.table("split")["split"].value_counts().iter_rows())
        rows = max(1, sum(counts.values()))
        validation, test = (min(0.5, counts.get(name, 0) / rows) for name in (Split.VALIDATION, Split.TEST))
        return SplitShares(validation=validation, test=test)


def find_disorder(view: DatasetView) -> Finding | None:
    """Conversations that a repair would add to the rows; those beyond repair are in details."""
    order = RoleOrder(view)
    added = len(order.repaired)
    if not added:
        return None
    fix = FixOption(action=FixAction.REPAIR, rows_changed=0, rows_removed=0, rows_added=added)
    return Finding(
        kind=KIND, severity=Severity.WARNING, rows=added, of=order.rows, examples=order.examples, fixes=[fix],
        details={"beyond_repair": order.rows - added},
    )  # fmt: skip


def rejected_rows(path: Path) -> Iterator[tuple[int, RejectedRow]]:
    """The lines of a rejected.jsonl, numbered from 0. Raises StudioError import.broken."""
    try:
        with path.open(encoding="utf-8") as file:
            for number, line in enumerate(file):
                yield number, RejectedRow.model_validate_json(line)
    except FileNotFoundError:
        return
    except ValueError as error:
        raise errors.broken(str(path), path.name) from error


def _repaired(content: str) -> str | None:
    if not content:
        return None
    try:
        value: Any = json.loads(content)
    except (ValueError, RecursionError):
        return None
    messages = of_value(value).messages
    ordered = in_order(messages) if messages else None
    return dumped(ordered) if ordered else None
