"""Where a file about a dataset is offered to be saved."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QStandardPaths

_NAME_CHARS = 60
_TRIES = 100  # names that are looked through for a free one
_FORBIDDEN = set('<>:"/\\|?*')


def suggested_place(name: str, ending: str) -> Path:
    """A file in the user's documents (the home folder, where there are none): fit for any system, and not there yet."""
    documents = QStandardPaths.writableLocation(QStandardPaths.StandardLocation.DocumentsLocation)
    folder = Path(documents) if documents and Path(documents).is_dir() else Path.home()
    fit = "".join("_" if sign in _FORBIDDEN or not sign.isprintable() else sign for sign in name)
    stem = fit[:_NAME_CHARS].strip() or "data"
    places = [folder / f"{stem}{more}.{ending}" for more in ("", *(f" {n}" for n in range(2, _TRIES)))]
    return next((place for place in places if not place.exists()), places[0])
