"""Is there room on the disk for a run? Asked before it is queued and again before it starts."""

from __future__ import annotations

import shutil
from pathlib import Path

from studio.domain.architectures import Method
from studio.domain.runs import FitEstimate, RunPlan
from studio.domain.specs import scratch_parameters
from studio.errors import ResourceError
from studio.i18n import _
from studio.words import size_words

RESERVE = 2  # times the estimate must be free: a checkpoint is written beside the one that it replaces
_ADAPTER_SHARE = 0.05  # an adapter of the largest usual rank, as a share of its base
_BYTES_PER_PARAMETER = 4  # float32 weights; a checkpoint adds two Adam moments of the same size
_SMALLEST = 64 * 2**20


def needed_bytes(plan: RunPlan, estimate: FitEstimate | None, base_parameters: int) -> int:
    """Bytes that model and checkpoints of the run take: as measured by the fit check, else from the parameters."""
    if estimate is not None and estimate.disk_bytes > 0:
        return estimate.disk_bytes
    spec = plan.spec
    if spec.method is Method.LORA:
        trained = int(base_parameters * _ADAPTER_SHARE)
    elif spec.method is Method.FULL:
        trained = base_parameters
    else:
        trained = scratch_parameters(spec.layers, spec.width, spec.vocabulary)
    weights = trained * _BYTES_PER_PARAMETER
    return max(_SMALLEST, weights + 3 * weights)


def check_space(folder: Path, needed: int) -> None:
    """Raise ResourceError ``run.no_disk`` unless ``RESERVE`` times ``needed`` bytes are free where ``folder`` is."""
    free = shutil.disk_usage(folder).free
    if free < RESERVE * needed:
        raise ResourceError(
            "run.no_disk",
            _("There is not enough free disk space for this run: {need} needed, {free} free.").format(
                need=size_words(RESERVE * needed), free=size_words(free)
            ),
            _("Free some space, or move the workspace to a larger disk."),
        )
