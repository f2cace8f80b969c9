"""The canonical rows of one import, batch by batch: what each shape makes of its cells."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import polars as pl

from studio.domain.datasets import RejectedRow
from studio.domain.shapes import SHAPES, ColumnRole, Shape
from studio.ingest.readers.batches import ROW, Batch
from studio.ingest.shaping import compared, dialogue, values
from studio.ingest.shaping.putting_aside import blank_codes, put_aside

Transform = Callable[[pl.DataFrame, list[RejectedRow]], pl.DataFrame]

_TRANSFORMS: Final[dict[Shape, Transform]] = {
    Shape.PROMPT_RESPONSE: dialogue.questions,
    Shape.PREFERENCE: compared.preferences,
    Shape.THUMBS: compared.thumbs,
    Shape.TEXT: lambda frame, _rejected: frame,
    Shape.TEXT_LABEL: values.single_label,
    Shape.TEXT_LABELS: values.several_labels,
    Shape.TEXT_NUMBER: values.numbers,
    Shape.IMAGE_LABEL: values.single_label,
    Shape.AUDIO_LABEL: values.single_label,
    Shape.RATINGS: values.ratings,
}
# A row without one of these is no row of its shape; a label may still be waiting to be given.
_MUST_BE_THERE: Final = (
    ColumnRole.PROMPT, ColumnRole.RESPONSE, ColumnRole.MESSAGES, ColumnRole.CHOSEN, ColumnRole.REJECTED,
    ColumnRole.THUMB, ColumnRole.TEXT, ColumnRole.NUMBER, ColumnRole.IMAGE, ColumnRole.AUDIO, ColumnRole.USER,
    ColumnRole.ITEM, ColumnRole.RATING, ColumnRole.SPEAKER, ColumnRole.CONVERSATION,
)  # fmt: skip

# Their cells hold no character that the source's cells did not: others read JSON, which has ways to write any.
_COPIED: Final = (Shape.PROMPT_RESPONSE, Shape.TEXT, Shape.TEXT_LABEL, Shape.TEXT_NUMBER, Shape.RATINGS)


class Shaper:
    """Turns batches of source cells (named by wanted.wanted_columns) into batches of canonical columns.

    Batches are given in source order; ``finish`` gives the rows that waited for more, as a conversation that is
    spread over several source rows does. A row's number is that of its first source row.
    """

    def __init__(self, shape: Shape, wanted: Mapping[str, str]) -> None:
        self._stored = SHAPES[shape].stored
        self._needed = [role.value for role in _MUST_BE_THERE if role.value in wanted]
        self._gatherer = dialogue.Gatherer() if ColumnRole.CONVERSATION.value in wanted else None
        self._copies = shape in _COPIED
        self._transform = _messages_transform(wanted) if shape is Shape.MESSAGES else _TRANSFORMS[shape]

    def batch(self, batch: Batch) -> Batch:
        """The batch in canonical columns: ``row`` and SHAPES[shape].stored; bad rows are rejections."""
        rejected = list(batch.rejected)
        frame = self._reject_blank(batch.frame, rejected)
        frame = self._gatherer.add(frame, rejected) if self._gatherer else self._transform(frame, rejected)
        return self._done(frame, rejected, plain=batch.plain and self._copies)

    def finish(self) -> Batch:
        """What is left after the last batch; often nothing."""
        rejected: list[RejectedRow] = []
        if self._gatherer is None:
            empty = pl.DataFrame(schema={ROW: pl.Int64, **dict.fromkeys(self._stored, pl.String)})
            return Batch(empty)
        return self._done(self._gatherer.finish(rejected), rejected)

    def _reject_blank(self, frame: pl.DataFrame, rejected: list[RejectedRow]) -> pl.DataFrame:
        codes = blank_codes(frame, self._needed)
        return frame if codes is None else put_aside(frame, codes, rejected)

    def _done(self, frame: pl.DataFrame, rejected: list[RejectedRow], *, plain: bool = False) -> Batch:
        absent = [pl.lit(None, pl.String).alias(name) for name in self._stored if name not in frame.columns]
        frame = frame.with_columns(absent).select(ROW, *self._stored)
        if not plain:
            frame = _without_nul(frame, self._stored, rejected)
        return Batch(frame, sorted(rejected, key=lambda item: item.row), plain)


def _without_nul(frame: pl.DataFrame, columns: Sequence[str], rejected: list[RejectedRow]) -> pl.DataFrame:
    found = [pl.col(name).str.contains("\0", literal=True).fill_null(False) for name in columns]
    code = pl.when(pl.any_horizontal(found)).then(pl.lit("nul_character"))
    return put_aside(frame, frame.select(code.alias("code"))["code"], rejected)


def _messages_transform(wanted: Mapping[str, str]) -> Transform:
    return dialogue.conversations if ColumnRole.MESSAGES.value in wanted else dialogue.turn_columns
