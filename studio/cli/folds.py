"""K-fold on the command line: ``studio train --folds 5`` and ``studio runs folds``."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from studio.cli import pick
from studio.cli.call import Answer, Call
from studio.cli.keeping import keep_going
from studio.cli.verbs import INTERRUPTED
from studio.domain.folds import FoldsResult, measure_title, sentence, spread_words, value_words
from studio.domain.runs import STATE_TITLES, RunPlan
from studio.errors import NotFoundError
from studio.i18n import N_, _
from studio.services.container import Services

FoldsName = Annotated[
    str,
    typer.Argument(metavar="FOLDS", help=N_("Id or name of the K-fold, id of one of its runs, or “newest”.")),
]
FAILED = 1


def train_folds(call: Call, services: Services, plan: RunPlan, k: int, *, detach: bool) -> Answer:
    """Queue the folds, and see them through unless they shall wait for a window."""
    if warning := services.folds.warning(plan):
        call.out.say(warning)
    folds_id = services.folds.start(plan, k)
    call.out.say(_("{k} folds wait in the queue, id {id}.").format(k=k, id=folds_id))
    if detach:
        services.runs.start_next()
        call.out.say(
            _("Runs start while a window is open, or with: {command}").format(
                command="studio runs queue work"
            )
        )
        return _told(call, services.folds.result(folds_id))
    finished = keep_going(call, services, lambda: services.folds.result(folds_id).over)
    result = services.folds.result(folds_id)
    answer = _told(call, result)
    return Answer(answer.data, INTERRUPTED if not finished else 0 if result.done == result.k else FAILED)


def show(call: Call, folds: FoldsName = pick.NEWEST) -> Answer:
    """One K-fold: each fold, and mean and deviation over them."""
    with call.up_to_date() as (services, _ours):
        return _told(call, _picked(services, folds))


def _picked(services: Services, wanted: str) -> FoldsResult:
    found = services.folds.list()
    if wanted == pick.NEWEST and found:
        return found[0]
    for result in found:
        if wanted in (result.id, result.name) or wanted in [run.id for run in result.runs]:
            return result
    raise NotFoundError(
        "folds.unknown", _("There is no such K-fold in this workspace."),
        _("Start one: {command}").format(command="studio train --folds 5"),
    )  # fmt: skip


def _told(call: Call, result: FoldsResult) -> Answer:
    names = list(result.spreads)
    rows = []
    for number, run in enumerate(result.runs, 1):
        values = result.values.get(run.id, {})
        figures = [value_words(values[name]) if name in values else "" for name in names]
        rows.append((number, run.id, _(STATE_TITLES[run.state]), *figures))
    call.out.table([_("Fold"), _("Run"), _("State"), *map(measure_title, names)], rows, whole=2)
    if names:
        call.out.say(
            " · ".join(f"{measure_title(name)} {spread_words(result.spreads[name])}" for name in names)
        )
    call.out.say(sentence(result))
    return Answer(
        {
            "folds_id": result.id, "name": result.name, "k": result.k, "done": result.done,
            "runs": [
                {"run_id": run.id, "fold": run.plan.fold, "state": run.state, "values": result.values.get(run.id, {})}
                for run in result.runs
            ],
            "spreads": {name: asdict(spread) for name, spread in result.spreads.items()},
            "sentence": sentence(result),
        }
    )  # fmt: skip
