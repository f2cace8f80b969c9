"""``studio data doctor`` and ``studio data fix``: what is wrong with a dataset, and a version where it is not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

import typer

from studio.cli import data_steps, pick, words
from studio.cli.call import Answer, Call
from studio.cli.progress import ProgressLine
from studio.cli.verbs import Verbs
from studio.domain.datasets import DatasetVersion
from studio.domain.findings import DoctorReport, DoctorSpec, Finding
from studio.domain.recipes import FindingKind, FixAction, FixStep
from studio.errors import StudioError
from studio.i18n import _
from studio.services.container import Services
from studio.services.data_doctor import fix_step
from studio.words import listed
from studio.words_data import finding_title, fix_label, lacks_words, severity_title, share_words


def add_to(group: typer.Typer, verbs: Verbs) -> None:
    """Add the two verbs."""
    verbs.add(group, doctor, "doctor", _("Look for trouble in the rows, and advise."))
    verbs.add(group, fix, "fix", _("Make a version with fixes of what the doctor found."))


def doctor(
    call: Call,
    dataset: pick.DatasetName = pick.NEWEST,
    check: Annotated[
        list[FindingKind] | None,
        typer.Option(help=_("Look for this only; may be given several times. Default: all."), show_default=False),
    ] = None,
    min_tokens: Annotated[
        int | None, typer.Option(help=_("Rows with fewer tokens are too short."), show_default="2", min=0)
    ] = None,
    max_tokens: Annotated[
        int | None, typer.Option(help=_("Rows with more tokens are too long."), show_default="1024", min=1)
    ] = None,
    similarity: Annotated[
        float | None,
        typer.Option(help=_("Rows that are so alike are nearly the same."), show_default="0.8", min=0.5, max=1),
    ] = None,
) -> Answer:  # fmt: skip
    """Examine and report."""
    given = {"min_tokens": min_tokens, "max_tokens": max_tokens, "similarity": similarity}
    limits = {key: value for key, value in given.items() if value is not None}
    with call.reading() as services:
        found = pick.dataset(services, dataset)
        spec = services.data_doctor.default_spec().model_copy(update={**limits, "checks": tuple(check or ())})
        report = _examined(call, services, found, spec)
        advised = services.data_doctor.advised(report)
    _tell(call, found, report)
    steps = [step.model_dump(mode="json", exclude_none=True) for step in advised]
    return Answer({**report.model_dump(mode="json"), "advised": steps})


def fix(
    call: Call,
    what: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[DATASET] [FINDING[=ACTION]]…", show_default=False,
            help=_("The data (default: newest), then what to fix; without an action the one advised."),
        ),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help=_("Fix everything as advised."))] = False,
    note: Annotated[str, typer.Option(help=_("A note for the list of versions."))] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help=_("Only show what would change; nothing is written."))
    ] = False,
) -> Answer:  # fmt: skip
    """Fix all that was found, or what is named; the doctor looks first if nobody has asked him yet."""
    wanted, findings = _split(what or [])
    if all_ == bool(findings):
        raise StudioError(
            "usage", _("Say what to fix: --all, or findings by name."),
            _("See what there is: {command}").format(command="studio data doctor"),
        )  # fmt: skip
    with call.reading() if dry_run else call.writing() as services:
        dataset = pick.dataset(services, wanted)
        report = services.data_doctor.report(dataset.id)
        report = report or _examined(call, services, dataset, services.data_doctor.default_spec())
        steps = services.data_doctor.advised(report) if all_ else [_fix(report, text) for text in findings]
        if not steps:
            call.out.say(_("There is nothing to fix."))
            return Answer({"dataset_id": dataset.id, "steps": []})
        if dry_run:
            return data_steps.tried(call, services, dataset, steps)
        with ProgressLine(call.out) as progress:
            made = services.data_doctor.fix(dataset.id, steps, progress, call.interrupts.cancelled, note)
    return data_steps.told(call, made)


def _examined(call: Call, services: Services, dataset: DatasetVersion, spec: DoctorSpec) -> DoctorReport:
    with ProgressLine(call.out) as progress:
        return services.data_doctor.examine(dataset.id, spec, progress, call.interrupts.cancelled)


def _split(arguments: Sequence[str]) -> tuple[str, Sequence[str]]:
    """The dataset and the findings; the first argument is a dataset unless it is the name of a finding."""
    if arguments and _kind(arguments[0]) is None:
        return arguments[0], arguments[1:]
    return pick.NEWEST, arguments


def _kind(text: str) -> FindingKind | None:
    name = text.partition("=")[0].strip().lower().replace("-", "_")
    return FindingKind(name) if name in list(FindingKind) else None


def _fix(report: DoctorReport, text: str) -> FixStep:
    kind, action = _kind(text), text.partition("=")[2].strip().lower().replace("-", "_")
    if kind is None:
        raise StudioError(
            "option.invalid", _("The doctor does not look for “{text}”.").format(text=text),
            _("Choose one of these: {names}").format(names=listed(FindingKind)),
        )  # fmt: skip
    if action and action not in list(FixAction):
        raise StudioError(
            "option.invalid", _("“{action}” is not a way to fix anything.").format(action=action),
            _("Choose one of these: {names}").format(names=listed(FixAction)),
        )  # fmt: skip
    return fix_step(report, kind, FixAction(action) if action else None)


def _tell(call: Call, dataset: DatasetVersion, report: DoctorReport) -> None:
    say = call.out.say
    say(f"{dataset.name} · {dataset.id}")
    for sentence in lacks_words(dataset):
        say(sentence)
    if not report.findings:
        say(_("Nothing was found in {rows} rows.").format(rows=f"{report.rows:,}"))
        return
    columns = [_("Finding"), _("What"), _("How bad"), _("Rows"), _("Advice"), _("Example")]
    call.out.table(columns, map(_cells, report.findings), whole=1)
    if any(found.fixes for found in report.findings):
        say(_("Fix everything as advised: {command}").format(command=f"studio data fix {dataset.id} --all"))


def _cells(found: Finding) -> tuple[Any, ...]:
    advice = fix_label(found.fixes[0]) if found.fixes else ""
    example = _("Row {row}: {text}").format(
        row=found.examples[0].row, text=words.excerpt(found.examples[0].before)
    ) if found.examples else ""  # fmt: skip
    return (
        found.kind.value, finding_title(found.kind), severity_title(found.severity), share_words(found),
        advice, example,
    )  # fmt: skip
