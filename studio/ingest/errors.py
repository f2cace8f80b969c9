"""What can be wrong with a source as a whole, each said once, with what to do next."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from studio.errors import ResourceError, StudioError, is_disk_full
from studio.i18n import N_, _

_PICTURES: Final = N_(
    "Put the images into a folder, with one folder in it for each class, and choose the outer folder."
)
_UNPACK: Final = N_("Unpack it, and choose what is in it.")
# Formats that are known but not read, and what to do with such a file.
_WAYS_OUT: Final = {
    **dict.fromkeys(("PNG", "JPEG", "GIF", "TIFF", "WebP"), _PICTURES),
    **dict.fromkeys(("gzip", "7z", "RAR", "bzip2", "xz", "zstd"), _UNPACK),
    "DOC": N_("Open it in Word or WPS, save it as DOCX, and choose that file."),
    "PPT": N_("Open it in its own program, save it as PDF, and choose that file."),
    "PPTX": N_("Open it in its own program, save it as PDF, and choose that file."),
    "XLSB": N_("Open it in its own program, save it as XLSX, and choose that file."),
}


def unreadable(path: str, error: OSError) -> StudioError:
    """The source cannot be opened, or vanished while it was read."""
    return StudioError(
        "import.unreadable",
        _("The file cannot be read: {path} ({reason}).").format(path=path, reason=error.strerror or error),
        _("Check that it still exists and that you may open it."),
    )


def empty(path: str) -> StudioError:
    return StudioError(
        "import.empty", _("The file is empty: {path}.").format(path=path), _("Choose a file with rows in it.")
    )


def binary(path: str, kind: str = "") -> StudioError:
    """Content that is no text and no table, whatever the name says. kind: its format, where it is known."""
    if kind in _WAYS_OUT:
        message = _("This kind of file is not read by itself: {path} ({kind}).").format(path=path, kind=kind)
        return StudioError("import.binary", message, _(_WAYS_OUT[kind]))
    named = f"{path} ({kind})" if kind else path
    return StudioError(
        "import.binary",
        _("This is not a table or a text, whatever its name says: {path}.").format(path=named),
        _("Save the data as CSV, JSONL, XLSX, Parquet, Markdown, DOCX, PDF or TXT and choose that file."),
    )


def locked() -> StudioError:
    return StudioError(
        "import.locked",
        _("This file is protected by a password."),
        _("Open it in its own program, save it without a password, and choose that file."),
    )


def dtd(path: str) -> StudioError:
    """XML that declares a document type, which no office program writes and attacks are made of."""
    return StudioError(
        "import.dtd",
        _(
            "A document type declaration is in this file, which can be an attack; it was not opened: {path}."
        ).format(path=path),
        _("Open it in its own program, save it again, and choose that file."),
    )


def no_text(path: str) -> StudioError:
    """A document whose pages are pictures."""
    return StudioError(
        "import.no_text",
        _("There is no text layer in this document, only images of pages: {path}.").format(path=path),
        _("Run text recognition (OCR) over it first, and choose the result."),
    )


def old_feather(path: str) -> StudioError:
    return StudioError(
        "import.old_feather",
        _("This Feather file is in the format of before 2020, which is not read: {path}.").format(path=path),
        _("Save it again as Feather version 2 or as Parquet, and choose that file."),
    )


def database_open(path: str) -> StudioError:
    """The newest rows of a SQLite database are still in the journal beside it."""
    return StudioError(
        "import.database_open",
        _("Another program is writing to this database, or ended in the middle: {path}.").format(path=path),
        _("Close that program, or let it make a copy of the database, and choose that."),
    )


def unknown_encoding(path: str) -> StudioError:
    return StudioError(
        "import.encoding",
        _("The character encoding of this file cannot be told: {path}.").format(path=path),
        _("Choose the encoding yourself, or save the file as UTF-8."),
    )


def broken(path: str, reason: str) -> StudioError:
    """A container format that cannot be opened at all: truncated Parquet, broken workbook, broken JSON."""
    return StudioError(
        "import.broken",
        _("The file is damaged or cut short: {path} ({reason}).").format(path=path, reason=reason),
        _("Make it again at its origin, or choose another file."),
    )


def too_large(what: str, limit: str) -> StudioError:
    return StudioError(
        "import.too_large",
        _("The file goes beyond a limit: {what} (at most {limit}).").format(what=what, limit=limit),
        _("Split it, or save it as JSONL, CSV or Parquet, which are read piece by piece."),
    )


def no_rows(path: str, reason: str = "", hint: str = "") -> StudioError:
    """hint: what to do, where more is known of the source."""
    return StudioError(
        "import.no_rows",
        _("No usable row was found in {path}. {reason}").format(path=path, reason=reason).strip(),
        hint or _("Choose a file with rows in it."),
    )


def no_files(path: str, skipped: Sequence[str]) -> StudioError:
    """A folder, an archive or several files of which none can be read. skipped: each with its reason."""
    why = _("For example {file}").format(file=skipped[0]) if skipped else _("There is no file in it.")
    return StudioError(
        "import.no_files",
        _("Nothing in {path} can be read. {why}").format(path=path, why=why),
        _("Choose a folder or archive with tables, texts or images, or one file of it."),
    )


def columns(message: str) -> StudioError:
    return StudioError("import.columns", message, _("Choose what each column is for."))


def write_failed(error: OSError) -> StudioError:
    """The dataset cannot be written."""
    if is_disk_full(error):
        return disk_full()
    return ResourceError(
        "import.unwritable",
        _("The dataset cannot be written: {reason}.").format(reason=error.strerror or error),
        _("Check that the workspace folder still exists and can be written."),
    )


def disk_full() -> StudioError:
    return ResourceError(
        "import.disk_full",
        _("The disk is full; nothing was imported."),
        _("Free some space, then import again."),
    )
