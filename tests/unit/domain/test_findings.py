"""Which fixes of a report are advised: a note is only said."""

from __future__ import annotations

import pytest

from studio.domain.findings import Finding, FixOption, Severity
from studio.domain.recipes import FindingKind, FixAction


@pytest.mark.parametrize(
    ("severity", "fixes", "advised"),
    [
        (Severity.PROBLEM, True, True), (Severity.WARNING, True, True), (Severity.NOTE, True, False),
        (Severity.PROBLEM, False, False),
    ],
)  # fmt: skip
def test_a_note_is_only_said(severity: Severity, fixes: bool, advised: bool) -> None:
    options = (
        [FixOption(action=FixAction.KEEP_MAIN_LANGUAGE, rows_changed=0, rows_removed=3)] if fixes else []
    )
    finding = Finding(kind=FindingKind.LANGUAGE_MIX, severity=severity, rows=3, of=9, fixes=options)
    assert finding.is_advised is advised
