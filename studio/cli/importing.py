"""``studio import FILE…``: files become a dataset, with a report of what was put aside and why."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from studio.cli import pick, words
from studio.cli.call import Answer, Call
from studio.cli.progress import ProgressLine
from studio.cli.suiting import tell_suits
from studio.cli.verbs import Verbs
from studio.domain.datasets import DatasetVersion, ImportSpec, RejectedRow, SplitShares, title
from studio.domain.shapes import ColumnRole, Shape
from studio.errors import StudioError
from studio.i18n import N_, _, ngettext
from studio.services.container import Services
from studio.words import listed
from studio.words_data import lacks_words

REJECTED_SHOWN = 5
SKIPPED_SHOWN = 20
STANDARD_INPUT = "-"


Files = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="FILE",
        show_default=False,
        help=N_(
            "Files of one kind of data (their columns may be named differently), a folder or a ZIP archive; “-” for "
            "text on standard input."
        ),
    ),
]
ColumnMap = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        metavar="ROLE=COLUMN",
        show_default=False,
        help=N_("What a column is for, e.g. prompt=question; once for each column. Default: detected."),
    ),
]
RecipeName = Annotated[
    str | None,
    typer.Option(help=N_("Recipe to apply after the import: its name, id or file."), show_default=False),
]
Encoding = Annotated[
    str | None,
    typer.Option(help=N_("Text encoding, e.g. utf-8 or gb18030. Default: detected."), show_default=False),
]
Delimiter = Annotated[
    str | None, typer.Option(help=N_("Character between columns. Default: detected."), show_default=False)
]
Sheet = Annotated[
    str | None,
    typer.Option(
        help=N_("Sheet of a workbook, table of a database. Default: the first with rows."), show_default=False
    ),
]
HubDataset = Annotated[
    str | None,
    typer.Option(
        metavar="OWNER/NAME",
        show_default=False,
        help=N_("Fetch this dataset from the hub of the settings instead of reading files."),
    ),
]


def add_to(app: typer.Typer, verbs: Verbs) -> None:
    """Add the verb."""
    verbs.add(
        app, import_, "import", _("Import files, a folder, a ZIP archive, pasted text or a hub's dataset.")
    )


def import_(
    call: Call,
    files: Files = None,
    name: Annotated[str, typer.Option(help=_("Name of the data. Default: the file's name."))] = "",
    as_shape: Annotated[
        Shape | None, typer.Option("--as", help=_("What one row is. Default: detected."), show_default=False)
    ] = None,
    map_: ColumnMap = None,
    recipe: RecipeName = None,
    validation: Annotated[
        float | None, typer.Option(help=_("Share of rows for checks during training."), show_default="0.1")
    ] = None,
    test: Annotated[
        float | None, typer.Option(help=_("Share of rows for the final verdict."), show_default="0.1")
    ] = None,
    encoding: Encoding = None,
    delimiter: Delimiter = None,
    sheet: Sheet = None,
    licence: Annotated[str, typer.Option(help=_("Terms under which you have this data."))] = "",
    product: Annotated[
        str | None, typer.Option(help=_("Product (id or name) that this data is for."), show_default=False)
    ] = None,
    hub: HubDataset = None,
    hub_site: Annotated[
        Literal["huggingface", "mirror", "modelscope"] | None,
        typer.Option(help=_("Another hub than that of the settings."), show_default=False),
    ] = None,
    allow_downloads: Annotated[
        bool, typer.Option("--allow-downloads", help=_("Allow downloads from the hub, now and later."))
    ] = False,
) -> Answer:  # fmt: skip
    """Import the sources and report it."""
    _one_way_in(files, hub)
    fields: dict[str, Any] = {
        "shape": as_shape, "roles": roles_of(map_ or []), "encoding": encoding, "delimiter": _character(delimiter),
        "sheet": sheet, "shares": shares_of(validation, test),
        **({"name": name} if name else {}), **({"licence": licence} if licence else {}),
    }  # fmt: skip
    if allow_downloads:
        call.settings.update(hub_consent=True)
    with call.writing() as services:
        target = pick.product(services.matrices.list(), product) if product else None
        chosen = pick.recipe(services, recipe) if recipe else None
        with ProgressLine(call.out) as progress:
            if hub:
                source = services.datasets.fetch(hub, hub_site, None, progress, call.interrupts.cancelled)
            else:
                source = _source(services, files or [], name)
            spec = source.model_copy(update=fields)
            skipped = _skipped(call, services, spec)
            dataset = services.datasets.import_(spec, progress, call.interrupts.cancelled, chosen)
        if target is not None:
            target = services.matrices.set_dataset(target.id, dataset.id)
        rejected = services.datasets.rejected(dataset.id, 0, REJECTED_SHOWN)
    tell(call, dataset, rejected)
    if chosen is not None and dataset.parent_id is None:
        call.out.say(_("The recipe “{name}” found nothing to do.").format(name=chosen.name))
    advice = {"advice": tell_suits(call, dataset, target)} if target is not None else {}
    return Answer({**facts(dataset, rejected), "skipped": skipped, **advice})


def roles_of(assignments: list[str]) -> dict[str, ColumnRole] | None:
    """``["prompt=question"]`` as ``{"question": PROMPT}``; None when empty. Raises StudioError ``option.invalid``."""
    roles: dict[str, ColumnRole] = {}
    for text in assignments:
        role, _equals, column = text.partition("=")
        if role not in set(ColumnRole) or not column:
            raise StudioError(
                "option.invalid", _("“{text}” does not say what a column is for.").format(text=text),
                _("Write ROLE=COLUMN; roles are: {names}").format(names=listed(ColumnRole)),
            )  # fmt: skip
        roles[column] = ColumnRole(role)
    return roles or None


def shares_of(validation: float | None, test: float | None) -> SplitShares:
    """The shares with their defaults. Raises StudioError ``option.invalid``."""
    given = {"validation": validation, "test": test}
    shares = {key: share for key, share in given.items() if share is not None}
    if any(not 0 <= share <= 0.5 for share in shares.values()):
        raise StudioError(
            "option.invalid", _("A share must be between 0 and 0.5."), _("For example: {example}").format(example="0.1")
        )  # fmt: skip
    return SplitShares(**shares)


def facts(dataset: DatasetVersion, rejected: list[RejectedRow]) -> dict[str, Any]:
    """The dataset as stored, with the first rows that were put aside."""
    return {**dataset.model_dump(mode="json"), "rejected_examples": [row.model_dump() for row in rejected]}


def tell(call: Call, dataset: DatasetVersion, rejected: list[RejectedRow]) -> None:
    """What was imported and what was put aside, for a person."""
    say = call.out.say
    say(
        ngettext(
            "Imported {n} row as “{name}” ({shape}), id {id}.",
            "Imported {n} rows as “{name}” ({shape}), id {id}.",
            dataset.rows,
        ).format(n=f"{dataset.rows:,}", name=dataset.name, shape=title(dataset.shape), id=dataset.id)
    )
    parts = [f"{title(split)} {count:,}" for split, count in dataset.splits.items()]
    say(_("Split: {parts}").format(parts=listed(parts)))
    if dataset.tokens is not None:
        say(_("{total} tokens, {mean} for each row on average.").format(
            total=f"{dataset.tokens.total:,}", mean=f"{dataset.tokens.mean:.0f}"
        ))  # fmt: skip
    for sentence in (*_questions(dataset), *lacks_words(dataset)):
        say(sentence)
    if dataset.rejected:
        say(_("{rows} rows were put aside:").format(rows=f"{dataset.rejected:,}"))
    for row in rejected:
        place = _("Row {row}: {reason}").format(row=row.row, reason=row.reason)
        member = f"{row.member} · " if row.member else ""
        say(f"  {member}{place}  {words.excerpt(row.excerpt)}")


def _questions(dataset: DatasetVersion) -> list[str]:
    """That the questions are still to be written, where no column gave them."""
    roles = dataset.spec.roles
    if dataset.shape is not Shape.PROMPT_RESPONSE or roles is None or ColumnRole.PROMPT in roles.values():
        return []
    words = ngettext(
        "{n} row still needs a question: write it in the window, in the table of this data.",
        "{n} rows still need a question: write them in the window, in the table of this data.",
        dataset.rows,
    )
    return [words.format(n=f"{dataset.rows:,}")]


def _skipped(call: Call, services: Services, spec: ImportSpec) -> list[str]:
    """Files of a folder or archive that are not read, each with the reason; told before the work begins."""
    sources = [Path(source) for source in (spec.source, *spec.more_sources)]
    if len(sources) == 1 and not sources[0].is_dir() and sources[0].suffix.lower() != ".zip":
        return []
    skipped = services.datasets.preview(spec, call.interrupts.cancelled).skipped
    if skipped:
        call.out.say(_("Not read:"))
    for line in skipped[:SKIPPED_SHOWN]:
        call.out.say(f"  {line}")
    more = len(skipped) - SKIPPED_SHOWN
    if more > 0:
        call.out.say(ngettext("  … and {n} more", "  … and {n} more", more).format(n=f"{more:,}"))
    return skipped


def _one_way_in(files: list[str] | None, hub: str | None) -> None:
    see = _("See: {command}").format(command="studio import --help")
    if not files and not hub:
        raise StudioError("usage", _("Say what to import."), see)
    if files and hub:
        raise StudioError("usage", _("Import files or a hub's dataset, not both at once."), see)


def _source(services: Services, files: list[str], name: str) -> ImportSpec:
    """All files as one source; a name for one that the user did not name comes from the first file."""
    if files.count(STANDARD_INPUT) > 1:
        raise StudioError("usage", _("Standard input can be read once only."))
    pasted = services.datasets.paste(_standard_input(), name) if STANDARD_INPUT in files else None
    paths = [
        pasted.source if pasted and file == STANDARD_INPUT else str(Path(file).expanduser().absolute())
        for file in files
    ]
    if pasted is not None and files[0] == STANDARD_INPUT:
        return pasted.model_copy(update={"more_sources": tuple(paths[1:])})
    return ImportSpec(source=paths[0], more_sources=tuple(paths[1:]), name=Path(paths[0]).stem)


def _standard_input() -> str:
    try:
        return sys.stdin.buffer.read().decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        raise StudioError(
            "import.not_utf8", _("The text on standard input is not UTF-8."),
            _("Save it as a file and import that: the encoding of a file is detected."),
        ) from problem  # fmt: skip


def _character(delimiter: str | None) -> str | None:
    r"""A tab can hardly be typed in a shell: ``\t`` and ``tab`` stand for it."""
    return "\t" if delimiter in ("\\t", "tab") else delimiter
