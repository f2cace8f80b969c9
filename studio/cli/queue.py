"""``studio runs queue``: the order of the waiting runs, and the hours in which they may be under way."""

from __future__ import annotations

from typing import Annotated

import typer

from studio.cli import following, pick
from studio.cli.call import Answer, Call
from studio.cli.keeping import keep_going, queue_words, waiting_lines
from studio.cli.verbs import INTERRUPTED, Verbs
from studio.domain.runs import Run
from studio.domain.schedules import read_time
from studio.errors import StudioError
from studio.i18n import N_, _
from studio.services.container import Services
from studio.services.queue import Place
from studio.words import labelled, listed

WaitingName = Annotated[str, typer.Argument(metavar="RUN", help=N_("Id or name of the waiting run."))]
_WORDS = ("first", "last", "up", "down")


def add_to(app: typer.Typer, verbs: Verbs) -> None:
    """Add the verb and its verbs."""
    group = verbs.group(app, "queue", _("The waiting runs: their order and their hours."))
    verbs.add(group, list_, "list", _("List the run under way and those that wait."))
    verbs.add(group, move, "move", _("Move a waiting run to another place."))
    verbs.add(
        group, schedule, "schedule", _("Let a waiting run start at a time of day, for example at night.")
    )
    verbs.add(group, now, "now", _("Forget a waiting run's hours and let it be the next."))
    verbs.add(
        group,
        work,
        "work",
        _("Start run after run until none waits. Ctrl+C leaves the run under way to itself."),
    )


def list_(call: Call) -> Answer:
    """The queue in order."""
    with call.up_to_date() as (services, _ours):
        call.out.table([_("Place"), _("Id"), _("Name"), _("State")], waiting_lines(services), whole=2)
        return Answer(
            {
                "active": [run.id for run in services.runs.active()],
                "queue": [_facts(services, run, place) for place, run in enumerate(services.runs.queue(), 1)],
            }
        )


def move(
    call: Call,
    run: WaitingName,
    to: Annotated[str, typer.Option(help=_("The new place, from 1; or first, last, up, down."))],
) -> Answer:
    """Give a run another place."""
    place = _place(to)
    with call.writing() as services:
        services.runs.reorder(_waiting(services, run).id, place)
        call.out.table([_("Place"), _("Id"), _("Name"), _("State")], waiting_lines(services), whole=2)
        return Answer({"queue": [each.id for each in services.runs.queue()]})


def schedule(
    call: Call,
    run: WaitingName,
    at: Annotated[str, typer.Option(metavar="HH:MM", help=_("Time of day from which it may start."))],
    until: Annotated[
        str | None,
        typer.Option(
            metavar="HH:MM", show_default=False,
            help=_("Time of day at which it is saved and waits for its next hours. Default: it goes on."),
        ),
    ] = None,
) -> Answer:  # fmt: skip
    """Give a run its hours."""
    start, end = read_time(at), read_time(until) if until else None
    with call.writing() as services:
        made = services.runs.schedule(_waiting(services, run).id, start, end)
        call.out.say(labelled(made.name, queue_words(services, made)))
        call.out.say(
            _("Runs start while a window is open, or with: {command}").format(
                command="studio runs queue work"
            )
        )
        return Answer(_facts(services, made, _place_of(services, made)))


def now(call: Call, run: WaitingName) -> Answer:
    """Let a run be the next."""
    with call.writing() as services:
        started = services.runs.start_now(_waiting(services, run).id)
        call.out.say(labelled(started.name, queue_words(services, started)))
        return Answer(following.facts(services, started))


def work(call: Call) -> Answer:
    """Keep the queue going."""
    with call.writing() as services:
        runs, searches = services.runs, services.searches
        finished = keep_going(
            call, services, lambda: not (runs.active() or runs.queue() or searches.running())
        )
        return Answer({"queue": [each.id for each in runs.queue()]}, 0 if finished else INTERRUPTED)


def _place(text: str) -> Place:
    if text in _WORDS:
        return text  # type: ignore[return-value]
    if text.isdecimal() and int(text) > 0:
        return int(text)
    raise StudioError(
        "option.invalid", _("“{text}” is not a place in the queue.").format(text=text),
        _("Name a number from 1, or: {words}").format(words=listed(_WORDS)),
    )  # fmt: skip


def _waiting(services: Services, wanted: str) -> Run:
    """By id or name among those that wait; else whatever run is named so, for the right refusal."""
    for run in services.runs.queue():
        if wanted in (run.id, run.name):
            return run
    return pick.run(services, wanted)


def _place_of(services: Services, run: Run) -> int:
    return [each.id for each in services.runs.queue()].index(run.id) + 1


def _facts(services: Services, run: Run, place: int) -> dict[str, object]:
    return {
        "place": place, "run_id": run.id, "name": run.name, "state": queue_words(services, run),
        "schedule": run.schedule.model_dump(mode="json") if run.schedule else None,
    }  # fmt: skip
