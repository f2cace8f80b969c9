"""Markdown for texts that somebody typed: nothing in them may become a heading, a link or a picture."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"([\\`*_{}\[\]<>()#+\-.!|~&$@:=^\"'])")


def escaped(text: str) -> str:
    """One line of plain text that Markdown shows as it is."""
    return _SPECIAL.sub(_harmless, " ".join(text.split()))


def code(text: str) -> str:
    """One line in a code span, whatever it holds."""
    line = " ".join(text.split()).replace("|", "¦")
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    gap = " " if line.startswith("`") or line.endswith("`") or not line else ""
    return f"{fence}{gap}{line}{gap}{fence}"


def heading(level: int, text: str) -> str:
    """A heading; ``text`` is Markdown already."""
    return f"{'#' * level} {text}"


def bullets(lines: Iterable[str]) -> str:
    """A list; the lines are Markdown already."""
    return "\n".join(f"- {line}" for line in lines)


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; cells are Markdown already and hold no line ends."""
    head = [_row(columns), _row(["---"] * len(columns))]
    return "\n".join([*head, *(_row(row) for row in rows)])


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _harmless(found: re.Match[str]) -> str:
    character = found[0]
    # HTML looks at these before Markdown's backslash is heeded by every reader.
    entities = {
        "<": "&lt;",
        ">": "&gt;",
        "&": "&amp;",
        "@": "&#64;",
        ":": "&#58;",
        '"': "&quot;",
        "'": "&#39;",
    }
    return entities.get(character, f"\\{character}")
