"""A question that the doctor asks, and its answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from studio.i18n import N_


class CheckState(StrEnum):
    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


STATE_TITLES = {
    CheckState.OK: N_("In order"), CheckState.WARNING: N_("Worth a look"), CheckState.PROBLEM: N_("To be mended"),
}  # fmt: skip


@dataclass(frozen=True)
class Check:
    """One question and its answer; advice is empty when all is well."""

    id: str
    title: str
    state: CheckState
    found: str
    advice: str = ""
