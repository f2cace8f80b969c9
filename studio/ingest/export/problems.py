"""Why an export is not made, each said once, with what to do next."""

from __future__ import annotations

from studio.errors import ResourceError, StudioError, is_disk_full
from studio.i18n import _


def too_many_rows(rows: int, most: int) -> StudioError:
    return StudioError(
        "export.too_many_rows",
        _("An Excel sheet holds at most {most:,} rows; these are {rows:,}.").format(most=most, rows=rows),
        _("Export as CSV or Parquet, or one part at a time."),
    )


def cell_too_long(row: int, column: str, length: int, most: int) -> StudioError:
    return StudioError(
        "export.cell_too_long",
        _(
            "An Excel cell holds at most {most:,} characters; row {row} has {length:,} in the column “{column}”."
        ).format(most=most, row=row, length=length, column=column),
        _("Export as CSV, JSONL or Parquet, or cut long texts with the data doctor first."),
    )


def no_rows() -> StudioError:
    return StudioError(
        "export.no_rows", _("There is no row to export in the chosen parts."), _("Choose another part.")
    )


def missing_picture(name: str) -> StudioError:
    return StudioError(
        "export.missing_picture",
        _("An image of this dataset is not in the workspace any more: {name}.").format(name=name),
        _("Import the images again."),
    )


def write_failed(path: str, error: OSError) -> StudioError:
    """The file cannot be written; an older one of this name is as it was."""
    if is_disk_full(error):
        return ResourceError(
            "export.disk_full",
            _("The disk is full; nothing was exported."),
            _("Free some space, or choose another disk."),
        )
    return ResourceError(
        "export.unwritable",
        _("The file cannot be written: {path} ({reason}).").format(path=path, reason=error.strerror or error),
        _("Choose another place, or close the program that has it open."),
    )
