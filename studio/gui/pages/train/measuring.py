"""What a run would take, measured in a child process; each measure is kept for the choices that it is of."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QObject, Signal

from studio.domain.runs import FitEstimate
from studio.gui.child_job import ChildJob
from studio.gui.context import GuiContext
from studio.gui.pages.train.choices import Choices
from studio.i18n import _


class Measuring(QObject):
    """One measurement at a time, of complete choices.

    told: an Event of the measurement. begun, ended: no argument; ended comes once for each, however it ended.
    """

    told = Signal(object)
    begun = Signal()
    ended = Signal()

    def __init__(self, ctx: GuiContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._ctx = ctx
        self._estimates: dict[str, FitEstimate] = {}
        self._key = ""
        self._tried_once = False
        self._job = ChildJob(ctx, self)
        self._job.told.connect(self.told)
        self._job.done.connect(self._on_done)
        self._job.failed.connect(self._on_failed)
        self._job.cancelled.connect(self.ended)

    def estimate(self, choices: Choices) -> FitEstimate | None:
        """What was measured for these choices."""
        return self._estimates.get(choices.key())

    def wanted(self, choices: Choices) -> bool:
        """Whether to measure unasked: nothing was since the user came, and these choices were not."""
        return not self._tried_once and choices.missing() is None and self.estimate(choices) is None

    def start(self, choices: Choices, product_id: str | None) -> None:
        """Measure, unless that goes on already."""
        dataset = choices.dataset
        if choices.missing() is not None or dataset is None or self._job.running():
            return
        self._tried_once = True
        self._key = choices.key()
        runs, base = self._ctx.services.runs, None if choices.from_scratch else choices.base

        def work(hear: Any, cancel: Any) -> FitEstimate:
            return runs.check(runs.plan(product_id, dataset.id, base, choices.spec), hear, cancel)

        self._job.start(work, _("Measuring the run"))
        self.begun.emit()

    def cancel(self) -> None:
        """Ask the measurement to end."""
        self._job.cancel()

    def keep_to(self, choices: Choices) -> None:
        """Give up what is being measured for other choices."""
        if self._key != choices.key():
            self.abandon()

    def abandon(self) -> None:
        """Give up what is being measured, if anything is."""
        if self._job.running():
            self._job.abandon()
            self.ended.emit()

    def leave(self) -> None:
        """The user goes elsewhere: what was given up is measured again when they come back."""
        if self._job.running():
            self.abandon()
            self._tried_once = False

    def state(self) -> tuple[dict[str, FitEstimate], bool]:
        """For ``restore`` of another page."""
        return self._estimates, self._tried_once

    def restore(self, state: tuple[dict[str, FitEstimate], bool]) -> None:
        self._estimates, self._tried_once = state

    def dispose(self) -> None:
        """End without a word."""
        self._job.abandon()

    def _on_done(self, estimate: FitEstimate) -> None:
        self._estimates[self._key] = estimate
        self.ended.emit()

    def _on_failed(self, problem: Exception) -> None:
        self._ctx.notices.error_from(problem)
        self.ended.emit()
