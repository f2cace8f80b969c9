"""Changed copies of training rows. Validation and test rows stay as they are, and are not copied."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any, Final

import polars as pl
from PIL import Image, UnidentifiedImageError

from studio.domain.datasets import Split
from studio.domain.recipes import AugmentStep, Example, StepOutcome
from studio.domain.shapes import Shape
from studio.i18n import _
from studio.ingest.dataset.content import json_text
from studio.ingest.versions import refusals
from studio.ingest.versions.context import StepContext
from studio.ingest.versions.image_operators import changed_image
from studio.ingest.versions.text_operators import changed

# What is changed is what comes in from outside; answers and labels are what is to be learned, and stay.
_TOUCHED: Final = {
    Shape.PROMPT_RESPONSE: "prompt",
    Shape.MESSAGES: "messages",
    Shape.PREFERENCE: "prompt",
    Shape.THUMBS: "prompt",
    Shape.TEXT: "text",
    Shape.TEXT_LABEL: "text",
    Shape.TEXT_LABELS: "text",
    Shape.TEXT_NUMBER: "text",
    Shape.IMAGE_LABEL: "image",
}
_CHECK_EVERY: Final = 50
_EXAMPLES: Final = 20


class AugmentRunner:
    """Every copy has its own random numbers, by the step's seed and the row's number: the same again next time.

    A copy that came out unchanged is left out, and counted in details["unchanged"]. Copies follow their frame.
    examples: the first copies beside the text that they were made from.
    Raises StudioError step.unsuitable.
    """

    def __init__(self, step: AugmentStep, context: StepContext) -> None:
        self._step = step
        self._context = context
        self.examples: list[Example] = []
        self._added = 0
        self._unchanged = 0
        column = _TOUCHED.get(context.shape)
        if column is None:
            raise refusals.unsuitable(_("These rows have no text and no image that could be changed."))
        if column == "image" and not step.image:
            raise refusals.unsuitable(_("These rows are images; choose at least one way to change an image."))
        if column != "image" and not step.text:
            raise refusals.unsuitable(_("These rows are texts; choose at least one way to change a text."))
        self._column = column

    @property
    def outcome(self) -> StepOutcome:
        details = {"unchanged": self._unchanged} if self._unchanged else {}
        return StepOutcome(step=self._step, rows_before=0, rows_after=0, added=self._added, details=details)

    def run(self, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        for frame in frames:
            yield frame
            # Copies of an earlier step are not copied again: the row they came from is.
            sources = frame.filter(
                pl.col("split") == Split.TRAIN.value, pl.col("origin").fill_null("") != "augmented"
            )
            for copy in range(self._step.copies):
                made = self._copies(sources, copy)
                if made.height:
                    yield made

    def _copies(self, sources: pl.DataFrame, copy: int) -> pl.DataFrame:
        new: list[str | None] = []
        for place, (row, cell) in enumerate(sources.select("row", self._column).iter_rows()):
            if place % _CHECK_EVERY == 0:
                self._context.check()
            rng = Random(f"{self._step.seed}:{row}:{copy}")
            new.append(self._changed(cell, rng))
        cells = pl.Series(self._column, new, dtype=pl.String)
        differs = cells.is_not_null() & (cells != sources[self._column]).fill_null(False)
        made = sources.with_columns(cells).filter(differs)
        if self._column != "image" and len(self.examples) < _EXAMPLES:
            self._note_examples(sources.filter(differs), made)
        self._unchanged += sources.height - made.height
        self._added += made.height
        numbers = pl.Series("row", self._context.next_row(made.height), dtype=pl.Int64)
        return made.with_columns(numbers, pl.lit("augmented").alias("origin"))

    def _note_examples(self, sources: pl.DataFrame, made: pl.DataFrame) -> None:
        for row, before, after in zip(sources["row"], sources[self._column], made[self._column], strict=True):
            if len(self.examples) == _EXAMPLES:
                return
            note = _("A new row; this one stays.")
            self.examples.append(Example(row=row, column=self._column, before=before, after=after, note=note))

    def _changed(self, cell: str | None, rng: Random) -> str | None:
        step = self._step
        if cell is None:
            return None
        if self._column == "messages":
            return json_text([self._message(message, rng) for message in json.loads(cell)])
        if self._column != "image":
            return changed(cell, step.text, step.strength, rng)
        try:
            return changed_image(self._context.images, cell, step.image, step.strength, rng)
        except (Image.DecompressionBombError, UnidentifiedImageError, FileNotFoundError, SyntaxError):
            return None  # a picture that cannot be opened has no copies; the row itself stays

    def _message(self, message: dict[str, Any], rng: Random) -> dict[str, Any]:
        if message["role"] != "user":
            return message
        return {**message, "content": changed(message["content"], self._step.text, self._step.strength, rng)}
