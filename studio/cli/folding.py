"""Lets long help texts continue on the next line, and what Typer adds to them be in the user's language.

Typer's help tables break lines at spaces and cut off a longer "word" with an ellipsis; a Chinese sentence has no
spaces, so most of it was lost. Rich can fold such words, but Typer has no option for it, so its text maker is
exchanged while one help page is written. Its own words are constants, made before the language is known.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.text import Text

from studio.i18n import _


@contextmanager
def folded_help() -> Iterator[None]:
    """While this lasts, Typer's help texts fold instead of being cut off, and its own words are translated."""
    from typer import rich_utils  # only help pages need it

    class Folding(rich_utils.OptionHighlighter):
        def __call__(self, text: str | Text) -> Text:
            made = super().__call__(text)
            made.overflow = "fold"
            return made

    words = {"DEFAULT_STRING": _("[default: {}]"), "REQUIRED_LONG_STRING": _("[required]")}
    exchanged = {"highlighter": Folding(), **words}
    usual = {name: getattr(rich_utils, name) for name in exchanged}
    vars(rich_utils).update(exchanged)
    try:
        yield
    finally:
        vars(rich_utils).update(usual)
