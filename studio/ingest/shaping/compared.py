"""Answers that were judged: pairs of a better and a worse one (DPO), and single ones with a thumb (KTO)."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final, NamedTuple

import polars as pl

from studio.domain.datasets import RejectedRow
from studio.ingest.readers.batches import ROW
from studio.ingest.shaping.conversations import (
    Messages,
    dumped,
    looks_like_conversation,
    looks_like_message,
    message_of,
    of_value,
)
from studio.ingest.shaping.dialogue import questions
from studio.ingest.shaping.putting_aside import put_aside

THUMBS: Final = {
    **dict.fromkeys(
        ("up", "true", "1", "+1", "yes", "good", "like", "liked", "positive", "👍", "好", "赞", "是", "满意", "有用"),
        "up",
    ),
    **dict.fromkeys(
        ("down", "false", "0", "-1", "no", "bad", "dislike", "disliked", "negative", "👎", "差", "踩", "否",
         "不满意", "没用"),
        "down",
    ),
}  # fmt: skip


class _Said(NamedTuple):
    """The end of a conversation: what went before it (None: not told), and the last text."""

    before: Messages | None
    text: str


class _Bad(ValueError):
    """The row cannot be used; its text is the code."""


def preferences(frame: pl.DataFrame, rejected: list[RejectedRow]) -> pl.DataFrame:
    """Columns system, history, prompt, chosen, rejected."""
    return _row_by_row(questions(frame, rejected), _preference, ("chosen", "rejected"), rejected)


def thumbs(frame: pl.DataFrame, rejected: list[RejectedRow]) -> pl.DataFrame:
    """Columns system, history, prompt, response, thumb (up or down)."""
    plain = pl.col("thumb").str.strip_chars().str.to_lowercase()
    told = frame.select(plain.replace_strict(THUMBS, default=None, return_dtype=pl.String))["thumb"]
    codes = told.is_null().to_frame().select(pl.when(pl.first()).then(pl.lit("unknown_thumb"))).to_series()
    frame = put_aside(frame, codes, rejected).with_columns(told.drop_nulls())
    kept = _row_by_row(questions(frame, rejected), _thumb, ("response",), rejected)
    return kept.join(frame.select(ROW, "thumb"), on=ROW, how="left", maintain_order="left")


Read = Callable[[dict[str, str | None]], tuple[Messages, tuple[str, ...]]]


def _row_by_row(
    frame: pl.DataFrame, read: Read, answers: tuple[str, ...], rejected: list[RejectedRow]
) -> pl.DataFrame:
    """Each row by ``read``: the messages up to the last question, and the texts of ``answers``."""
    names = ("system", "history", "prompt", *answers)
    cells: dict[str, list[str | None]] = {name: [] for name in names}
    codes: list[str | None] = []
    for row in frame.iter_rows(named=True):
        try:
            before, texts = read(row)
            found, code = _parted(before, texts), None
        except _Bad as problem:
            found, code = (None,) * len(names), str(problem)
        codes.append(code)
        for name, cell in zip(names, found, strict=True):
            cells[name].append(cell)
    new = [pl.Series(name, column, dtype=pl.String) for name, column in cells.items()]
    kept = pl.Series("code", codes, dtype=pl.String)
    used = put_aside(frame, kept, rejected).select(ROW)
    return used.with_columns(column.filter(kept.is_null()) for column in new)


def _parted(before: Messages, answers: tuple[str, ...]) -> tuple[str | None, ...]:
    system = before[0]["content"] if before[0]["role"] == "system" else None
    turns = before[1:] if system is not None else before
    history = dumped(turns[:-1]) if len(turns) > 1 else None
    return system, history, turns[-1]["content"], *answers


def _preference(row: dict[str, str | None]) -> tuple[Messages, tuple[str, ...]]:
    chosen, rejected = _answer(row["chosen"] or ""), _answer(row["rejected"] or "")
    told = [said.before for said in (chosen, rejected) if said.before]
    question = _question(row)
    if question is None:
        if not told:
            raise _Bad("missing_prompt")
        if told[0] != told[-1]:
            raise _Bad("different_questions")
        question = _with_system(row, told[0])
    return question, (chosen.text, rejected.text)


def _thumb(row: dict[str, str | None]) -> tuple[Messages, tuple[str, ...]]:
    if row.get("messages"):
        said = _answer(row["messages"] or "")
        if said.before is None:
            raise _Bad("not_a_conversation")
        return _with_system(row, said.before), (said.text,)
    question = _question(row)
    if question is None:
        raise _Bad("missing_prompt")
    return question, (_answer(row["response"] or "").text,)


def _question(row: dict[str, str | None]) -> Messages | None:
    """The messages up to the last question by the row's own question cell, None when it has none."""
    cell = row.get("messages") or row.get("prompt")
    if not cell:
        return None
    value = _json(cell)
    if looks_like_conversation(value):
        messages, fault = of_value(value, ends_with="user")
        if messages is None or fault:
            raise _Bad(fault)
        return _with_system(row, messages)
    if row.get("messages"):
        raise _Bad("not_a_conversation")
    return _with_system(row, [{"role": "user", "content": cell}])


def _with_system(row: dict[str, str | None], messages: Messages) -> Messages:
    system = row.get("system")
    if system and messages[0]["role"] != "system":
        return [{"role": "system", "content": system}, *messages]
    return messages


def _answer(cell: str) -> _Said:
    """An answer as text, as one message, or as a whole conversation that ends with it."""
    value = _json(cell)
    if looks_like_message(value):
        message, fault = message_of(value)
        if message is None or message["role"] != "assistant":
            raise _Bad(fault or "no_answer")
        return _Said(None, message["content"])
    if isinstance(value, list) and looks_like_conversation(value):
        return _last_of(value)
    return _Said(None, cell)


def _last_of(value: list[object]) -> _Said:
    if len(value) == 1:
        message, fault = message_of(value[0])
        if message is None or message["role"] != "assistant":
            raise _Bad(fault or "no_answer")
        return _Said(None, message["content"])
    messages, fault = of_value(value)
    if messages is None or fault:
        raise _Bad(fault)
    return _Said(messages[:-1], messages[-1]["content"])


def _json(cell: str) -> object:
    """The cell's value where it is JSON of an object or a list; else None."""
    if not cell.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(cell)
    except (ValueError, RecursionError):
        return None
