"""From a fix of the report to a step at work on the rows: the same rules that counted now change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import polars as pl

from studio.domain.recipes import FindingKind, FixAction, FixStep, StepOutcome
from studio.errors import StudioError
from studio.i18n import _
from studio.ingest.dataset.splits import split_expr
from studio.ingest.doctor.checklist import limits_of, row_rule, set_rule
from studio.ingest.doctor.checks import role_order
from studio.ingest.doctor.near.shared import SharedIndex
from studio.ingest.doctor.rules import RowRule, SetRule
from studio.ingest.doctor.view import DatasetView, Pace
from studio.ingest.versions.balance import BalanceRunner
from studio.ingest.versions.context import StepContext, StepRunner

_BALANCING = (FixAction.WEIGHTS, FixAction.OVERSAMPLE, FixAction.UNDERSAMPLE)


def fix_runner(step: FixStep, context: StepContext) -> StepRunner:
    """The fix, ready to run. Raises StudioError doctor.no_such_fix when finding, action and shape do not fit."""
    kind, action, shape = step.finding, step.action, context.shape
    if kind is FindingKind.CLASS_IMBALANCE and action in _BALANCING:
        return BalanceRunner(step, context)
    if kind is FindingKind.ROLE_ORDER and action is FixAction.REPAIR and role_order.applies(shape):
        return RoleOrderRunner(step, context)
    limits = limits_of(step)
    rule = row_rule(kind, limits)
    if rule is not None and action in rule.actions(shape):
        return RowRuleRunner(step, context, rule)
    whole = set_rule(kind, SharedIndex(limits.spec.similarity))
    if whole is not None and whole.applies(shape) and action in whole.fixes:
        return SetRuleRunner(step, context, whole)
    raise _no_such_fix(step)


class _Runner:
    """What is counted in every fix."""

    def __init__(self, step: FixStep, context: StepContext) -> None:
        self._step = step
        self._context = context
        self._before = self._after = 0
        self._changed = self._removed = self._added = 0
        self._details: dict[str, Any] = {}

    @property
    def outcome(self) -> StepOutcome:
        return StepOutcome(
            step=self._step, rows_before=self._before, rows_after=self._after, changed=self._changed,
            added=self._added, removed=self._removed, details=self._details,
        )  # fmt: skip

    def _view(self) -> DatasetView:
        context = self._context
        return DatasetView(
            context.dataset_dir, context.shape, context.rejected_path, context.check, context.emit
        )


class RowRuleRunner(_Runner):
    """Each row by itself: changed, removed, or parted into several."""

    def __init__(self, step: FixStep, context: StepContext, rule: RowRule) -> None:
        super().__init__(step, context)
        self._rule = rule

    def run(self, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        kinds: Counter[str] = Counter()
        pace = Pace()
        for frame in frames:
            for portion in pace.pieces(frame):
                self._context.check()
                treated = self._rule.treat(
                    portion, self._context.shape, self._step.action, self._context.next_row
                )
                kinds.update(treated.kinds)
                self._before += portion.height
                self._after += treated.frame.height
                self._changed += treated.changed
                self._removed += treated.removed
                self._added += treated.added
                yield treated.frame
        if kinds:
            self._details[self._rule.details_name] = dict(kinds.most_common(50))


class SetRuleRunner(_Runner):
    """All rows are looked at first; then those that the rule names leave."""

    def __init__(self, step: FixStep, context: StepContext, rule: SetRule) -> None:
        super().__init__(step, context)
        self._rule = rule

    def run(self, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        found = self._rule.find(self._view())
        self._details = found.details
        numbers = found.removals.get(self._step.action)
        leaving = pl.DataFrame({"row": numbers if numbers is not None else []}, schema={"row": pl.Int64})
        for frame in frames:
            self._context.check()
            kept = frame.join(leaving, on="row", how="anti", maintain_order="left")
            self._before += frame.height
            self._after += kept.height
            self._removed += frame.height - kept.height
            yield kept


class RoleOrderRunner(_Runner):
    """The rows as they are, and behind them the conversations brought back; these leave the rejected."""

    def run(self, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        repaired = role_order.RoleOrder(self._view()).repaired
        columns: list[str] | None = None
        for frame in frames:
            columns = frame.columns
            self._before += frame.height
            yield frame
        brought = repaired.with_columns(
            pl.Series("row", self._context.next_row(repaired.height), dtype=pl.Int64),
            split_expr(self._context.shares),
            pl.lit("added").alias("origin"),
        )
        self._added = brought.height
        self._after = self._before + self._added
        self._keep_other_rejections(set(repaired["line"]))
        yield brought.select(columns or ["row", "key", "split", "origin", "messages"])

    def _keep_other_rejections(self, lines: set[int]) -> None:
        path = self._context.rejected_path
        if not lines:
            return
        aside = path.with_name(f".{path.name}.new")
        with path.open(encoding="utf-8") as old, aside.open("w", encoding="utf-8") as new:
            new.writelines(line for number, line in enumerate(old) if number not in lines)
        aside.replace(path)


def _no_such_fix(step: FixStep) -> StudioError:
    return StudioError(
        "doctor.no_such_fix",
        _("This dataset cannot be fixed that way: {finding}, {action}.").format(
            finding=step.finding.value, action=step.action.value
        ),
        _("Choose one of the fixes that the data doctor offers for this finding."),
    )
