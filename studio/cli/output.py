"""Where words and figures go: words for people to one stream, one JSON object for programs to the other."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from enum import Enum
from typing import IO, Any

from pydantic import BaseModel
from rich.console import Console
from rich.table import Table

from studio.errors import StudioError
from studio.i18n import _


class Output:
    """With ``as_json`` people's text goes to stderr, and stdout ends with exactly one line that is a JSON object."""

    def __init__(self, as_json: bool, stdout: IO[str] | None = None, stderr: IO[str] | None = None) -> None:
        self.as_json = as_json
        self._stdout = stdout or sys.stdout
        self._stderr = stderr or sys.stderr
        for stream in (self._stdout, self._stderr):
            if hasattr(stream, "reconfigure"):  # a console of another code page shows ? instead of failing
                stream.reconfigure(errors="replace")
        # Markup is off: data and model names may contain square brackets.
        self.console = Console(file=self._stderr if as_json else self._stdout, markup=False, highlight=False)
        self._errors = Console(file=self._stderr, markup=False, highlight=False)

    def say(self, text: str = "") -> None:
        """A line for a person."""
        self.console.print(text, soft_wrap=True)

    @property
    def progress(self) -> Console:
        """Where work under way is shown: the terminal that results go to, else stderr, never a file of results."""
        return self.console if self.console.is_terminal else self._errors

    def piece(self, text: str) -> None:
        """A part of a line, shown at once."""
        self.console.file.write(text)
        self.console.file.flush()

    def table(self, columns: Sequence[str], rows: Iterable[Sequence[object]], whole: int = 0) -> None:
        """A table for a person; cells are shown as text. whole: so many first columns are never folded."""
        table = Table(box=None, pad_edge=False, header_style="bold")
        for index, column in enumerate(columns):
            table.add_column(column, overflow="fold", no_wrap=index < whole)
        for row in rows:
            table.add_row(*("–" if cell is None or cell == "" else str(cell) for cell in row))
        self.console.print(table)

    def complain(self, problem: StudioError) -> None:
        """What happened and what to do next, for a person."""
        self._errors.print(_("Error: {message}").format(message=problem.message), style="red", soft_wrap=True)
        if problem.hint:
            self._errors.print(problem.hint, soft_wrap=True)

    def error(self, problem: StudioError) -> None:
        """The end of a verb that failed: words for a person, and the JSON object."""
        self.complain(problem)
        self.result({"error": error_facts(problem)})

    def result(self, data: Mapping[str, Any]) -> None:
        """The one JSON object; nothing without ``as_json``."""
        if self.as_json:
            self._stdout.write(json.dumps(plain(data), ensure_ascii=not _is_unicode(self._stdout)) + "\n")
            self._stdout.flush()


def error_facts(problem: StudioError) -> dict[str, str]:
    """An error for programs."""
    return {"code": problem.code, "message": problem.message, "hint": problem.hint}


def plain(value: Any) -> Any:
    """The value as JSON knows it: models as objects, times as ISO 8601, enums by value, non-finite numbers as null."""
    if isinstance(value, BaseModel):
        return plain(value.model_dump(mode="json"))
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    return value if isinstance(value, (str, int, bool, type(None))) else str(value)


def _is_unicode(stream: IO[str]) -> bool:
    return (getattr(stream, "encoding", None) or "").lower().replace("-", "") == "utf8"
