"""Inputs for a predictor from a file: a CSV with a column that says what is asked, or plain text, one a line."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any, Final

from studio.errors import StudioError
from studio.i18n import _

MOST = 1_000_000
COLUMNS: Final = ("text", "image", "audio", "user")


def read_inputs(file: Path) -> list[dict[str, Any]]:
    """The inputs in their order; the first known column of a CSV counts, files beside it are named from its folder.

    Raises StudioError ``input.missing``, ``input.unreadable``, ``predict.no_column``, ``predict.too_many``.
    """
    if not file.is_file():
        raise StudioError("input.missing", _("The file {name} is not there.").format(name=file.name))
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            if file.suffix.lower() == ".txt":
                values, column = (
                    [line.strip() for line, _n in zip(lines, range(MOST + 1), strict=False)],
                    "text",
                )
            else:
                values, column = _cells(csv.DictReader(lines), file.name)
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise StudioError(
            "input.unreadable", _("The file {name} cannot be read.").format(name=file.name),
            _("Save it as CSV in UTF-8."),
        ) from error  # fmt: skip
    if len(values) > MOST:
        raise StudioError(
            "predict.too_many", _("{file} has more than {n} rows.").format(file=file.name, n=f"{MOST:,}"),
            _("Split it into several files."),
        )  # fmt: skip
    if column in ("image", "audio"):
        values = [str((file.parent / value).absolute()) for value in values if value]
    return [{column: value} for value in values if value]


def _cells(table: csv.DictReader[str], name: str) -> tuple[list[str], str]:
    names = {column.strip().lower(): column for column in table.fieldnames or [] if column}
    wanted = next((column for column in COLUMNS if column in names), None)
    if wanted is None:
        raise StudioError(
            "predict.no_column", _("{file} has no column text, image, audio or user.").format(file=name),
            _("Name the column that holds what is to be answered so."),
        )  # fmt: skip
    return [
        (row[names[wanted]] or "").strip() for row, _n in zip(table, range(MOST + 1), strict=False)
    ], wanted
