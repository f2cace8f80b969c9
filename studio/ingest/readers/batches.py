"""What every reader yields: a table of text cells with their source row numbers, and the rows put aside."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Final, Protocol

import polars as pl

from studio.domain.datasets import RejectedRow
from studio.i18n import _, current_language

EXCERPT_CHARS: Final = 200
ROW: Final = "row"


@dataclass
class Batch:
    """frame: column ``row`` (Int64, source row from 1) and one text column per wanted cell; null = no such field.

    plain: proved that no cell holds a NUL or a carriage return, so that nobody needs to look again.
    """

    frame: pl.DataFrame
    rejected: list[RejectedRow] = field(default_factory=list)
    plain: bool = False


def in_pieces(batch: Batch, most_rows: int) -> Iterator[Batch]:
    """The batch in tables of ``most_rows`` at most; each rejection with the rows that it stands among."""
    if batch.frame.height <= most_rows:
        yield batch
        return
    waiting = sorted(batch.rejected, key=lambda item: item.row)
    for frame in batch.frame.iter_slices(most_rows):
        upto = bisect_left(waiting, int(frame[ROW][-1]), key=lambda item: item.row)
        yield Batch(frame, waiting[:upto], batch.plain)
        waiting = waiting[upto:]
    if waiting:
        yield Batch(batch.frame.clear(), waiting)


class Reader(Protocol):
    """One opened source. ``wanted``: name of a cell of the batch -> source column that it is read from."""

    columns: list[str]

    def head(self, limit: int) -> list[list[str]]:
        """The first rows as text, in the order of ``columns``; for the preview."""
        ...

    def batches(self, wanted: Mapping[str, str]) -> Iterator[Batch]:
        """All rows in order, in tables of a bounded size."""
        ...


def frame_of(
    rows: Sequence[int], cells: Sequence[Sequence[str | None]], roles: Sequence[str]
) -> pl.DataFrame:
    """A batch's table from Python rows, each in the order of ``roles``."""
    schema = {ROW: pl.Int64, **dict.fromkeys(roles, pl.String)}
    columns = zip(*cells, strict=True) if cells else ([] for _role in roles)
    data = {ROW: list(rows), **{role: list(column) for role, column in zip(roles, columns, strict=True)}}
    return pl.DataFrame(data, schema=schema)


def excerpt(text: str | bytes) -> str:
    """The beginning of a rejected row, safe to store and show."""
    if isinstance(text, str):
        text = text[: EXCERPT_CHARS + 1].encode("utf-8", "surrogatepass")
    shown = text[: EXCERPT_CHARS * 4].decode("utf-8", "backslashreplace").strip("\r\n")
    return shown if len(shown) <= EXCERPT_CHARS else shown[:EXCERPT_CHARS] + "…"


def rejection(row: int, code: str, text: str | bytes) -> RejectedRow:
    """A row put aside, with the reason in the user's language."""
    return RejectedRow(row=row, code=code, reason=reason(code), excerpt=excerpt(text))


def reason(code: str) -> str:
    """One sentence for each code a row can be put aside with, in the active language."""
    return _reasons(current_language())[code]


@cache
def _reasons(_language: str) -> dict[str, str]:
    """All sentences, translated once per language: a bad file can have a million such rows."""
    return {
        "too_many_fields": _("This row has more fields than there are columns."),
        "bad_quotes": _("A quotation mark in this row is not closed, or stands in the wrong place."),
        "stray_return": _("A line break stands in the middle of a field without quotation marks."),
        "invalid_bytes": _("This row holds bytes that are no text in the file's encoding."),
        "line_too_long": _("This line is too long to be one row."),
        "nul_character": _("This row holds a NUL character, which no text has."),
        "missing_prompt": _("There is no question: the field is empty, or the row is too short."),
        "missing_response": _("There is no answer: the field is empty, or the row is too short."),
        "missing_text": _("There is no text in this row."),
        "missing_messages": _("There is no conversation in this row."),
        "broken_json": _("This is not valid JSON, or it was cut short."),
        "not_an_object": _("This row is not a JSON object with named fields."),
        "duplicate_keys": _("The same field name stands twice in this row."),
        "not_a_conversation": _("The conversation is not a list of messages."),
        "missing_role": _("A message does not say who is speaking."),
        "unknown_role": _("A message is by someone who is neither system, user nor assistant."),
        "empty_message": _("A message has no text."),
        "roles_out_of_order": _("User and assistant do not take turns, beginning with the user."),
        "no_answer": _("The conversation does not end with an answer."),
        "no_question": _("The conversation before the answer does not end with a question."),
        "conversation_scattered": _("The messages of this conversation do not stand together in the file."),
        "missing_conversation": _("This message does not say which conversation it belongs to."),
        "missing_speaker": _("A message does not say who is speaking."),
        "missing_chosen": _("There is no better answer in this row."),
        "missing_rejected": _("There is no worse answer in this row."),
        "different_questions": _("The better and the worse answer belong to different questions."),
        "missing_thumb": _("This row does not say whether the answer was good."),
        "unknown_thumb": _(
            "This does not say whether the answer was good (up or down, true or false, 1 or 0, good or bad)."
        ),
        "missing_number": _("There is no number in this row."),
        "missing_rating": _("There is no rating in this row."),
        "missing_user": _("This row does not say who rated."),
        "missing_item": _("This row does not say what was rated."),
        "missing_image": _("This row names no image."),
        "missing_audio": _("This row names no recording."),
        "image_missing": _("There is no such image beside the source."),
        "audio_missing": _("There is no such recording beside the source."),
        "audio_outside": _("The path of the recording leads out of the folder of the source."),
        "audio_too_large": _("This recording is too long or too large to be taken."),
        "audio_unknown": _("This file is no recording of a known kind (WAV, FLAC, OGG, MP3, AIFF)."),
        "audio_broken": _("This recording is damaged, cut short or empty."),
        "image_outside": _("The path of the image leads out of the folder of the source."),
        "not_a_number": _("This is not a number."),
        "decimal_comma": _("The number has a comma in it; write it with a decimal point."),
        "image_too_large": _("This image has too many pixels or bytes to be taken."),
        "image_unknown": _("This file is no image of a known kind (PNG, JPEG, GIF, BMP, WebP, TIFF)."),
        "image_broken": _("This image is damaged or cut short."),
        "page_without_text": _("This page has no text layer, only an image."),
        "page_unreadable": _("This page of the PDF is damaged."),
        "outside_questions": _("This text stands outside the questions and answers."),
    }
