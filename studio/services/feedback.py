"""What people said of answers, kept for the next round of data."""

from __future__ import annotations

import builtins

from studio.domain.feedback import FeedbackItem, Signal
from studio.errors import StudioError
from studio.i18n import _
from studio.services.changes import ChangeBus, Changes
from studio.services.ports import FeedbackRepository


class FeedbackService:
    """Store and count reactions to answers."""

    def __init__(self, repository: FeedbackRepository, changes: ChangeBus) -> None:
        self._repository = repository
        self._changes = changes

    def add(self, item: FeedbackItem) -> Changes:
        """Store a reaction. Raises StudioError ``feedback.no_correction`` for a correction without its text."""
        if item.signal is Signal.CORRECTION and not item.correction.strip():
            raise StudioError(
                "feedback.no_correction", _("The correction is empty."), _("Type the better answer.")
            )
        self._repository.add(item)
        return self._changes.publish(Changes.FEEDBACK)

    def list(self, run_id: str | None = None, limit: int = 500) -> builtins.list[FeedbackItem]:
        """Reactions, newest first; of one run, or of all."""
        return self._repository.list(run_id, limit)

    def counts(self, run_id: str | None) -> dict[Signal, int]:
        """How many of each kind; run_id None: on answers of base models."""
        stored = self._repository.counts(run_id)
        return {signal: stored.get(signal.value, 0) for signal in Signal}
