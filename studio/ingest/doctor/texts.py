"""The texts in a frame of canonical rows, as one flat column: taken out to be looked at, put back when changed.

A conversation is stored as JSON; its messages are texts of their own, so that no check sees braces and quotes.
"""

from __future__ import annotations

import json
from typing import Final

import polars as pl

from studio.domain.shapes import SHAPES, Shape
from studio.ingest.dataset.content import MESSAGE_COLUMNS, json_text, prose_columns
from studio.ingest.shaping.putting_aside import is_blank

PLAIN: Final = ("system", "prompt", "response", "chosen", "rejected", "text")
OPTIONAL: Final = ("system", "history")
# What an answer is judged by: a label, or a person's word. The rest of a row is what is judged.
VERDICTS: Final = ("label", "labels", "number", "thumb", "rating", "time")
_MESSAGES: Final = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))
_SCHEMA: Final = {"index": pl.UInt32, "column": pl.String, "part": pl.UInt32, "text": pl.String}


def text_columns(shape: Shape) -> list[str]:
    """The columns of the shape that hold text a person wrote, in stored order."""
    return list(prose_columns(shape))


def learned_columns(shape: Shape) -> list[str]:
    """The columns a model learns to give back, or to judge."""
    answers = ("response", "chosen", "messages", "text")
    return [str(name) for name in answers if name in SHAPES[shape].stored][:1]


def text_parts(frame: pl.DataFrame, columns: list[str]) -> pl.DataFrame:
    """index (position of the row in ``frame``), column, part (number of the message; 0), text; no nulls."""
    parts = [_parts(frame, name) for name in columns if name in frame.columns]
    return pl.concat(parts) if parts else pl.DataFrame(schema=_SCHEMA)


def _parts(frame: pl.DataFrame, column: str) -> pl.DataFrame:
    positions = pl.int_range(frame.height, dtype=pl.UInt32, eager=True).alias("index")
    if column in PLAIN:
        texts = pl.DataFrame([positions, frame[column].alias("text")]).with_columns(
            column=pl.lit(column), part=pl.lit(0, pl.UInt32)
        )
    else:
        texts = (
            pl.DataFrame([positions, messages_of(frame[column]).alias("message")])
            .with_columns(part=pl.int_ranges(0, pl.col("message").list.len(), dtype=pl.UInt32))
            .explode("message", "part")
            .with_columns(text=pl.col("message").struct.field("content"), column=pl.lit(column))
        )
    return texts.filter(pl.col("text").is_not_null()).select(*_SCHEMA)


def messages_of(cells: pl.Series) -> pl.Series:
    """The messages of canonical conversations, as a list of {role, content}; null where there are none."""
    return cells.str.json_decode(_MESSAGES)


def with_texts(frame: pl.DataFrame, parts: pl.DataFrame) -> pl.DataFrame:
    """The frame with these texts (index, column, part, text) in place of the old ones."""
    for (column,), changed in parts.group_by("column", maintain_order=True):
        name = str(column)
        if name in PLAIN:
            cells = frame[name].scatter(changed["index"], changed["text"])
        else:
            cells = _with_messages(frame[name], changed)
        frame = frame.with_columns(cells.alias(name))
    return frame


def _with_messages(cells: pl.Series, changed: pl.DataFrame) -> pl.Series:
    texts: dict[int, dict[int, str]] = {}
    for index, part, text in changed.select("index", "part", "text").iter_rows():
        texts.setdefault(index, {})[part] = text
    rebuilt = []
    for index, contents in texts.items():
        messages = json.loads(cells[index])
        for part, text in contents.items():
            messages[part]["content"] = text
        rebuilt.append(json_text(messages))
    return cells.scatter(pl.Series(list(texts), dtype=pl.UInt32), pl.Series(rebuilt, dtype=pl.String))


def whole_texts(frame: pl.DataFrame, columns: list[str]) -> pl.Series:
    """All text of each row, parts joined by line feeds; "" for none."""
    cells = [
        frame[name]
        if name in PLAIN
        else messages_of(frame[name])
        .list.eval(pl.element().struct.field("content"))
        .list.join("\n")
        .alias(name)
        for name in columns
    ]
    if len(cells) == 1:
        return cells[0].fill_null("").alias("text")
    joined = pl.concat_str(columns, separator="\n", ignore_nulls=True).alias("text")
    return pl.DataFrame(cells).select(joined)["text"]


def emptied(frame: pl.DataFrame, shape: Shape) -> pl.Series:
    """Which rows have lost a text that they need, a message included."""
    blank = pl.Series("blank", [False]).new_from_index(0, frame.height)
    for name in text_columns(shape):
        if name in MESSAGE_COLUMNS:
            parts = text_parts(frame, [name]).filter(is_blank("text"))
            blank = blank.scatter(parts["index"].unique(), True) if parts.height else blank
        elif name not in OPTIONAL:
            blank = blank | frame.select(is_blank(name).alias("blank"))["blank"]
    return blank
