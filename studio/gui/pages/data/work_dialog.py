"""Work on a dataset that is waited for: what is being done, how far it is, and a cancel that works."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QVBoxLayout, QWidget

from studio.errors import StudioError
from studio.gui.child_job import ChildJob, Work
from studio.gui.context import GuiContext
from studio.gui.pages.data.progress import show_event
from studio.gui.theme import current_tokens
from studio.gui.widgets import ProgressPanel, SectionTitle
from studio.i18n import _
from studio.protocol.events import Event

_WIDTH = 420


class WorkDialog(QDialog):
    """Runs ``work(on_event, cancel)`` and closes; ``done(result)`` or ``failed(StudioError)`` is called afterwards.

    Escape and the close button cancel the work; they never leave it running unseen.
    """

    def __init__(
        self,
        ctx: GuiContext,
        title: str,
        work: Work,
        done: Callable[[Any], None],
        parent: QWidget,
        *,
        failed: Callable[[StudioError], None] | None = None,
    ) -> None:
        super().__init__(parent)
        self._ctx, self._work, self._on_result, self._on_problem = ctx, work, done, failed
        self.setWindowTitle(title)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setMinimumWidth(_WIDTH)
        space = current_tokens().space
        column = QVBoxLayout(self)
        column.setContentsMargins(space.xl, space.xl, space.xl, space.xl)
        column.setSpacing(space.m)
        column.addWidget(SectionTitle(title))
        self.panel = ProgressPanel(_("Starting…"), self.reject)
        column.addWidget(self.panel)
        self.job = ChildJob(ctx, self)
        self.job.told.connect(self._show_event)
        self.job.done.connect(self._on_done)
        self.job.failed.connect(self._on_failed)
        self.job.cancelled.connect(self._on_cancelled)

    def start(self) -> None:
        """Show the dialog and begin."""
        self.open()
        self.job.start(self._work, self.windowTitle())

    def reject(self) -> None:
        if not self.job.running():
            super().reject()
            return
        self.panel.set_label(_("Stopping…"))
        self.panel.cancel.setEnabled(False)
        self.job.cancel()

    def _show_event(self, event: Event) -> None:
        show_event(self.panel, event)

    def _on_cancelled(self) -> None:
        super().reject()

    def _on_done(self, result: Any) -> None:
        super().accept()
        self._on_result(result)

    def _on_failed(self, problem: Exception) -> None:
        super().reject()
        if self._on_problem is not None and isinstance(problem, StudioError):
            self._on_problem(problem)
        else:
            self._ctx.notices.error_from(problem)
