"""``studio data``: the datasets of the workspace, their rows, versions and figures."""

from __future__ import annotations

from typing import Annotated

import typer

from studio.cli import data_doctor, data_out, data_recipes, data_steps, pick, words
from studio.cli.call import Answer, Call
from studio.cli.importing import REJECTED_SHOWN, facts, tell
from studio.cli.progress import ProgressLine
from studio.cli.suiting import tell_suits
from studio.cli.verbs import Verbs
from studio.domain.datasets import DatasetVersion, title
from studio.domain.statistics import DatasetStatistics
from studio.i18n import _
from studio.words import labelled, listed
from studio.words_data import language_title, unit_title
from studio.words_versions import change_words, version_words


def add_to(app: typer.Typer, verbs: Verbs) -> None:
    """Add the verb and its verbs."""
    group = verbs.group(app, "data", _("The data of this workspace."))
    verbs.add(group, list_, "list", _("List the data, newest first."))
    verbs.add(group, show, "show", _("Show one dataset and its first rows."))
    verbs.add(group, versions, "versions", _("List the versions of a dataset and what made them."))
    verbs.add(group, statistics, "statistics", _("Lengths, labels, languages and more of a dataset."))
    verbs.add(group, to_label, "to-label", _("Make a dataset of plain texts that wait for labels."))
    for module in (data_doctor, data_steps, data_out, data_recipes):
        module.add_to(group, verbs)


def list_(call: Call) -> Answer:
    """All datasets."""
    with call.reading() as services:
        datasets = services.datasets.list()
    rows = [
        (
            d.id, d.name, title(d.shape), d.number, f"{d.rows:,}", f"{d.rejected:,}", words.local_time(d.created_at)
        )
        for d in datasets
    ]  # fmt: skip
    columns = [_("Id"), _("Name"), _("Kind"), _("Version"), _("Rows"), _("Put aside"), _("Made")]
    call.out.table(columns, rows, whole=1)
    return Answer({"datasets": [d.model_dump(mode="json") for d in datasets]})


def show(
    call: Call,
    dataset: pick.DatasetName = pick.NEWEST,
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


def versions(call: Call, dataset: pick.DatasetName = pick.NEWEST) -> Answer:
    """The versions of one dataset, newest first."""
    with call.reading() as services:
        chosen = pick.dataset(services, dataset)
        found = services.versions.versions(chosen.id)
        undone = services.versions.replaced(chosen.id)
    call.out.say(found[0].name)
    columns = [_("Version"), _("Id"), _("Rows"), _("Changes"), _("Made"), _("What was done")]
    lines = [*(_version_cells(version, undone=True) for version in undone), *map(_version_cells, found)]
    call.out.table(columns, sorted(lines, key=lambda cells: -int(str(cells[0]))), whole=2)
    return Answer({
        "versions": [version.model_dump(mode="json") for version in found],
        "undone": [version.model_dump(mode="json") for version in undone],
    })  # fmt: skip


def statistics(call: Call, dataset: pick.DatasetName = pick.NEWEST) -> Answer:
    """The figures of one dataset, measured when nobody did it before."""
    with call.reading() as services:
        found = pick.dataset(services, dataset)
        with ProgressLine(call.out) as progress:
            figures = services.versions.statistics(found.id, progress, call.interrupts.cancelled)
    _tell_figures(call, found, figures)
    return Answer(figures.model_dump(mode="json"))


def to_label(
    call: Call,
    dataset: pick.DatasetName = pick.NEWEST,
    product: Annotated[
        str | None, typer.Option(help=_("Product (id or name) that this data is for."), show_default=False)
    ] = None,
) -> Answer:
    """The same texts with an empty label each; labels are given in the window or by ``edit``."""
    with call.writing() as services:
        texts = pick.dataset(services, dataset)
        target = pick.product(services.matrices.list(), product) if product else None
        with ProgressLine(call.out) as progress:
            made = services.datasets.to_label(texts.id, progress, call.interrupts.cancelled)
        if target is not None:
            target = services.matrices.set_dataset(target.id, made.id)
    tell(call, made, [])
    advice = {"advice": tell_suits(call, made, target)} if target is not None else {}
    return Answer({**facts(made, []), **advice})


def _version_cells(version: DatasetVersion, *, undone: bool = False) -> tuple[object, ...]:
    what = version_words(version)
    return (
        version.number, version.id, f"{version.rows:,}", change_words(version), words.local_time(version.created_at),
        labelled(_("Undone"), what) if undone else what,
    )  # fmt: skip


def _tell_figures(call: Call, dataset: DatasetVersion, figures: DatasetStatistics) -> None:
    say = call.out.say
    say(f"{dataset.name} · {title(dataset.shape)} · {dataset.id}")
    say(_("Rows: {rows}; of these, {copies} repeat another one").format(
        rows=f"{figures.rows:,}", copies=f"{figures.duplicates:,}"
    ))  # fmt: skip
    if figures.lengths:
        call.out.table(
            [_("Column"), _("Unit"), _("Median"), _("95 of 100 rows have at most"), _("Longest")],
            [
                (
                    h.column or _("whole row"),
                    unit_title(h.unit),
                    f"{h.p50:,.0f}",
                    f"{h.p95:,.0f}",
                    f"{h.longest:,.0f}",
                )
                for h in figures.lengths
            ],
        )
    if figures.labels:
        counted = {label: sum(parts.values()) for label, parts in figures.labels.items()}
        call.out.table(
            [_("Label"), _("Rows")],
            [(name or _("(none yet)"), f"{rows:,}") for name, rows in counted.items()],
        )
    if figures.languages:
        shares = [
            f"{language_title(code)} {share:.0%}" for code, share in figures.languages.items() if share > 0
        ]
        say(_("Languages: {shares}").format(shares=listed(shares)))
