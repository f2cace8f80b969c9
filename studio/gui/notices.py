"""One channel for messages to the user; the window shows them in one place."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from PySide6.QtCore import QObject, Signal

from studio.errors import StudioError
from studio.i18n import _

log = logging.getLogger(__name__)

NoticeKind = Literal["info", "success", "warning", "error"]


@dataclass(frozen=True)
class Notice:
    """One message. ``details`` (a traceback, a log) stays folded; ``action`` runs when its button is pressed."""

    kind: NoticeKind
    text: str
    details: str = ""
    action_label: str = ""
    action: Callable[[], None] | None = None


class NoticeCenter(QObject):
    """Takes messages from pages and tasks; ``posted`` carries each Notice to the window."""

    posted = Signal(object)

    def info(
        self, text: str, details: str = "", action_label: str = "", action: Callable[[], None] | None = None
    ) -> None:
        """Something worth knowing; leaves by itself."""
        self.post(Notice("info", text, details, action_label, action))

    def success(
        self, text: str, details: str = "", action_label: str = "", action: Callable[[], None] | None = None
    ) -> None:
        """Something finished well; leaves by itself."""
        self.post(Notice("success", text, details, action_label, action))

    def warning(
        self, text: str, details: str = "", action_label: str = "", action: Callable[[], None] | None = None
    ) -> None:
        """Something the user should look at; stays until dismissed."""
        self.post(Notice("warning", text, details, action_label, action))

    def error(
        self, text: str, details: str = "", action_label: str = "", action: Callable[[], None] | None = None
    ) -> None:
        """Something failed; stays until dismissed."""
        self.post(Notice("error", text, details, action_label, action))

    def error_from(self, problem: BaseException) -> None:
        """Show a StudioError in its own words; anything else as unexpected, with the traceback behind Details."""
        if isinstance(problem, StudioError):
            cause = problem.__cause__
            self.error(str(problem), "".join(traceback.format_exception(cause)) if cause else "")
            return
        log.error("unexpected failure", exc_info=problem)
        text = _("Something unexpected went wrong. Your work is safe; the details help us mend it.")
        self.error(text, "".join(traceback.format_exception(problem)))

    def post(self, notice: Notice) -> None:
        """Show a ready-made notice."""
        self.posted.emit(notice)
