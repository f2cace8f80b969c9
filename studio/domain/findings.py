"""What the data doctor reports: findings with counts, examples, and what each possible fix would change."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from studio.domain.recipes import Example as Example
from studio.domain.recipes import FindingKind, FixAction
from studio.domain.values import now


class Severity(StrEnum):
    PROBLEM = "problem"  # training or its verdict would be wrong
    WARNING = "warning"
    NOTE = "note"


class DoctorSpec(BaseModel):
    """What to look for and by which limits; all have a default that suits most data.

    tokenizer_dir: folder with tokenizer.json (None: lengths are counted in characters / 2). checks: empty for all.
    """

    model_config = ConfigDict(frozen=True)

    tokenizer_dir: str | None = None
    min_tokens: int = Field(2, ge=0)
    max_tokens: int = Field(1024, ge=1)
    similarity: float = Field(0.8, ge=0.5, le=1)  # Jaccard of shingles from which rows are near-duplicates
    checks: tuple[FindingKind, ...] = ()


class FixOption(BaseModel):
    """One way to fix a finding, with what it would do to the dataset as it is now."""

    model_config = ConfigDict(frozen=True)

    action: FixAction
    rows_changed: int
    rows_removed: int
    rows_added: int = 0


class Finding(BaseModel):
    """One kind of trouble. rows: rows concerned, of ``of`` looked at. fixes: the first is the one advised, if any is
    (see is_advised).

    details, by kind: ``kinds`` (private data: kind -> rows), ``labels`` (imbalance: label -> rows), ``languages``
    (language -> rows), ``groups`` (duplicates: number of groups), ``splits`` (leakage: "train-test" -> rows),
    ``words`` (unsafe words: word -> rows), ``estimated`` (True when scaled up from a sample).
    """

    model_config = ConfigDict(frozen=True)

    kind: FindingKind
    severity: Severity
    rows: int
    of: int
    examples: list[Example] = []
    fixes: list[FixOption] = []
    details: dict[str, Any] = {}

    @property
    def is_advised(self) -> bool:
        """Whether its first fix is advised: a note may well be what the founder wants, as two languages are."""
        return bool(self.fixes) and self.severity is not Severity.NOTE


class DoctorReport(BaseModel):
    """The doctor's look at one dataset version; kept in its folder as doctor.json."""

    model_config = ConfigDict(frozen=True)

    dataset_id: str
    content_sha256: str
    rows: int
    findings: list[Finding]
    checked: list[FindingKind]
    spec: DoctorSpec
    seconds: float
    created_at: datetime = Field(default_factory=now)
