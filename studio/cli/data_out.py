"""``studio data export``, ``card`` and ``compare``: what leaves the workspace, or is only looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from studio.cli import pick, words
from studio.cli.call import Answer, Call
from studio.cli.progress import ProgressLine
from studio.cli.verbs import Verbs
from studio.domain.datasets import RowChange, Split, VersionDiff
from studio.errors import StudioError
from studio.i18n import _
from studio.services.data_exports import format_for
from studio.services.files import size_of, write_atomically
from studio.words import clauses, labelled, size_words


def add_to(group: typer.Typer, verbs: Verbs) -> None:
    """Add the verbs."""
    verbs.add(group, export, "export", _("Write the rows into a file for other programs."))
    verbs.add(group, card, "card", _("Describe a dataset: sources, licence, cleaning log, limits."))
    verbs.add(group, compare, "compare", _("Show what a version has different from an older one."))


def export(
    call: Call,
    out: Annotated[Path, typer.Option(help=_("File to write; for pictures and recordings a ZIP archive or a folder."))],
    dataset: pick.DatasetName = pick.NEWEST,
    format_: Annotated[
        Literal["csv", "jsonl", "xlsx", "parquet"] | None,
        typer.Option("--format", help=_("Format of the file. Default: by its ending."), show_default=False),
    ] = None,
    split: Annotated[
        list[Split] | None,
        typer.Option(help=_("Only these parts; may be given several times."), show_default=False),
    ] = None,
) -> Answer:  # fmt: skip
    """Write one file."""
    with call.reading() as services:
        found = pick.dataset(services, dataset)
        chosen = format_ or format_for(out, found)
        with ProgressLine(call.out) as progress:
            path = services.data_exports.export(
                found.id, chosen, out, split, progress, call.interrupts.cancelled
            )
    size = size_of(path)
    call.out.say(_("Written: {path}, {size}").format(path=path, size=size_words(size)))
    return Answer({"dataset_id": found.id, "path": str(path), "format": chosen, "size_bytes": size})


def card(
    call: Call,
    dataset: pick.DatasetName = pick.NEWEST,
    out: Annotated[
        Path | None, typer.Option(help=_("File to write. Default: shown here."), show_default=False)
    ] = None,
    licence: Annotated[
        str | None,
        typer.Option(help=_("State the terms under which you have this data first."), show_default=False),
    ] = None,
) -> Answer:
    """The dataset card in Markdown."""
    with call.reading() if licence is None else call.writing() as services:
        found = pick.dataset(services, dataset)
        if licence is not None:
            services.datasets.state_licence(found.id, licence)
        text = services.data_exports.card(found.id)
    if out is None:
        call.out.piece(text)
        return Answer({"dataset_id": found.id, "card": text})
    path = out.expanduser().absolute()
    try:
        write_atomically(path, text)
    except OSError as problem:
        raise StudioError(
            "export.not_written", _("{path} cannot be written.").format(path=path),
            _("Check that the folder is there and that you may write in it."),
        ) from problem  # fmt: skip
    call.out.say(_("Written: {path}, {size}").format(path=path, size=size_words(path.stat().st_size)))
    return Answer({"dataset_id": found.id, "card": text, "path": str(path)})


def compare(
    call: Call,
    newer: pick.DatasetName = pick.NEWEST,
    older: Annotated[
        str | None,
        typer.Argument(metavar="OLDER", help=_("The older version. Default: the one before."), show_default=False),
    ] = None,
    offset: Annotated[int, typer.Option(help=_("How many differing rows to pass over."), min=0)] = 0,
    limit: Annotated[int, typer.Option(help=_("How many differing rows to show."), min=0, max=10_000)] = 20,
) -> Answer:  # fmt: skip
    """Two versions of one dataset."""
    with call.reading() as services:
        found = pick.dataset(services, newer)
        other = pick.dataset(services, older).id if older else found.parent_id
        if other is None:
            raise StudioError(
                "version.no_parent", _("This is the data as it was imported; there is no version before it.")
            )
        diff = services.versions.compare(other, found.id, offset, limit, call.interrupts.cancelled)
    _tell(call, diff)
    return Answer({"older_id": other, "newer_id": found.id, **diff.model_dump(mode="json")})


def _tell(call: Call, diff: VersionDiff) -> None:
    call.out.say(
        _("{added} rows added, {removed} removed, {changed} changed, {moved} moved to another part").format(
            added=f"{diff.added:,}", removed=f"{diff.removed:,}", changed=f"{diff.changed:,}", moved=f"{diff.moved:,}"
        )
    )  # fmt: skip
    if diff.rows:
        call.out.table([_("Row"), _("Before"), _("After")], map(_cells, diff.rows))


def _cells(change: RowChange) -> tuple[object, ...]:
    """The row's number, and the cells that differ (all that are filled of a row that is on one side only)."""
    before, after = change.before or {}, change.after or {}
    names = [name for name in before or after if before.get(name, "") != after.get(name, "")]
    sides = (
        clauses(labelled(name, words.excerpt(side[name])) for name in names if name in side)
        for side in (before, after)
    )
    return (change.row, *sides)
