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

from studio.domain.datasets import RejectedRow
from studio.domain.findings import Example, Finding, FixOption, Severity
from studio.domain.recipes import FindingKind, FixAction
from studio.domain.shapes import Shape
from studio.ingest import errors
from studio.ingest.dataset.splits import key_expr
from studio.ingest.doctor.view import DatasetView
from studio.ingest.shaping.conversations import Messages, disorder, dumped, of_value

KIND: Final = FindingKind.ROLE_ORDER
CODES: Final = ("roles_out_of_order", "no_answer")
_MOST_EXAMPLES: Final = 20
_SCHEMA: Final = {"line": pl.Int64, "messages": pl.String}


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
    """What can be brought back into one dataset. Reads rejected.jsonl and the keys of all rows.

    rows: conversations put aside for their order. repaired: columns line (of rejected.jsonl, from 0), messages (as they
    are stored) and key of those that can be brought back.
    """

    def __init__(self, view: DatasetView) -> None:
        self._view = view
        self.rows = 0
        self.repaired = self._unknown(self._readable())

    def examples(self) -> list[Example]:
        """The first ones, before and after."""
        texts = dict(self.repaired.select("line", "messages").head(_MOST_EXAMPLES).iter_rows())
        return [
            Example(
                row=rejected.row, column="messages", before=rejected.excerpt or rejected.content[:200],
                after=texts[number][:300], note=rejected.reason,
            )
            for number, rejected in rejected_rows(self._view.rejected_path)
            if number in texts
        ]  # fmt: skip

    def _readable(self) -> pl.DataFrame:
        found: dict[int, str] = {}
        for number, rejected in rejected_rows(self._view.rejected_path):
            if number % 256 == 0:
                self._view.check()
            if rejected.code in CODES:
                self.rows += 1
                if text := _repaired(rejected.content):
                    found[number] = text
        frame = pl.DataFrame({"line": list(found), "messages": list(found.values())}, schema=_SCHEMA)
        return frame.with_columns(key_expr(frame, ["messages"]))

    def _unknown(self, found: pl.DataFrame) -> pl.DataFrame:
        """Each content once, and none that the dataset holds."""
        known = self._view.table("key") if found.height else found
        once = found.unique("key", keep="first", maintain_order=True)
        return once.join(known, on="key", how="anti", maintain_order="left")


def find_disorder(view: DatasetView) -> Finding | None:
    """Conversations that a repair would add to the rows; those beyond repair are in details."""
    order = RoleOrder(view)
    added = order.repaired.height
    if not added:
        return None
    fix = FixOption(action=FixAction.REPAIR, rows_changed=0, rows_removed=0, rows_added=added)
    return Finding(
        kind=KIND, severity=Severity.WARNING, rows=added, of=order.rows, examples=order.examples(), fixes=[fix],
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
