"""``studio import FILE``: a file becomes a dataset, with a report of what was put aside and why."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from studio.cli import pick, words
from studio.cli.call import Answer, Call
from studio.cli.progress import ProgressLine
from studio.cli.verbs import Verbs
from studio.domain.datasets import DatasetVersion, ImportSpec, RejectedRow, SplitShares, title
from studio.domain.shapes import ColumnRole, Shape
from studio.errors import StudioError
from studio.i18n import _

REJECTED_SHOWN = 5


def add_to(app: typer.Typer, verbs: Verbs) -> None:
    """Add the verb."""
    verbs.add(app, import_, "import", _("Import a file of questions and answers, conversations or text."))


def import_(
    call: Call,
    file: Annotated[Path, typer.Argument(readable=False, help=_("CSV, TSV, JSON, JSONL, XLSX, Parquet or text file."))],
    name: Annotated[str, typer.Option(help=_("Name of the data. Default: the file's name."))] = "",
    as_shape: Annotated[
        Shape | None, typer.Option("--as", help=_("What one row is. Default: detected."), show_default=False)
    ] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map", metavar="ROLE=COLUMN", show_default=False,
            help=_("What a column is for, e.g. prompt=question; once for each column. Default: detected."),
        ),
    ] = None,
    validation: Annotated[
        float | None, typer.Option(help=_("Share of rows for checks during training."), show_default="0.1")
    ] = None,
    test: Annotated[
        float | None, typer.Option(help=_("Share of rows for the final verdict."), show_default="0.1")
    ] = None,
    encoding: Annotated[
        str | None, typer.Option(help=_("Text encoding, e.g. utf-8 or gb18030. Default: detected."), show_default=False)
    ] = None,
    delimiter: Annotated[
        str | None, typer.Option(help=_("Character between columns. Default: detected."), show_default=False)
    ] = None,
    sheet: Annotated[
        str | None, typer.Option(help=_("Sheet of a workbook. Default: the first."), show_default=False)
    ] = None,
    licence: Annotated[str, typer.Option(help=_("Terms under which you have this data."))] = "",
    product: Annotated[
        str | None, typer.Option(help=_("Product (id or name) that this data is for."), show_default=False)
    ] = None,
) -> Answer:  # fmt: skip
    """Import the file and report it."""
    given = {"validation": validation, "test": test}
    shares = {key: share for key, share in given.items() if share is not None}
    spec = ImportSpec(
        source=str(file.expanduser().absolute()), name=name or file.stem, shape=as_shape, roles=roles_of(map_ or []),
        encoding=encoding, delimiter=_character(delimiter), sheet=sheet, shares=_shares(shares), licence=licence,
    )  # fmt: skip
    with call.writing() as services:
        target = pick.product(services.matrices.list(), product) if product else None
        with ProgressLine(call.out) as progress:
            dataset = services.datasets.import_(spec, progress, call.interrupts.cancelled)
        if target is not None:
            services.matrices.set_dataset(target.id, dataset.id)
        rejected = services.datasets.rejected(dataset.id, 0, REJECTED_SHOWN)
    _tell(call, dataset, rejected)
    return Answer(facts(dataset, rejected))


def roles_of(assignments: list[str]) -> dict[str, ColumnRole] | None:
    """``["prompt=question"]`` as ``{"question": PROMPT}``; None when empty. Raises StudioError ``option.invalid``."""
    roles: dict[str, ColumnRole] = {}
    for text in assignments:
        role, _equals, column = text.partition("=")
        if role not in set(ColumnRole) or not column:
            raise StudioError(
                "option.invalid", _("“{text}” does not say what a column is for.").format(text=text),
                _("Write ROLE=COLUMN; roles are: {names}").format(names=", ".join(ColumnRole)),
            )  # fmt: skip
        roles[column] = ColumnRole(role)
    return roles or None


def facts(dataset: DatasetVersion, rejected: list[RejectedRow]) -> dict[str, Any]:
    """The dataset as stored, with the first rows that were put aside."""
    return {**dataset.model_dump(mode="json"), "rejected_examples": [row.model_dump() for row in rejected]}


def _shares(given: dict[str, float]) -> SplitShares:
    if any(not 0 <= share <= 0.5 for share in given.values()):
        raise StudioError(
            "option.invalid", _("A share must be between 0 and 0.5."), _("For example: {example}").format(example="0.1")
        )  # fmt: skip
    return SplitShares(**given)


def _character(delimiter: str | None) -> str | None:
    r"""A tab can hardly be typed in a shell: ``\t`` and ``tab`` stand for it."""
    return "\t" if delimiter in ("\\t", "tab") else delimiter


def _tell(call: Call, dataset: DatasetVersion, rejected: list[RejectedRow]) -> None:
    say = call.out.say
    say(
        _("Imported {rows} rows as “{name}” ({shape}), id {id}.").format(
            rows=f"{dataset.rows:,}", name=dataset.name, shape=title(dataset.shape), id=dataset.id
        )
    )
    parts = [f"{title(split)} {count:,}" for split, count in dataset.splits.items()]
    say(_("Split: {parts}").format(parts=_(", ").join(parts)))
    if dataset.tokens is not None:
        say(_("{total} tokens, {mean} for each row on average.").format(
            total=f"{dataset.tokens.total:,}", mean=f"{dataset.tokens.mean:.0f}"
        ))  # fmt: skip
    if dataset.rejected:
        say(_("{rows} rows were put aside:").format(rows=f"{dataset.rejected:,}"))
    for row in rejected:
        say(
            "  "
            + _("Row {row}: {reason}").format(row=row.row, reason=row.reason)
            + f"  {words.excerpt(row.excerpt)}"
        )
