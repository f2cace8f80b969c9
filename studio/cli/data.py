"""``studio data``: the datasets of the workspace and their rows."""

from __future__ import annotations

from typing import Annotated

import typer

from studio.cli import pick, words
from studio.cli.call import Answer, Call
from studio.cli.importing import REJECTED_SHOWN, facts
from studio.cli.verbs import Verbs
from studio.domain.datasets import title
from studio.i18n import _


def add_to(app: typer.Typer, verbs: Verbs) -> None:
    """Add the verb and its verbs."""
    group = verbs.group(app, "data", _("The data of this workspace."))
    verbs.add(group, list_, "list", _("List the data, newest first."))
    verbs.add(group, show, "show", _("Show one dataset and its first rows."))


def list_(call: Call) -> Answer:
    """All datasets."""
    with call.reading() as services:
        datasets = services.datasets.list()
    rows = [
        (d.id, d.name, title(d.shape), f"{d.rows:,}", f"{d.rejected:,}", words.local_time(d.created_at))
        for d in datasets
    ]
    call.out.table([_("Id"), _("Name"), _("Kind"), _("Rows"), _("Put aside"), _("Imported")], rows)
    return Answer({"datasets": [d.model_dump(mode="json") for d in datasets]})


def show(
    call: Call,
    dataset: Annotated[str, typer.Argument(help=_("Id or name of the data, or “newest”."))] = pick.NEWEST,
    rows: Annotated[int, typer.Option(help=_("How many rows to show."), min=0, max=1000)] = 5,
) -> Answer:
    """One dataset with its first rows."""
    with call.reading() as services:
        found = pick.dataset(services, dataset)
        first = services.datasets.page(found.id, 0, rows)
        rejected = services.datasets.rejected(found.id, 0, REJECTED_SHOWN)
    call.out.say(f"{found.name} · {title(found.shape)} · {found.id}")
    if first:
        call.out.table(list(first[0]), [[words.excerpt(cell) for cell in row.values()] for row in first])
    return Answer({**facts(found, rejected), "first_rows": first})
