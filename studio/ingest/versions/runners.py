"""Which runner does which step."""

from __future__ import annotations

from studio.domain.recipes import (
    AnyStep,
    AugmentStep,
    EditStep,
    FixAction,
    FixStep,
    ReplaceStep,
    RestoreStep,
    SplitStep,
)
from studio.ingest.versions.augment import AugmentRunner
from studio.ingest.versions.context import StepContext, StepRunner
from studio.ingest.versions.edit import EditRunner
from studio.ingest.versions.replace import ReplaceRunner
from studio.ingest.versions.restore import RestoreRunner
from studio.ingest.versions.split import SplitRunner

# Fixes that look at one row at a time, whatever the others are.
_LOCAL_FIXES = (FixAction.STRIP, FixAction.MASK, FixAction.CUT)
# Steps that may add rows, which then say where they come from in ``origin``.
_MAKING_FIXES = (FixAction.OVERSAMPLE, FixAction.PIECES, FixAction.REPAIR)


def runner_for(step: AnyStep, context: StepContext) -> StepRunner:
    """The step, ready to run."""
    if isinstance(step, FixStep):
        from studio.ingest.doctor.fixes import fix_runner  # it takes its balancing from this room

        return fix_runner(step, context)
    if isinstance(step, ReplaceStep):
        return ReplaceRunner(step, context)
    if isinstance(step, SplitStep):
        return SplitRunner(step, context)
    if isinstance(step, AugmentStep):
        return AugmentRunner(step, context)
    if isinstance(step, EditStep):
        return EditRunner(step, context)
    return RestoreRunner(step, context)


def is_local(step: AnyStep) -> bool:
    """True when the step does to a row what it would do if the row were alone; it can share a pass with others."""
    return isinstance(step, ReplaceStep) or (isinstance(step, FixStep) and step.action in _LOCAL_FIXES)


def makes_rows(step: AnyStep) -> bool:
    """True when rows after the step may have an origin."""
    if isinstance(step, FixStep):
        return step.action in _MAKING_FIXES
    return isinstance(step, AugmentStep | EditStep | RestoreStep)
