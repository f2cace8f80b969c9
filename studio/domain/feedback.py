"""What people said of an answer; a thumb alone never becomes training data."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from studio.domain.ids import new_id
from studio.domain.values import now


class Signal(StrEnum):
    UP = "up"
    DOWN = "down"
    CORRECTION = "correction"


@dataclass(frozen=True)
class FeedbackItem:
    """One reaction to one answer. ``run_id`` is None when the base model answered."""

    run_id: str | None
    product_id: str | None
    model_name: str
    prompt: str
    answer: str
    signal: Signal
    correction: str = ""
    id: str = field(default_factory=new_id)
    created_at: datetime = field(default_factory=now)
