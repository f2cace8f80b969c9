"""Comments and messages within the parts of a run's program: found for the catalogue, said in the active language."""

from __future__ import annotations

import json
import re
from typing import Final

from studio.i18n import _

# A docstring of one line, a comment that is no directive, and _("…") around what the program says.
_TEXT: Final = re.compile(
    r'(?<=""")[^"@\n]+(?=""")|(?<=# )(?!fmt:|ruff:|mypy:)\S.*$|_\("(?P<message>[^"\n]+)"\)', re.MULTILINE
)


def texts_of(part: str) -> list[str]:
    """Every English sentence of the part, for the catalogue."""
    return [found["message"] or found[0] for found in _TEXT.finditer(part)]


def translated(part: str) -> str:
    """The part with its sentences in the active language."""
    return _TEXT.sub(_said, part)


def _said(found: re.Match[str]) -> str:
    message = found["message"]
    return json.dumps(_(message), ensure_ascii=False) if message else _(found[0])
