"""Recommending from ratings: which of the two kinds of model, and the rows as a table."""

from __future__ import annotations

from typing import Any

from studio.domain.architectures import Architecture
from studio.domain.datasets import Split
from studio.engine.tasks.recommend.factors import build_factors
from studio.engine.tasks.recommend.sequence import build_sequence
from studio.engine.tasks.recommend.table import read_table
from studio.engine.tasks.task import Loaded, Setting
from studio.errors import StudioError
from studio.i18n import _
from studio.protocol.events import Log


def build(setting: Setting) -> Loaded[Any, Any]:
    """Read the rows and make the model. Raises StudioError ``run.no_rows``."""
    table = read_table({split: setting.rows(split) for split in Split})
    setting.control.check()
    if not table.of(Split.TRAIN):
        raise StudioError(
            "run.no_rows", _("No row has anything to learn from."),
            _("Check on the Data page that there are ratings in the training rows."),
        )  # fmt: skip
    if setting.plan.spec.architecture is Architecture.FACTORS:
        return build_factors(setting, table)
    if not table.timed:
        text = _(
            "The rows do not tell when something was chosen, so their order in the file is taken for it."
        )
        setting.emit(Log(level="warning", message=text))
    return build_sequence(setting, table)
