"""Lets long help texts continue on the next line in every language.

Typer's help tables break lines at spaces and cut off a longer "word" with an ellipsis; a Chinese sentence has no
spaces, so most of it was lost. Rich can fold such words, but Typer has no option for it, so its text maker is
exchanged while one help page is written.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.text import Text


@contextmanager
def folded_help() -> Iterator[None]:
    """While this lasts, Typer's help texts fold instead of being cut off."""
    from typer import rich_utils  # only help pages need it

    class Folding(rich_utils.OptionHighlighter):
        def __call__(self, text: str | Text) -> Text:
            made = super().__call__(text)
            made.overflow = "fold"
            return made

    usual = rich_utils.highlighter
    rich_utils.highlighter = Folding()
    try:
        yield
    finally:
        rich_utils.highlighter = usual
