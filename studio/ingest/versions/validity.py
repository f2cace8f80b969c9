"""Whether rows that a step changed are still rows of their shape; the same rules by which an import puts rows aside."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import polars as pl

from studio.domain.datasets import RejectedRow
from studio.domain.shapes import SHAPES, Shape
from studio.i18n import _
from studio.ingest.dataset.content import MESSAGE_COLUMNS
from studio.ingest.dataset.file_store import FileStore
from studio.ingest.dataset.pictures import FILE_KINDS
from studio.ingest.readers.batches import reason
from studio.ingest.shaping.conversations import read
from studio.ingest.shaping.putting_aside import is_blank
from studio.ingest.shaping.values import numbers, ratings, several_labels, single_label

# What may be empty in a row; all else must hold something.
_OPTIONAL: Final = ("system", "history", "label", "labels", "time")
_THUMBS: Final = ("up", "down")


def tidied(frame: pl.DataFrame, shape: Shape) -> pl.DataFrame:
    """Canonical cells as an import would have made them: blank optional cells are null, labels trimmed and sorted."""
    names = [name for name in SHAPES[shape].stored if name in _OPTIONAL]
    blank_is_null = [pl.when(~is_blank(name)).then(name).alias(name) for name in names]
    return several_labels(single_label(frame.with_columns(blank_is_null), []), [])


def require_valid(frame: pl.DataFrame, shape: Shape, before: pl.DataFrame | None, images: FileStore) -> None:
    """Raise Invalid for the first row that is none of its shape.

    frame: ``row`` and content columns of changed rows. before: the same rows as they were; what was empty before may
    stay so (a question that still has to be written). images: the image store.
    """
    for name in SHAPES[shape].stored:
        _require_text(frame, name, before)
        _require_no_nul(frame, name)
    for name in MESSAGE_COLUMNS:
        if name in frame.columns:
            _require_conversations(frame, name)
    for rejected in _misread_numbers(frame, shape):
        raise Invalid(rejected.row, rejected.reason)
    if shape is Shape.THUMBS:
        _require(
            frame,
            pl.col("thumb").is_in(_THUMBS),
            _("Whether the answer was good is written as “up” or “down”."),
        )
    if shape is Shape.IMAGE_LABEL:
        _require_stored(frame, "image", images, _("There is no such image among those imported."))
    if shape is Shape.AUDIO_LABEL:
        audio = FileStore(images.folder.parent / FILE_KINDS[shape].folder)
        _require_stored(frame, "audio", audio, _("There is no such recording among those imported."))


class Invalid(Exception):
    """A row is none of its shape; the caller turns it into a refusal."""

    def __init__(self, row: int, sentence: str) -> None:
        super().__init__(sentence)
        self.row = row
        self.sentence = sentence


def _require(frame: pl.DataFrame, good: pl.Expr, sentence: str) -> None:
    bad = frame.filter(~good)
    if bad.height:
        raise Invalid(int(bad["row"][0]), sentence)


def _require_text(frame: pl.DataFrame, name: str, before: pl.DataFrame | None) -> None:
    if name in _OPTIONAL:
        return
    blank = frame.select(is_blank(name)).to_series()
    if before is not None:
        blank &= ~before.select(is_blank(name)).to_series()
    if blank.any():
        raise Invalid(int(frame["row"].filter(blank)[0]), reason(f"missing_{name}"))


def _require_no_nul(frame: pl.DataFrame, name: str) -> None:
    has_none = ~pl.col(name).str.contains("\0", literal=True).fill_null(False)
    _require(frame, has_none, reason("nul_character"))


def _require_conversations(frame: pl.DataFrame, name: str) -> None:
    for row, text in frame.select("row", name).iter_rows():
        if text is None:
            continue
        messages, fault = read(text)
        if messages is None or fault:
            raise Invalid(row, reason(fault))


def _misread_numbers(frame: pl.DataFrame, shape: Shape) -> list[RejectedRow]:
    rejected: list[RejectedRow] = []
    if shape is Shape.TEXT_NUMBER:
        numbers(frame, rejected)
    elif shape is Shape.RATINGS:
        ratings(frame, rejected)
    return rejected


def _require_stored(frame: pl.DataFrame, column: str, store: FileStore, sentence: str) -> None:
    for row, name in frame.select("row", column).iter_rows():
        if Path(name).name != name or not store.place(name).is_file():
            raise Invalid(row, sentence)
