"""The table that an export writes: the columns by which our own importer knows the shape again, and ``split``.

``split`` is there for people and other programs; an import does not heed it but splits by content, which for rows that
were never split otherwise gives the same splits again.

Answers that were judged may follow a longer conversation. Then the question's columns become one, ``messages``, as the
importer takes it; so they do where a question itself looks like JSON, which would be taken for messages.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import polars as pl

from studio.domain.shapes import SHAPES, Shape
from studio.ingest.dataset.content import JSON_COLUMNS, json_text
from studio.ingest.versions.rowstream import frames_of

_JUDGED: Final = (Shape.PREFERENCE, Shape.THUMBS)
_ANSWERS: Final = ("chosen", "rejected", "response")
_JSON_LOOK: Final = r"^\s*[\[{]"


class ExportTable:
    """The rows of a dataset as they are exported; can be gone through more than once.

    splits: of which rows; None for all.
    """

    def __init__(
        self, dataset_dir: Path, shape: Shape, splits: Sequence[str] | None, check: Callable[[], None]
    ) -> None:
        self._dir = dataset_dir
        self._shape = shape
        self._splits = list(splits) if splits else None
        self._check = check
        self.rows = 0
        present = dict.fromkeys(SHAPES[shape].stored, False)
        looks_json = False
        for frame in self._frames():
            self.rows += frame.height
            present = {
                name: seen or frame[name].null_count() < frame.height for name, seen in present.items()
            }
            looks_json = looks_json or self._has_json_question(frame)
        self._as_messages = shape in _JUDGED and (present["history"] or looks_json)
        self.columns = self._named(present)

    @property
    def json_columns(self) -> tuple[str, ...]:
        """Columns of ``columns`` that hold JSON text."""
        return tuple(name for name in self.columns if name in JSON_COLUMNS)

    def frames(self) -> Iterator[tuple[pl.DataFrame, list[int]]]:
        """(columns of ``columns``, their row numbers), in order."""
        for frame in self._frames():
            if frame.height:
                yield self._shaped(frame).select(self.columns), frame["row"].to_list()

    def _frames(self) -> Iterator[pl.DataFrame]:
        for frame in frames_of(self._dir, self._shape, self._check):
            yield frame if self._splits is None else frame.filter(pl.col("split").is_in(self._splits))

    def _named(self, present: dict[str, bool]) -> tuple[str, ...]:
        if self._as_messages:
            answers = ("thumb",) if self._shape is Shape.THUMBS else ("chosen", "rejected")
            return ("messages", *answers, "split")
        never_empty = {"label", "labels"}  # a column of labels still to be given
        return (*(name for name, seen in present.items() if seen or name in never_empty), "split")

    def _has_json_question(self, frame: pl.DataFrame) -> bool:
        return self._shape in _JUDGED and bool(frame["prompt"].str.contains(_JSON_LOOK).any())

    def _shaped(self, frame: pl.DataFrame) -> pl.DataFrame:
        if self._shape not in _JUDGED:
            return frame
        if self._as_messages:
            texts = [_conversation(row) for row in frame.iter_rows(named=True)]
            frame = frame.with_columns(pl.Series("messages", texts, dtype=pl.String))
        return frame.with_columns(
            frame[name].map_elements(_safe_answer, return_dtype=pl.String)
            for name in _ANSWERS
            if name in frame.columns
        )


def _conversation(row: dict[str, Any]) -> str:
    """All messages up to the last question, and for thumbs the answer too."""
    messages = [{"role": "system", "content": row["system"]}] if row["system"] else []
    messages += json.loads(row["history"]) if row["history"] else []
    messages.append({"role": "user", "content": row["prompt"]})
    if "response" in row:
        messages.append({"role": "assistant", "content": row["response"]})
    return json_text(messages)


def _safe_answer(text: str) -> str:
    """An answer that looks like JSON goes as a message, so that it is not taken for one."""
    if not text.lstrip().startswith(("{", "[")):
        return text
    return json_text({"role": "assistant", "content": text})
