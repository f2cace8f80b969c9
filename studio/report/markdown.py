"""Markdown for texts that somebody typed: nothing in them may become a heading, a link or a picture."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_ANYWHERE = re.compile(r"[\\`*_\[\]|~$]")
_AT_AN_END = re.compile(r"^(#+|[+\-=]|\d+(?=[.)]))|#+$")
# HTML and links are recognised before a backslash is heeded by every reader.
_LINKS = re.compile(r"[<>&@]|:(?=//)|(?<=mailto):|(?<=xmpp):|(?<=www)\.", re.IGNORECASE)


def escaped(text: str) -> str:
    """One line of plain text that Markdown shows as it is."""
    line = _LINKS.sub(_spelt, " ".join(text.split()))
    return _AT_AN_END.sub(_spelt, _ANYWHERE.sub(r"\\\g<0>", line))


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


def _spelt(found: re.Match[str]) -> str:
    return "".join(f"&#{ord(character)};" for character in found[0])
