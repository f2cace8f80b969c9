"""``studio runs``: what was trained, what is under way, and commands to it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from studio.cli import folds, following, pick, queue, words
from studio.cli.call import Answer, Call
from studio.cli.train import detached
from studio.cli.verbs import Verbs
from studio.domain.runs import ACTIVE, STATE_TITLES, Run, RunState
from studio.domain.verdicts import title as verdict_title
from studio.errors import BusyError, StudioError
from studio.i18n import _
from studio.services.container import Services
from studio.words import loss_words

CANCEL_PATIENCE_S = 20.0
RunName = Annotated[str, typer.Argument(metavar="RUN", help=_("Id or name of the run, or “newest”."))]


def add_to(app: typer.Typer, verbs: Verbs) -> None:
    """Add the verb and its verbs."""
    group = verbs.group(app, "runs", _("Training runs: list, show, stop, resume, export."))
    verbs.add(group, list_, "list", _("List the runs, newest first."))
    verbs.add(group, show, "show", _("Show one run, its checks and its verdict."))
    verbs.add(group, stop, "stop", _("End a run after its step and keep the model."))
    verbs.add(group, cancel, "cancel", _("End a run and drop what it made."))
    verbs.add(group, pause, "pause", _("Save and pause a run."))
    verbs.add(group, resume, "resume", _("Let a paused, interrupted or failed run go on."))
    verbs.add(group, export, "export", _("Write a run's measurements as a CSV table."))
    verbs.add(group, script, "script", _("Write a run as a Python program that trains the same."))
    verbs.add(group, folds.show, "folds", _("Show a K-fold: each fold, mean and deviation."))
    queue.add_to(group, verbs)


def list_(
    call: Call,
    limit: Annotated[int, typer.Option(help=_("At most this many."), min=1)] = 50,
    trials: Annotated[bool, typer.Option("--trials", help=_("Show the trials of searches, too."))] = False,
) -> Answer:
    """The newest runs."""
    with call.up_to_date() as (services, _ours):
        runs = services.runs.list(limit=limit, trials=trials)
        data = [following.facts(services, run) for run in runs]
        rows = [_row(services, run) for run in runs]
    call.out.table([_("Id"), _("Name"), _("State"), _("Progress"), _("Loss"), _("Verdict"), _("Made")], rows)
    return Answer({"runs": data})


def show(call: Call, run: RunName = pick.NEWEST) -> Answer:
    """One run with its evaluations and answers."""
    with call.up_to_date() as (services, _ours):
        found = pick.run(services, run)
        data = following.facts(services, found)
        evals, probes = services.runs.evals(found.id), services.runs.probes(found.id)
        following.tell_run(call, services, found)
    best = max((e.step for e in evals if e.is_best), default=None)  # a mark says: the best until then
    if evals:
        checks = [(e.step, loss_words(e.loss), "★" if e.step == best else "") for e in evals]
        call.out.table([_("Step"), _("Loss"), _("Best")], checks)
    data["evaluations"] = [{"step": e.step, "loss": e.loss, "is_best": e.step == best} for e in evals]
    data["probes"] = [{"step": p.step, "prompt": p.prompt, "answer": p.answer} for p in probes]
    return Answer(data)


def stop(call: Call, run: RunName) -> Answer:
    """Ask the trainer to stop; the model is kept."""
    with call.up_to_date() as (services, ours):
        found = _reachable(pick.run(services, run), ours)
        services.runs.stop(found.id)
        call.out.say(_("“{name}” ends after its step; its model is kept.").format(name=found.name))
        return Answer(following.facts(services, services.runs.get(found.id)))


def cancel(call: Call, run: RunName) -> Answer:
    """Drop the run, and see it gone."""
    with call.up_to_date() as (services, ours):
        found = _reachable(pick.run(services, run), ours)
        services.runs.cancel(found.id)
        deadline = time.monotonic() + CANCEL_PATIENCE_S
        while services.runs.get(found.id).state in ACTIVE and time.monotonic() < deadline:
            if ours:
                services.runs.poll()  # ends a trainer that does not listen
            time.sleep(following.POLL_S)
        found = services.runs.get(found.id)
        if found.state in ACTIVE:
            raise BusyError(
                "run.not_ended", _("“{name}” was told to end and has not yet.").format(name=found.name),
                _("Look again in a moment: {command}").format(command=f"studio runs show {found.id}"),
            )  # fmt: skip
        if found.state is RunState.CANCELLED:
            call.out.say(_("Cancelled. Nothing of it was kept."))
        else:
            following.tell_run(call, services, found)  # it ended by itself before it heard
        return Answer(following.facts(services, found))


def pause(call: Call, run: RunName) -> Answer:
    """Ask the trainer to pause."""
    with call.up_to_date() as (services, ours):
        found = _reachable(pick.run(services, run), ours)
        services.runs.pause(found.id)
        call.out.say(_("“{name}” pauses after its step.").format(name=found.name))
        return Answer(following.facts(services, services.runs.get(found.id)))


def resume(
    call: Call,
    run: RunName,
    detach: Annotated[
        bool, typer.Option("--detach", help=_("Start it and return; it goes on by itself."))
    ] = False,
) -> Answer:
    """Let a paused run go on, or start an interrupted or failed one again and follow it."""
    with call.up_to_date() as (services, ours):
        found = pick.run(services, run)
        if found.state in ACTIVE:
            services.runs.resume(found.id)
            call.out.say(_("“{name}” goes on.").format(name=found.name))
            return Answer(following.facts(services, found))
        found = services.runs.resume_interrupted(_reachable(found, ours).id)
        if detach:
            return detached(call, services, found)
        return following.ended(call, services, following.follow(call, services, found))


def export(
    call: Call,
    run: RunName,
    out: Annotated[Path, typer.Option(help=_("CSV file to write."))],
) -> Answer:
    """Steps and evaluations as a table."""
    with call.up_to_date() as (services, _ours):
        found = pick.run(services, run)
        path = services.runs.export_metrics_csv(found.id, out.expanduser().absolute())
    call.out.say(_("Written: {path}").format(path=path))
    return Answer({"run_id": found.id, "path": str(path)})


def script(
    call: Call,
    run: RunName,
    out: Annotated[Path, typer.Option(help=_("Python file to write."))],
) -> Answer:
    """The run as a program, with its data manifest and settings."""
    with call.up_to_date() as (services, _ours):
        found = pick.run(services, run)
        path = services.runs.script(found.id, out.expanduser().absolute())
    call.out.say(_("Written: {path}").format(path=path))
    return Answer({"run_id": found.id, "path": str(path)})


def _row(services: Services, run: Run) -> tuple[object, ...]:
    verdict = services.runs.verdict(run.id)
    return (
        run.id, run.name, services.runs.waiting_words(run) or _(STATE_TITLES[run.state]),
        f"{run.step}/{run.total_steps}" if run.total_steps else "",
        loss_words(run.last_loss), verdict_title(verdict.kind) if verdict else "",
        words.local_time(run.created_at),
    )  # fmt: skip


def _reachable(run: Run, ours: bool) -> Run:
    """The run, if a command can reach it: a trainer hears anyone, the queue is its holder's alone. Raises BusyError."""
    if run.state in ACTIVE or ours:
        return run
    if run.state in (RunState.QUEUED, RunState.INTERRUPTED, RunState.FAILED):
        raise BusyError(
            "workspace.in_use", _("The window or another command has this workspace."),
            _("Do it there, or close it first."),
        )  # fmt: skip
    raise StudioError("run.not_active", _("“{name}” is not running.").format(name=run.name))
