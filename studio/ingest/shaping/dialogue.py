"""Questions and answers, and conversations in their three forms: one cell, turn columns, one message a row."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import polars as pl

from studio.domain.datasets import RejectedRow
from studio.ingest.clean_conversations import canonical
from studio.ingest.readers.batches import ROW, frame_of
from studio.ingest.shaping.conversations import Messages, disorder, dumped, message, of_value, read
from studio.ingest.shaping.putting_aside import is_blank, put_aside
from studio.ingest.shaping.wanted import TURN_PREFIX

_MOST_MESSAGES: Final = 10_000


def questions(frame: pl.DataFrame, _rejected: list[RejectedRow]) -> pl.DataFrame:
    """Extra input is appended to the question; a blank instruction to the model is none."""
    return frame.with_columns(*_with_context(frame), *_system(frame))


def _with_context(frame: pl.DataFrame) -> list[pl.Expr]:
    if "context" not in frame.columns or "prompt" not in frame.columns:
        return []
    joined = pl.concat_str("prompt", "context", separator="\n\n")
    return [pl.when(is_blank("context")).then("prompt").otherwise(joined).alias("prompt")]


def _system(frame: pl.DataFrame) -> list[pl.Expr]:
    return [pl.when(~is_blank("system")).then("system").alias("system")] if "system" in frame.columns else []


def conversations(frame: pl.DataFrame, rejected: list[RejectedRow]) -> pl.DataFrame:
    """One cell holds the list of messages; an instruction in its own column goes before them."""
    if "system" in frame.columns:
        return _read_each(frame, frame["system"], rejected)
    proved = canonical(frame["messages"])
    doubtful = frame.filter(proved.is_null())
    clean = frame.with_columns(proved).filter(proved.is_not_null())
    if doubtful.is_empty():
        return clean
    read = _read_each(doubtful, [None] * doubtful.height, rejected)
    return pl.concat([clean, read]).sort(ROW)


def _read_each(
    frame: pl.DataFrame, systems: Iterable[str | None], rejected: list[RejectedRow]
) -> pl.DataFrame:
    results = [_judged(*read(text), system) for text, system in zip(frame["messages"], systems, strict=True)]
    return _with_messages(frame, results, rejected)


def turn_columns(frame: pl.DataFrame, rejected: list[RejectedRow]) -> pl.DataFrame:
    """Each turn has its column; empty ones after the last turn are not there."""
    names = [name for name in frame.columns if name.startswith(TURN_PREFIX)]
    speakers = [name.rsplit("_", 1)[1] for name in names]
    systems = frame["system"] if "system" in frame.columns else [None] * frame.height
    results = [
        _judged(*_from_turns(list(zip(speakers, cells, strict=True))), system)
        for cells, system in zip(frame.select(names).iter_rows(), systems, strict=True)
    ]
    return _with_messages(frame, results, rejected)


Judged = tuple[
    str | None, str
]  # canonical text, code of what is wrong; both for an order that a fix can mend


def _judged(messages: Messages | None, fault: str, system: str | None) -> Judged:
    if messages is None:
        return None, fault
    if system and system.strip() and messages[0]["role"] != "system":
        messages = [{"role": "system", "content": system}, *messages]
    return dumped(messages), fault


def _from_turns(turns: list[tuple[str, str | None]]) -> tuple[Messages | None, str]:
    while turns and not (turns[-1][1] or "").strip():
        turns.pop()
    if not turns:
        return None, "missing_messages"
    return of_value([{"role": speaker, "content": content} for speaker, content in turns])


def _with_messages(frame: pl.DataFrame, results: list[Judged], rejected: list[RejectedRow]) -> pl.DataFrame:
    codes = pl.Series("code", [fault or None for _text, fault in results], dtype=pl.String)
    texts = pl.Series("messages", [text for text, _fault in results], dtype=pl.String)
    rows = frame[ROW].to_list()
    repairable = {row: text for row, (text, fault) in zip(rows, results, strict=True) if fault and text}
    return put_aside(frame, codes, rejected, repairable).with_columns(texts.filter(codes.is_null()))


class Gatherer:
    """One message a source row: neighbouring rows with the same conversation number become one row.

    A number that comes back after another began is put aside: its messages do not stand together.
    """

    def __init__(self) -> None:
        self._ended: set[int] = set()
        self._id: str | None = None
        self._row = 0
        self._messages: Messages = []
        self._fault = ""

    def add(self, frame: pl.DataFrame, rejected: list[RejectedRow]) -> pl.DataFrame:
        """The conversations that ended within these rows; the last one waits."""
        done: list[tuple[int, Judged]] = []
        for row, conversation, speaker, content in frame.select(
            ROW, "conversation", "speaker", "content"
        ).iter_rows():
            if conversation != self._id:
                done += self._end()
                self._begin(row, conversation)
            self._say(speaker, content)
        return _gathered(done, rejected)

    def finish(self, rejected: list[RejectedRow]) -> pl.DataFrame:
        """The last conversation."""
        return _gathered(self._end(), rejected)

    def _begin(self, row: int, conversation: str) -> None:
        self._id, self._row, self._messages = conversation, row, []
        self._fault = "conversation_scattered" if hash(conversation) in self._ended else ""

    def _say(self, speaker: str, content: str | None) -> None:
        found, fault = message(speaker, content)
        if found is None or len(self._messages) >= _MOST_MESSAGES:
            self._fault = self._fault or fault or "line_too_long"
        else:
            self._messages.append(found)

    def _end(self) -> list[tuple[int, Judged]]:
        if self._id is None:
            return []
        self._ended.add(hash(self._id))
        self._id = None
        if self._fault:
            return [(self._row, (None, self._fault))]
        fault = disorder([item["role"] for item in self._messages]) or ""
        return [(self._row, (dumped(self._messages), fault))]


def _gathered(done: list[tuple[int, Judged]], rejected: list[RejectedRow]) -> pl.DataFrame:
    frame = frame_of([row for row, _result in done], [[] for _item in done], [])
    return _with_messages(frame, [result for _row, result in done], rejected)
