"""Why a step is not done, each said once, with what to do next."""

from __future__ import annotations

from studio.errors import ResourceError, StudioError, is_disk_full
from studio.i18n import _


def invalid_row(row: int, reason: str) -> StudioError:
    """A step would make this row one that its shape does not allow. row 0: a row that is being added."""
    where = _("A new row") if row == 0 else _("Row {row}").format(row=row)
    return StudioError(
        "step.invalid_row",
        _("{where} would not be usable: {reason}").format(where=where, reason=reason),
        _("Change it, or remove the row instead; nothing was changed."),
    )


def no_such_row(row: int) -> StudioError:
    return StudioError(
        "step.no_such_row",
        _("There is no row {row} in this version.").format(row=row),
        _("Open the newest version and make the change again."),
    )


def no_such_column(name: str) -> StudioError:
    return StudioError(
        "step.no_such_column",
        _("There is no column “{name}” in this dataset.").format(name=name),
        _("Choose one of its columns."),
    )


def bad_pattern(reason: str) -> StudioError:
    return StudioError(
        "step.bad_pattern",
        _("This regular expression cannot be used: {reason}").format(reason=reason),
        _("Mend it, or search for the plain text instead."),
    )


def unsuitable(reason: str) -> StudioError:
    """The step has no meaning for data of this shape."""
    return StudioError("step.unsuitable", reason, _("Choose another step, or other settings for it."))


def bad_edits(path: str) -> StudioError:
    return StudioError(
        "step.bad_edits",
        _("The file with the edits cannot be read: {path}.").format(path=path),
        _("Make the edits again."),
    )


def nothing_left() -> StudioError:
    return StudioError(
        "step.nothing_left",
        _("No row would be left; nothing was changed."),
        _("Choose wider limits, or leave out one of the steps."),
    )


def write_failed(error: OSError) -> StudioError:
    """The new version cannot be written."""
    if is_disk_full(error):
        return ResourceError(
            "step.disk_full",
            _("The disk is full; the dataset is as it was before."),
            _("Free some space, then try again."),
        )
    return ResourceError(
        "step.unwritable",
        _("The new version cannot be written: {reason}.").format(reason=error.strerror or error),
        _("Check that the workspace folder still exists and can be written."),
    )
