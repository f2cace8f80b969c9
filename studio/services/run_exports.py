"""What of a run is written for other programs: its metrics as a table, or its program, into a file of choice."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from studio.domain.runs import EvalMetrics, StepMetrics
from studio.errors import StudioError
from studio.i18n import _
from studio.services.files import write_atomically

_COLUMNS: Final = (
    "kind", "step", "epoch", "loss", "perplexity", "learning_rate", "grad_norm", "tokens_per_s", "memory_bytes",
    "elapsed_s",
)  # fmt: skip


def metrics_csv(steps: Iterable[StepMetrics], evals: Iterable[EvalMetrics]) -> str:
    """A line for each step, then one for each evaluation; with a BOM, for spreadsheets."""
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(_COLUMNS)
    for s in steps:
        writer.writerow(
            [
                "step", s.step, s.epoch, s.loss, "", s.learning_rate, s.grad_norm, s.tokens_per_s, s.memory_bytes,
                s.elapsed_s,
            ]
        )  # fmt: skip
    for e in evals:
        writer.writerow(["evaluation", e.step, e.epoch, e.loss, e.perplexity, "", "", "", "", ""])
    return "\ufeff" + table.getvalue()


def write_out(target: Path, text: str) -> Path:
    """The file, old or new, never half. Raises StudioError ``export.not_written``."""
    try:
        write_atomically(target, text)
    except OSError as problem:
        raise StudioError(
            "export.not_written", _("{path} could not be written.").format(path=target),
            _("Choose another folder, or free some space."),
        ) from problem  # fmt: skip
    return target
