"""Find and replace in the content columns; inside JSON only in what is said, so that it stays JSON."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from studio.domain.recipes import ReplaceStep, StepOutcome
from studio.domain.shapes import SHAPES
from studio.i18n import N_, _
from studio.ingest.dataset.content import change_inside
from studio.ingest.versions import refusals
from studio.ingest.versions.context import StepContext
from studio.ingest.versions.validity import Invalid, require_valid, tidied

# Pictures are named by their content; another name would be another picture.
_NEVER = ("image",)
# What the crate finds wrong with patterns of beginners, in its own words, so that they can be translated.
_REASONS = (
    N_("unclosed group"),
    N_("unopened group"),
    N_("unclosed character class"),
    N_("unclosed counted repetition"),
    N_("repetition operator missing expression"),
    N_("repetition quantifier expects a valid decimal"),
    N_("invalid repetition count range, the start must be <= the end"),
    N_("invalid character class range, the start must be <= the end"),
    N_("invalid range boundary, must be a literal"),
    N_("unclosed capture group name"),
    N_("Unicode property not found"),
    N_("invalid escape sequence found in character class"),
    N_("incomplete escape sequence, reached end of pattern prematurely"),
    N_("unrecognized escape sequence"),
    N_("unrecognized flag"),
    N_("backreferences are not supported"),
    N_("look-around, including look-ahead and look-behind, is not supported"),
)


class ReplaceRunner:
    """Raises StudioError step.bad_pattern, step.no_such_column, step.invalid_row."""

    def __init__(self, step: ReplaceStep, context: StepContext) -> None:
        self._step = step
        self._context = context
        stored = SHAPES[context.shape].stored
        for name in step.columns:
            if name not in stored:
                raise refusals.no_such_column(name)
        self._columns = [name for name in step.columns or stored if name not in _NEVER]
        self._literal = not step.regex and step.match_case
        self._pattern = _pattern(step)
        self._replacement = step.replacement if step.regex or self._literal else _plain(step.replacement)
        self._changed = 0
        require_pattern(self._pattern, literal=self._literal)

    @property
    def outcome(self) -> StepOutcome:
        return StepOutcome(step=self._step, rows_before=0, rows_after=0, changed=self._changed)

    def run(self, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        for frame in frames:
            yield self._replaced(frame)

    def _replaced(self, frame: pl.DataFrame) -> pl.DataFrame:
        new = [change_inside(frame[name], self._change) for name in self._columns]
        differs = pl.any_horizontal(pl.col(column.name).ne_missing(column) for column in new)
        touched = frame.select(differs.alias("touched"))["touched"]
        if not touched.any():
            return frame
        # Only rows in which something was found are tidied: all others stay as they are, to the letter.
        before = frame.filter(touched)
        after = tidied(before.with_columns(column.filter(touched) for column in new), self._context.shape)
        try:
            require_valid(after, self._context.shape, before, self._context.images)
        except Invalid as invalid:
            raise refusals.invalid_row(invalid.row, invalid.sentence) from invalid
        self._changed += after.height
        places = pl.int_range(0, frame.height, eager=True)
        order = pl.concat([places.filter(touched), places.filter(~touched)])
        return pl.concat([after, frame.filter(~touched)])[order.arg_sort()]

    def _change(self, texts: pl.Series) -> pl.Series:
        return texts.str.replace_all(self._pattern, self._replacement, literal=self._literal)


def require_pattern(pattern: str, *, literal: bool = False) -> None:
    """Raise StudioError step.bad_pattern when the Rust regex crate cannot read it."""
    try:
        pl.Series([""]).str.contains(pattern, literal=literal)
    except pl.exceptions.ComputeError as error:
        raise refusals.bad_pattern(_what_is_wrong(str(error))) from error


def _pattern(step: ReplaceStep) -> str:
    found = step.find if step.regex or step.match_case else pl.escape_regex(step.find)
    return found if step.match_case else f"(?i){found}"


def _plain(replacement: str) -> str:
    """A replacement in which no dollar sign means a group."""
    return replacement.replace("$", "$$")


def _what_is_wrong(said: str) -> str:
    """The last line of the crate's report: ``error: unclosed group``, translated where it is a known one."""
    lines = [line for line in said.splitlines() if line.startswith("error: ")]
    reason = lines[0].removeprefix("error: ") if lines else said.splitlines()[0]
    return _(reason) if reason in _REASONS else reason
