"""``studio search``: try settings in short runs, and learn which do best on the validation rows."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from studio.cli import pick, words
from studio.cli.call import Answer, Call
from studio.cli.generated import assignments, flag, validated
from studio.cli.keeping import keep_going
from studio.cli.train import planned
from studio.cli.verbs import INTERRUPTED, Verbs
from studio.domain.search_space import field_title, read_dimension, setting_words
from studio.domain.searches import SEARCH_TITLES, TRIAL_TITLES, Budget, Search, SearchState, search_words
from studio.domain.specs import Preset
from studio.errors import NotFoundError
from studio.i18n import N_, _
from studio.services.container import Services
from studio.words import duration_words

SearchName = Annotated[
    str, typer.Argument(metavar="SEARCH", help=N_("Id or name of the search, or “newest”."))
]
FAILED = 1


def add_to(app: typer.Typer, verbs: Verbs) -> None:
    """Add the verb and its verbs."""
    group = verbs.group(
        app, "search", _("Find good settings by short runs, judged on the validation rows alone.")
    )
    verbs.add(group, start, "start", _("Begin a search. Ctrl+C stops it; what was found stays."))
    verbs.add(group, list_, "list", _("List the searches, newest first."))
    verbs.add(group, show, "show", _("Show a search and its trials."))
    verbs.add(group, best, "best", _("The settings of the best trial, to train with."))
    verbs.add(group, stop, "stop", _("Stop a search; what was found stays."))
    verbs.add(group, resume, "resume", _("Let a stopped search go on."))


def start(
    call: Call,
    over: Annotated[
        list[str],
        typer.Option(
            "--over", metavar="FIELD=RANGE",
            help=_("A setting and its values, as 1e-5..1e-3 or 4,8,16. Give it once for each setting."),
        ),
    ],
    dataset: Annotated[
        str | None, typer.Option(help=_("Id or name of the data. Default: the newest."), show_default=False)
    ] = None,
    base: Annotated[
        str | None,
        typer.Option(
            help=_("Base model: id, name, folder or GGUF file. Default: the installed one."), show_default=False
        ),
    ] = None,
    preset: Annotated[Preset, typer.Option(help=_("Settings to start from."))] = Preset.BALANCED,
    set_: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help=_("Any setting by name."), show_default=False),
    ] = None,
    trials: Annotated[
        int | None, typer.Option(help=_("Most trials. Default: 12, or no limit with --minutes."), show_default=False)
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(help=_("Most minutes of training in all."), show_default=False)
    ] = None,
    passes: Annotated[
        float | None, typer.Option(help=_("Passes over the data in each trial. Default: as set."), show_default=False)
    ] = None,
    product: Annotated[
        str | None, typer.Option(help=_("Product (id or name) that the model is for."), show_default=False)
    ] = None,
    name: Annotated[str | None, typer.Option(help=_("Name of the search."), show_default=False)] = None,
    seed: Annotated[int | None, typer.Option(help=_("Seed of the search. Default: that of the runs."), min=0,
                                             show_default=False)] = None,
    detach: Annotated[
        bool, typer.Option("--detach", help=_("Start it and return; an open window goes on with it."))
    ] = False,
) -> Answer:  # fmt: skip
    """Plan the trials, and see them through."""
    space = {field: read_dimension(field, text) for field, text in assignments(over).items()}
    most = 12 if trials is None and minutes is None else trials
    budget = validated(Budget, {"trials": most, "minutes": minutes, "passes": passes})
    with call.writing() as services:
        plan, product_id = planned(
            call, services, preset, dict(assignments(set_ or [])), dataset, base, product, None
        )
        search = services.searches.start(
            plan, space, budget, name=name or "", product_id=product_id, seed=seed
        )
        if detach:
            services.runs.start_next()
            call.out.say(_("The search goes on while a window is open, or with: {command}").format(
                command="studio runs queue work"
            ))  # fmt: skip
            return _told(call, search)
        return _followed(call, services, search)


def list_(call: Call) -> Answer:
    """The newest searches."""
    with call.up_to_date() as (services, _ours):
        found = services.searches.list()
    call.out.table(
        [_("Id"), _("Name"), _("State"), _("Trials"), _("Best loss"), _("Made")],
        [
            (
                each.id, each.name, _(SEARCH_TITLES[each.state]), len(each.trials),
                _number(each.best.value if each.best else None), words.local_time(each.created_at),
            )
            for each in found
        ], whole=1,
    )  # fmt: skip
    return Answer({"searches": [_facts(each) for each in found]})


def show(call: Call, search: SearchName = pick.NEWEST) -> Answer:
    """One search with its trials."""
    with call.up_to_date() as (services, _ours):
        return _told(call, _picked(services, search))


def best(call: Call, search: SearchName = pick.NEWEST) -> Answer:
    """The best settings, and how to train with them."""
    with call.up_to_date() as (services, _ours):
        found = _picked(services, search)
        spec = services.searches.best_spec(found.id)
    assert found.best is not None
    call.out.say(search_words(found))
    options = " ".join(f"{flag(name)} {value}" for name, value in found.best.settings.items())
    call.out.say(_("Train with them: {command}").format(
        command=f"studio train --dataset {found.plan.dataset_id} {options}"
    ))  # fmt: skip
    return Answer(
        {"search_id": found.id, "spec": spec.model_dump(mode="json"), "settings": found.best.settings,
         "value": found.best.value, "run_id": found.best.run_id}
    )  # fmt: skip


def stop(call: Call, search: SearchName) -> Answer:
    """Stop the search and its run."""
    with call.writing() as services:
        return _told(call, services.searches.stop(_picked(services, search).id))


def resume(call: Call, search: SearchName) -> Answer:
    """Go on with the search."""
    with call.writing() as services:
        return _followed(call, services, services.searches.resume(_picked(services, search).id))


def _followed(call: Call, services: Services, search: Search) -> Answer:
    finished = keep_going(
        call, services, lambda: services.searches.get(search.id).state is not SearchState.RUNNING
    )
    if not finished:
        services.searches.stop(search.id)
    found = services.searches.get(search.id)
    answer = _told(call, found)
    return Answer(answer.data, INTERRUPTED if not finished else FAILED if found.best is None else 0)


def _picked(services: Services, wanted: str) -> Search:
    found = services.searches.list()
    if wanted == pick.NEWEST and found:
        return found[0]
    for search in found:
        if wanted in (search.id, search.name):
            return search
    raise NotFoundError(
        "search.unknown", _("There is no such search in this workspace."),
        _("Start one: {command}").format(command="studio search start --over learning_rate=1e-5..1e-3"),
    )  # fmt: skip


def _told(call: Call, search: Search) -> Answer:
    call.out.say(f"{search.name} · {_(SEARCH_TITLES[search.state])} · {search.id}")
    if search.reason:
        call.out.say(search.reason)
    fields, winner = list(search.space), search.best
    rows = [
        (
            trial.number, *(setting_words(name, trial.settings[name]) for name in fields), _number(trial.value),
            ("★ " if winner is not None and trial.number == winner.number else "") + _(TRIAL_TITLES[trial.state]),
            duration_words(trial.seconds) if trial.seconds else "",
        )
        for trial in search.trials
    ]  # fmt: skip
    titles = map(field_title, fields)
    call.out.table([_("Trial"), *titles, _("Validation loss"), _("State"), _("Time")], rows)
    call.out.say(search_words(search))
    return Answer(_facts(search))


def _facts(search: Search) -> dict[str, Any]:
    return {
        "search_id": search.id, "name": search.name, "state": search.state, "reason": search.reason,
        "dataset_id": search.plan.dataset_id, "budget": search.budget.model_dump(mode="json"),
        "space": {name: dimension.words() for name, dimension in search.space.items()},
        "trials": [trial.model_dump(mode="json") for trial in search.trials],
        "best": search.best.number if search.best else None, "minutes_used": search.minutes_used,
        "created_at": search.created_at, "ended_at": search.ended_at,
    }  # fmt: skip


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"
