"""The doctor at work on one dataset: every check in turn, then one report."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

import polars as pl

from studio.domain.findings import DoctorReport, DoctorSpec, Example, Finding, FixOption
from studio.domain.recipes import FindingKind, FixAction
from studio.ingest.doctor.checklist import Limits, applicable, row_rule, set_rule
from studio.ingest.doctor.checks.class_imbalance import find_imbalance
from studio.ingest.doctor.checks.no_question import find_unasked
from studio.ingest.doctor.checks.role_order import find_disorder
from studio.ingest.doctor.examples import MOST_EXAMPLES, differences, of_rows
from studio.ingest.doctor.near.shared import SharedIndex
from studio.ingest.doctor.rules import RowRule, SetRule
from studio.ingest.doctor.texts import text_columns
from studio.ingest.doctor.view import DatasetView, Pace
from studio.protocol.events import Phase

_MOST_KINDS = 50
_OWN_WAYS: Final[dict[FindingKind, Callable[[DatasetView], Finding | None]]] = {
    FindingKind.NO_QUESTION: find_unasked,
    FindingKind.ROLE_ORDER: find_disorder,
    FindingKind.CLASS_IMBALANCE: find_imbalance,
}  # checks that are no rule


@dataclass
class _Tally:
    """One row rule and what it has found so far."""

    rule: RowRule
    actions: tuple[FixAction, ...]
    rows: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    examples: list[Example] = field(default_factory=list)
    options: dict[FixAction, list[int]] = field(default_factory=dict)  # changed, removed, added
    seconds: float = 0.0
    pace: Pace = field(default_factory=Pace)


class Doctor:
    """Examines one dataset. seconds: of each check, once examined."""

    def __init__(self, view: DatasetView, spec: DoctorSpec) -> None:
        self._view = view
        self._spec = spec
        self.checked = applicable(view.shape, spec)
        self.seconds: dict[FindingKind, float] = {}

    def examine(self, dataset_id: str, content_sha256: str) -> DoctorReport:
        """The report. Raises StudioError import.broken, doctor.tokenizer, and whatever the view's check raises."""
        began = time.monotonic()
        found: dict[FindingKind, Finding | None] = {}
        shared = SharedIndex(self._spec.similarity)
        found.update(self._row_findings())
        for kind in self.checked:
            rule = set_rule(kind, shared)
            if rule is not None:
                found[kind] = self._timed(kind, partial(self._set_finding, rule))
            if kind is FindingKind.SPLIT_LEAKAGE:
                shared.release()
        for kind, find in _OWN_WAYS.items():
            if kind in self.checked:
                found[kind] = self._timed(kind, partial(find, self._view))
        return DoctorReport(
            dataset_id=dataset_id,
            content_sha256=content_sha256,
            rows=self._view.rows,
            findings=[finding for kind in self.checked if (finding := found.get(kind)) is not None],
            checked=self.checked,
            spec=self._spec,
            seconds=round(time.monotonic() - began, 3),
        )

    def _timed(self, kind: FindingKind, look: Callable[[], Finding | None]) -> Finding | None:
        began = time.monotonic()
        finding = look()
        self.seconds[kind] = time.monotonic() - began
        return finding

    def _row_findings(self) -> dict[FindingKind, Finding | None]:
        """One pass over the texts for all checks that look at one row at a time."""
        limits, shape = Limits(self._spec), self._view.shape
        rules = [rule for kind in self.checked if (rule := row_rule(kind, limits)) is not None]
        tallies = [_Tally(rule, rule.actions(shape)) for rule in rules]
        if not tallies:
            return {}
        self._view.emit(Phase(name="examining_rows"))
        for frame in self._view.portions(["row", *text_columns(shape)], "examining_rows"):
            for tally in tallies:
                self._look_in_pieces(tally, frame)
        self.seconds.update({tally.rule.kind: tally.seconds for tally in tallies})
        return {tally.rule.kind: self._row_finding(tally) for tally in tallies}

    def _look_in_pieces(self, tally: _Tally, frame: pl.DataFrame) -> None:
        for piece in tally.pace.pieces(frame):
            self._view.check()
            began = time.monotonic()
            self._look(tally, piece)
            tally.seconds += time.monotonic() - began

    def _look(self, tally: _Tally, frame: pl.DataFrame) -> None:
        shape = self._view.shape
        hits = tally.rule.find(frame, shape)
        if not len(hits.index):
            return
        tally.rows += len(hits.index)
        tally.kinds.update(hits.kinds)
        troubled = frame[hits.index]
        for action in tally.actions:
            counts = tally.options.setdefault(action, [0, 0, 0])
            if action is FixAction.REMOVE:
                counts[1] += troubled.height
                after = troubled.clear()
            else:
                treated = tally.rule.change(troubled, shape, action, _no_numbers)
                after = treated.frame
                for place, count in enumerate((treated.changed, treated.removed, treated.added)):
                    counts[place] += count
            if action is tally.actions[0] and len(tally.examples) < MOST_EXAMPLES:
                room = MOST_EXAMPLES - len(tally.examples)
                tally.examples += differences(troubled.head(room), after, hits.columns, hits.notes)

    def _row_finding(self, tally: _Tally) -> Finding | None:
        if not tally.rows:
            return None
        kinds = dict(tally.kinds.most_common(_MOST_KINDS))
        return Finding(
            kind=tally.rule.kind, severity=tally.rule.severity, rows=tally.rows, of=self._view.rows,
            examples=tally.examples, details={tally.rule.details_name: kinds} if kinds else {},
            fixes=[_option(action, *counts) for action, counts in tally.options.items() if any(counts)],
        )  # fmt: skip

    def _set_finding(self, rule: SetRule) -> Finding | None:
        if not rule.applies(self._view.shape):
            return None
        self._view.emit(Phase(name=rule.kind.value))
        found = rule.find(self._view)
        if not len(found.rows):
            return None
        advised = next(iter(found.removals.values()), None)
        return Finding(
            kind=rule.kind, severity=rule.severity, rows=len(found.rows), of=self._view.rows,
            examples=of_rows(self._view, found, advised), details=found.details,
            fixes=[_option(action, 0, len(rows), 0) for action, rows in found.removals.items()],
        )  # fmt: skip


def _option(action: FixAction, changed: int, removed: int, added: int) -> FixOption:
    return FixOption(action=action, rows_changed=changed, rows_removed=removed, rows_added=added)


def _no_numbers(count: int) -> Any:
    """Numbers for rows that are made only to be counted."""
    return range(-count, 0)
