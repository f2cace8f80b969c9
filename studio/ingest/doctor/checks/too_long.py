"""Rows that a model cannot read to the end at the length it is trained with."""

from __future__ import annotations

import json
import re
from typing import Any, ClassVar, Final

import polars as pl

from studio.domain.findings import Severity
from studio.domain.recipes import FindingKind, FixAction
from studio.domain.shapes import Shape
from studio.i18n import ngettext
from studio.ingest.dataset.content import json_text
from studio.ingest.doctor.lengths import CHARACTERS_AT_MOST, TokenCounter, row_tokens
from studio.ingest.doctor.rules import Hits, NewRows, RowRule, Treated
from studio.ingest.doctor.texts import learned_columns, text_columns

_SENTENCE_END: Final = re.compile(r"\n+|[。！？；…]+[”’」』）]*|[.!?;]+[\"')\]]*\s+")
_WORD_END: Final = re.compile(r"\s+")


class TooLong(RowRule):
    """Rows of more than ``max_tokens``: cut at the limit, or plain text parted at the ends of sentences.

    A row whose question alone goes beyond the limit cannot be cut; it is only pointed at, or removed.
    """

    kind: ClassVar = FindingKind.TOO_LONG

    severity: ClassVar = Severity.WARNING

    def __init__(self, counter: TokenCounter, max_tokens: int) -> None:
        self._counter = counter
        self._limit = max_tokens

    def actions(self, shape: Shape) -> tuple[FixAction, ...]:
        if shape is Shape.TEXT:
            return FixAction.PIECES, FixAction.CUT, FixAction.REMOVE
        return (FixAction.CUT, FixAction.REMOVE) if text_columns(shape) else ()

    def find(self, frame: pl.DataFrame, shape: Shape) -> Hits:
        tokens = row_tokens(frame, shape, self._counter, self._limit, self._limit)
        index = (tokens > self._limit).arg_true()
        notes = [
            ngettext("{n} token", "{n} tokens", count).format(n=count) for count in tokens.gather(index[:50])
        ]
        notes += [""] * (len(index) - len(notes))
        return Hits(index, columns=learned_columns(shape) * len(index), notes=notes)

    def change(self, frame: pl.DataFrame, shape: Shape, action: FixAction, new_rows: NewRows) -> Treated:
        if action is FixAction.PIECES:
            return self._in_pieces(frame, new_rows)
        rows = frame.to_dicts()
        changed = sum(self._shorten(row, shape) for row in rows)
        return Treated(pl.DataFrame(rows, schema=frame.schema), changed=changed)

    def _shorten(self, row: dict[str, Any], shape: Shape) -> bool:
        """Cut the row in place; whether that was possible."""
        if "messages" in row:
            return self._shorten_conversation(row)
        answers = [name for name in ("response", "chosen", "rejected", "text") if name in row]
        others = [row[name] or "" for name in text_columns(shape) if name not in (*answers, "history")]
        others += [message["content"] for message in json.loads(row.get("history") or "[]")]
        room = self._limit - sum(self._counter.count(others))
        cuts: dict[str, str] = {name: self._counter.cut(row[name], room) for name in answers}
        if not all(text.strip() for text in cuts.values()):
            return False
        row.update(cuts)
        return True

    def _shorten_conversation(self, row: dict[str, Any]) -> bool:
        """Whole turns leave from the end; when only one is left, its answer is cut."""
        messages = json.loads(row["messages"])
        sizes = self._counter.count([message["content"] for message in messages])
        first_answer = 2 if messages[0]["role"] == "system" else 1
        while sum(sizes) > self._limit and len(messages) > first_answer + 1:
            messages, sizes = messages[:-2], sizes[:-2]
        if sum(sizes) > self._limit:
            room = self._limit - sum(sizes[:-1])
            messages[-1]["content"] = self._counter.cut(messages[-1]["content"], room)
        if not messages[-1]["content"].strip():
            return False
        row["messages"] = json_text(messages)
        return True

    def _in_pieces(self, frame: pl.DataFrame, new_rows: NewRows) -> Treated:
        rows: list[dict[str, Any]] = []
        changed = 0
        for row in frame.to_dicts():
            # None in a text of separators (\x1c and its kin) only: blank to Python, not to the import. It stays.
            first, *others = self.pieces(row["text"]) or [row["text"]]
            changed += first != row["text"]
            rows.append({**row, "text": first})
            numbers = new_rows(len(others))
            origin = {"origin": "added"} if "origin" in row else {}
            rows += [
                {**row, **origin, "row": number, "text": text}
                for number, text in zip(numbers, others, strict=True)
            ]
        added = len(rows) - frame.height
        return Treated(pl.DataFrame(rows, schema=frame.schema), changed=changed, added=added)

    def pieces(self, text: str) -> list[str]:
        """The text in parts of at most the limit, parted behind sentences where that is possible."""
        parts: list[str] = []
        text, start = text.strip(), 0
        window = self._limit * CHARACTERS_AT_MOST
        while start < len(text):
            rest = text[start : start + window]
            head = self._counter.cut(rest, self._limit)
            if start + len(head) < len(text):
                head = head[: _last_end(head)]
            head = head or rest[:1]  # one character of more tokens than the limit
            parts.append(head.strip())
            start += len(head)
            while start < len(text) and text[start].isspace():
                start += 1
        return parts


def _last_end(head: str) -> int:
    """Where to part: behind the last sentence in the second half, else behind the last word there, else at the end."""
    for pattern in (_SENTENCE_END, _WORD_END):
        ends = [found.end() for found in pattern.finditer(head)]
        if ends and ends[-1] * 2 >= len(head):
            return ends[-1]
    return len(head)
