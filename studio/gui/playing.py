"""Recordings are heard in the player of the computer: it knows every format and has a stop button."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QUrl
from PySide6.QtGui import QDesktopServices

from studio.i18n import _


def play(path: str) -> str:
    """Open a recording in the player of the computer. Empty, or what to say when that cannot be."""
    if not Path(path).is_file():
        return _("The recording is no longer there")
    return (
        "" if QDesktopServices.openUrl(QUrl.fromLocalFile(path)) else _("This computer has no player for it")
    )
