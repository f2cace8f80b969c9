"""``studio data split``, ``replace``, ``augment``, ``edit``, ``undo``, …: steps that make a version, and back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from studio.cli import pick, words
from studio.cli.call import Answer, Call
from studio.cli.generated import validated
from studio.cli.progress import ProgressLine
from studio.cli.verbs import Verbs
from studio.domain.datasets import DatasetVersion, title
from studio.domain.recipes import (
    AnyStep,
    AugmentStep,
    EditStep,
    ImageOperator,
    ReplaceStep,
    SplitStep,
    StepPreview,
    TextOperator,
)
from studio.errors import StudioError
from studio.i18n import N_, _, ngettext
from studio.services.container import Services
from studio.words import clauses, ended, labelled, listed
from studio.words_data import effect_words
from studio.words_versions import change_sentence, outcome_words, step_words

_EXAMPLES_SHOWN = 3

DryRun = Annotated[
    bool, typer.Option("--dry-run", help=N_("Only show what would change; nothing is written."))
]
Note = Annotated[str, typer.Option(help=N_("A note for the list of versions."))]


def add_to(group: typer.Typer, verbs: Verbs) -> None:
    """Add the verbs."""
    verbs.add(group, split, "split", _("Divide the rows anew into training, validation and test."))
    verbs.add(group, replace, "replace", _("Find and replace in the texts."))
    verbs.add(group, augment, "augment", _("Add changed copies of training rows."))
    verbs.add(group, edit, "edit", _("Change cells, add and remove rows by number."))
    verbs.add(group, draft, "draft", _("Unsaved edits made in the window: show, save or discard them."))
    verbs.add(group, undo, "undo", _("Undo the newest version."))
    verbs.add(group, redo, "redo", _("Redo the version that was undone last."))
    verbs.add(group, restore, "restore", _("Make a new version with the rows of an older one."))


def split(
    call: Call,
    dataset: pick.DatasetName = pick.NEWEST,
    validation: Annotated[float, typer.Option(help=_("Share of rows for checks during training."))] = 0.1,
    test: Annotated[float, typer.Option(help=_("Share of rows for the final verdict."))] = 0.1,
    group: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN", show_default=False,
            help=_("Rows with the same value in this column stay together; “near-duplicates”: rows that are alike."),
        ),
    ] = None,
    stratify: Annotated[
        bool, typer.Option("--stratify", help=_("Give each label the same share in every part."))
    ] = False,
    note: Note = "",
) -> Answer:  # fmt: skip
    """Split anew."""
    fields = {"validation": validation, "test": test, "group_by": group, "stratify": stratify}
    return _made(call, dataset, validated(SplitStep, fields), note, dry_run=False)


def replace(
    call: Call,
    find: Annotated[str, typer.Argument(help=_("Text to find."))],
    replacement: Annotated[str, typer.Argument(help=_("What it becomes; may be empty."))],
    dataset: pick.DatasetName = pick.NEWEST,
    regex: Annotated[bool, typer.Option("--regex", help=_("The text to find is a regular expression."))] = False,
    ignore_case: Annotated[bool, typer.Option("--ignore-case", help=_("Capital letters do not matter."))] = False,
    column: Annotated[
        list[str] | None,
        typer.Option(help=_("In this column only; may be given several times."), show_default=False),
    ] = None,
    note: Note = "",
    dry_run: DryRun = False,
) -> Answer:  # fmt: skip
    """Find and replace."""
    fields = {
        "find": find, "replacement": replacement, "regex": regex, "match_case": not ignore_case,
        "columns": tuple(column or ()),
    }  # fmt: skip
    return _made(call, dataset, validated(ReplaceStep, fields), note, dry_run)


def augment(
    call: Call,
    dataset: pick.DatasetName = pick.NEWEST,
    text: Annotated[
        list[TextOperator] | None,
        typer.Option(help=_("How texts are changed; may be given several times."), show_default=False),
    ] = None,
    image: Annotated[
        list[ImageOperator] | None,
        typer.Option(help=_("How images are changed; may be given several times."), show_default=False),
    ] = None,
    copies: Annotated[int, typer.Option(help=_("Changed copies of each training row."))] = 1,
    strength: Annotated[float, typer.Option(help=_("Share of words or of the image that is touched."))] = 0.1,
    seed: Annotated[int, typer.Option(help=_("The same number gives the same copies."))] = 0,
    note: Note = "",
    dry_run: DryRun = False,
) -> Answer:  # fmt: skip
    """Add changed copies."""
    if not text and not image:
        raise StudioError(
            "usage", _("Say how rows are changed."),
            _("For example: {example}").format(example="studio data augment --text typos"),
        )  # fmt: skip
    fields = {
        "text": tuple(text or ()), "image": tuple(image or ()), "copies": copies, "strength": strength, "seed": seed,
    }  # fmt: skip
    return _made(call, dataset, validated(AugmentStep, fields), note, dry_run)


def edit(
    call: Call,
    dataset: pick.DatasetName = pick.NEWEST,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="ROW:COLUMN=TEXT", show_default=False,
            help=_("A new text for a cell, e.g. 12:response=Yes; may be given several times."),
        ),
    ] = None,
    add: Annotated[
        list[str] | None,
        typer.Option(metavar="JSON", help=_("A new row as a JSON object of columns and texts."), show_default=False),
    ] = None,
    remove: Annotated[
        list[int] | None, typer.Option(metavar="ROW", help=_("Number of a row to remove."), show_default=False)
    ] = None,
    edits: Annotated[
        Path | None,
        typer.Option("--file", help=_("Read the edits from a JSON file (cells, added, removed)."), show_default=False),
    ] = None,
    note: Note = "",
    dry_run: DryRun = False,
) -> Answer:  # fmt: skip
    """Edit by row numbers."""
    if edits is not None and (set_ or add or remove):
        raise StudioError("usage", _("Give the edits in a file or as options, not both at once."))
    if edits is not None:
        step = EditStep(edits_file=str(edits.expanduser().absolute()))
    else:
        step = EditStep(
            cells=_cells(set_ or []), added=[_row(text) for text in add or []], removed=remove or []
        )
    if step == EditStep():
        raise StudioError(
            "usage", _("Say what to edit."),
            _("For example: {example}").format(example='studio data edit --set "12:response=Yes" --remove 13'),
        )  # fmt: skip
    return _made(call, dataset, step, note, dry_run)


def draft(
    call: Call,
    dataset: pick.DatasetName = pick.NEWEST,
    save: Annotated[bool, typer.Option("--save", help=_("Make a version of them."))] = False,
    discard: Annotated[bool, typer.Option("--discard", help=_("Throw them away."))] = False,
    note: Note = "",
) -> Answer:  # fmt: skip
    """The pending edits of one dataset."""
    if save and discard:
        raise StudioError("usage", _("Save the changes or throw them away, not both."))
    with call.writing() if save or discard else call.reading() as services:
        found = pick.dataset(services, dataset)
        if save:
            with ProgressLine(call.out) as progress:
                made = services.drafts.save(found.id, note, progress, call.interrupts.cancelled)
            return told(call, made)
        if discard:
            services.drafts.discard(found.id)
        pending = services.drafts.pending(found.id)
    text = ngettext(
        "“{name}” has unsaved changes in {n} row.", "“{name}” has unsaved changes in {n} rows.", pending
    ) if pending else _("“{name}” has no unsaved changes.")  # fmt: skip
    call.out.say(text.format(name=found.name, n=f"{pending:,}"))
    return Answer({"dataset_id": found.id, "pending": pending})


def undo(call: Call, dataset: pick.DatasetName = pick.NEWEST) -> Answer:
    """One version back."""
    with call.writing() as services:
        return told(call, services.versions.undo(pick.dataset(services, dataset).id))


def redo(call: Call, dataset: pick.DatasetName = pick.NEWEST) -> Answer:
    """One version forth again."""
    with call.writing() as services:
        redone = services.versions.redo(pick.dataset(services, dataset).id)
    if redone is None:
        raise StudioError("version.nothing_to_redo", _("There is no undone version to redo."))
    return told(call, redone)


def restore(
    call: Call,
    number: Annotated[int, typer.Argument(metavar="VERSION", help=_("Number of the version to go back to."), min=1)],
    dataset: pick.DatasetName = pick.NEWEST,
) -> Answer:  # fmt: skip
    """An older version's rows as the newest version."""
    with call.writing() as services:
        found = pick.dataset(services, dataset)
        wanted = pick.version(services, found, number, replaced=True)
        with ProgressLine(call.out) as progress:
            made = services.versions.restore_version(found.id, wanted.id, progress, call.interrupts.cancelled)
    return told(call, made)


def told(call: Call, version: DatasetVersion) -> Answer:
    """The version that counts now, for people and programs."""
    call.out.say(
        _("“{name}” is at version {number} with {rows} rows, id {id}.").format(
            name=version.name, number=version.number, rows=f"{version.rows:,}", id=version.id
        )
    )
    if version.made_by:
        call.out.say(ended(clauses(map(outcome_words, version.made_by))))
        call.out.say(change_sentence(version))
    parts = [f"{title(split)} {count:,}" for split, count in version.splits.items()]
    call.out.say(_("Split: {parts}").format(parts=listed(parts)))
    return Answer(version.model_dump(mode="json"))


def tried(call: Call, services: Services, dataset: DatasetVersion, steps: Sequence[AnyStep]) -> Answer:
    """What steps would do, each by itself to the rows as they are."""
    previews = []
    for step in steps:
        preview = services.versions.try_step(dataset.id, step, call.interrupts.cancelled)
        previews.append(preview)
        _tell_preview(call, step, preview)
    pairs = zip(steps, previews, strict=True)
    found = [{"step": s.model_dump(mode="json"), "preview": p.model_dump(mode="json")} for s, p in pairs]
    return Answer({"dataset_id": dataset.id, "steps": found})


def _made(call: Call, wanted: str, step: AnyStep, note: str, dry_run: bool) -> Answer:
    with call.reading() if dry_run else call.writing() as services:
        dataset = pick.dataset(services, wanted)
        if dry_run:
            return tried(call, services, dataset, [step])
        with ProgressLine(call.out) as progress:
            made = services.versions.derive(dataset.id, [step], note, progress, call.interrupts.cancelled)
    return told(call, made)


def _tell_preview(call: Call, step: AnyStep, preview: StepPreview) -> None:
    effect = effect_words(preview.changed, preview.removed, preview.added)
    if preview.estimated:
        effect = _("about {count}").format(count=effect)
    call.out.say(labelled(step_words(step), effect))
    for example in preview.examples[:_EXAMPLES_SHOWN]:
        after = _("(removed)") if example.after is None else words.excerpt(example.after)
        place = _("Row {row}: {text}").format(row=example.row, text=words.excerpt(example.before))
        call.out.say(f"  {place} → {after}")


def _cells(assignments: Sequence[str]) -> dict[int, dict[str, str | None]]:
    cells: dict[int, dict[str, str | None]] = {}
    for text in assignments:
        place, equals, value = text.partition("=")
        row, _colon, column = place.partition(":")
        if not equals or not row.strip().isdecimal() or not column:
            raise StudioError(
                "option.invalid", _("“{text}” is not of the form ROW:COLUMN=TEXT.").format(text=text),
                _("For example: {example}").format(example="12:response=Yes"),
            )  # fmt: skip
        cells.setdefault(int(row), {})[column.strip()] = value
    return cells


def _row(text: str) -> dict[str, str | None]:
    try:
        row: Any = json.loads(text)
    except ValueError:
        row = None
    if not isinstance(row, dict) or not all(
        value is None or isinstance(value, str) for value in row.values()
    ):
        raise StudioError(
            "option.invalid", _("“{text}” is not a JSON object of texts.").format(text=text),
            _("For example: {example}").format(example='{"prompt": "Where?", "response": "Here."}'),
        )  # fmt: skip
    return row
