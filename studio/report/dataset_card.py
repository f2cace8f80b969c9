"""The dataset card: what a dataset is, where it came from, what was done to it, and what is not known of it.

Everything is taken from the stored version, its history, its statistics and the doctor's report. Figures nobody
measured are said to be missing; values of private data are never shown, only their kinds and counts.
"""

from __future__ import annotations

from pathlib import Path

from studio.domain.datasets import DatasetVersion, OriginKind, SourceRecord, title
from studio.domain.findings import Finding, Severity
from studio.domain.recipes import AugmentStep, FindingKind
from studio.domain.shapes import SHAPES, ColumnRole
from studio.domain.statistics import Histogram
from studio.i18n import _, ngettext
from studio.report.markdown import bullets, code, escaped, heading, table
from studio.services.ports import DatasetFacts
from studio.words import labelled, listed, size_words
from studio.words_data import (
    column_title,
    details_words,
    effect_words,
    finding_title,
    language_title,
    roles_words,
    share_words,
    unit_title,
)
from studio.words_versions import outcome_words, step_words

LABELS_SHOWN = 20
_OFTEN_EMPTY = ("system", "history")
_SMALL_TEST = 100  # with fewer test rows a verdict is a guess


def dataset_card(facts: DatasetFacts) -> str:
    """The card in Markdown, in the active language."""
    parts = [
        *_head(facts.dataset), *_sources(facts.dataset), *_licence(facts.dataset), *_rows(facts),
        *_languages(facts), *_labels(facts), *_lengths(facts), *_cleaning(facts), *_private(facts), *_limits(facts),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(dataset: DatasetVersion) -> list[str]:
    made = dataset.created_at.astimezone().strftime("%Y-%m-%d %H:%M")
    facts = [
        _("Version {number}, made {time}").format(number=dataset.number, time=made),
        _("Content (SHA-256 of the rows): {hash}").format(hash=code(dataset.content_sha256)),
    ]
    return [heading(1, escaped(dataset.name)), escaped(dataset.note), bullets(facts)]


def _sources(dataset: DatasetVersion) -> list[str]:
    records = dataset.sources or [_single(dataset)]
    columns = [_("File"), _("Format"), _("Size"), _("Last changed"), _("Rows"), _("Put aside")]
    origin = dataset.spec.origin
    said = ""
    if origin.kind is OriginKind.HUB:
        said = _("Fetched from a hub: {address}").format(address=code(origin.address))
    elif origin.kind is OriginKind.CLIPBOARD:
        said = _("Pasted by hand.")
    own = [
        labelled(code(_place(record)), escaped(words))
        for record in records
        if (words := roles_words(record.roles))
    ]
    named = _("Files whose columns have names of their own:") if own else ""
    files = table(columns, map(_source_cells, records))
    places = bullets(map(_place_and_hash, records))
    return [heading(2, _("Sources")), said, files, places, named, bullets(own)]


def _single(dataset: DatasetVersion) -> SourceRecord:
    """The one source of a dataset that was imported before sources were recorded one by one."""
    return SourceRecord(
        path=dataset.source_path, format="", size_bytes=dataset.source_bytes, sha256=dataset.source_sha256,
        rows=dataset.rows, rejected=dataset.rejected,
    )  # fmt: skip


def _place(record: SourceRecord) -> str:
    return f"{record.path} › {record.member}" if record.member else record.path


def _place_and_hash(record: SourceRecord) -> str:
    """What is too long for a cell of a table."""
    return labelled(code(_place(record)), f"SHA-256 {code(record.sha256)}")


def _source_cells(record: SourceRecord) -> list[str]:
    changed = record.modified_at.astimezone().strftime("%Y-%m-%d %H:%M") if record.modified_at else "–"
    kind = listed(filter(None, (record.format, record.encoding)))
    return [
        code(Path(_place(record)).name), escaped(kind) or "–", size_words(record.size_bytes), changed,
        f"{record.rows:,}", f"{record.rejected:,}",
    ]  # fmt: skip


def _licence(dataset: DatasetVersion) -> list[str]:
    stated = escaped(dataset.spec.licence)
    text = stated or _(
        "Not stated. Find out under which terms you may use this data before you sell a model of it."
    )
    return [heading(2, _("Licence")), text]


def _rows(facts: DatasetFacts) -> list[str]:
    dataset = facts.dataset
    stored = listed(map(column_title, _columns(facts)))
    said = [
        _("What one row is: {shape}; columns {columns}").format(shape=title(dataset.shape), columns=stored),
        _("Rows: {rows}; rows of the sources put aside: {rejected}").format(
            rows=f"{dataset.rows:,}", rejected=f"{dataset.rejected:,}"
        ),
    ]
    rows = [
        [title(split), f"{count:,}", _share(count, dataset.rows)] for split, count in dataset.splits.items()
    ]
    return [heading(2, _("Rows")), bullets(said), table([_("Part"), _("Rows"), _("Share")], rows)]


def _columns(facts: DatasetFacts) -> list[str]:
    """The columns that hold something: as was measured, else as the import was told."""
    stored, told = SHAPES[facts.dataset.shape].stored, facts.dataset.spec.roles
    if facts.statistics is not None:
        filled = {lengths.column for lengths in facts.statistics.lengths}
    elif told is not None and ColumnRole.MESSAGES not in told.values():
        filled = {role.value for role in told.values()}
    else:
        return list(stored)
    return [column for column in stored if column not in _OFTEN_EMPTY or column in filled]


def _languages(facts: DatasetFacts) -> list[str]:
    shares = facts.statistics.languages if facts.statistics else {}
    shares = shares or facts.dataset.languages
    if not shares:
        return []
    lines = [
        labelled(escaped(language_title(name)), f"{share:.1%}")
        for name, share in sorted(shares.items(), key=lambda pair: -pair[1])
        if share > 0
    ]
    return [heading(2, _("Languages")), bullets(lines)]


def _labels(facts: DatasetFacts) -> list[str]:
    labels = facts.dataset.labels
    if not labels:
        return []
    weights = facts.dataset.class_weights
    columns = [_("Label"), _("Rows"), _("Share"), *([_("Weight in training")] if weights else [])]
    rows = [
        [
            code(label) if label else _("(none yet)"), f"{count:,}", _share(count, facts.dataset.rows),
            *([f"{weights[label]:.3g}" if label in weights else "–"] if weights else []),
        ]
        for label, count in list(labels.items())[:LABELS_SHOWN]
    ]  # fmt: skip
    more = len(labels) - len(rows)
    rest = (
        ngettext("… and {n} more label", "… and {n} more labels", more).format(n=f"{more:,}")
        if more > 0
        else ""
    )
    return [heading(2, _("Labels")), table(columns, rows), rest]


def _lengths(facts: DatasetFacts) -> list[str]:
    found = [heading(2, _("Lengths"))]
    if facts.statistics is not None and facts.statistics.lengths:
        columns = [_("Column"), _("Unit"), _("Median"), _("95 of 100 rows have at most"), _("Longest")]
        found.append(table(columns, map(_length_cells, facts.statistics.lengths)))
    elif facts.dataset.tokens is not None:
        tokens = facts.dataset.tokens
        found.append(
            _("{total} tokens by {tokenizer}; median {p50}, 95 of 100 rows at most {p95}, longest {longest}.").format(
                total=f"{tokens.total:,}", tokenizer=code(tokens.tokenizer), p50=f"{tokens.p50:,}",
                p95=f"{tokens.p95:,}", longest=f"{tokens.longest:,}",
            )
        )  # fmt: skip
    else:
        found.append(_("Not measured."))
    if facts.statistics is not None and facts.statistics.estimated:
        found.append(_("Estimated from a sample of the rows."))
    return found


def _length_cells(lengths: Histogram) -> list[str]:
    column = escaped(column_title(lengths.column)) if lengths.column else _("whole row")
    figures = (lengths.p50, lengths.p95, lengths.longest)
    return [column, unit_title(lengths.unit), *(f"{figure:,.0f}" for figure in figures)]


def _cleaning(facts: DatasetFacts) -> list[str]:
    columns = [
        _("Version"), _("What was done"), _("Rows before"), _("Rows after"), _("Changed"), _("Added"), _("Removed"),
    ]  # fmt: skip
    rows = [
        [
            str(version.number), escaped(outcome_words(outcome)),
            *(f"{count:,}" for count in (
                outcome.rows_before, outcome.rows_after, outcome.changed, outcome.added, outcome.removed,
            )),
        ]
        for version in facts.history
        for outcome in version.made_by
    ]  # fmt: skip
    text = table(columns, rows) if rows else _("Nothing was changed after the import.")
    return [heading(2, _("Cleaning log")), text]


def _private(facts: DatasetFacts) -> list[str]:
    """Kinds and counts only; the values themselves stay in the data."""
    report = facts.report
    if report is None or FindingKind.PRIVATE_DATA not in report.checked:
        text = _("Nobody has looked for private data in this version.")
    else:
        found = next((each for each in report.findings if each.kind is FindingKind.PRIVATE_DATA), None)
        text = (
            _("None was found among {rows} rows. A program does not find everything.").format(
                rows=f"{report.rows:,}"
            )
            if found is None
            else _("Found in {rows}: {kinds}").format(
                rows=share_words(found), kinds=escaped(details_words(found))
            )
        )
    done = [
        labelled(escaped(step_words(outcome.step)), effect_words(outcome.changed, outcome.removed))
        for version in facts.history
        for outcome in version.made_by
        if getattr(outcome.step, "finding", None) is FindingKind.PRIVATE_DATA
    ]
    before = _("Done about it in the versions up to this one:") if done else ""
    return [heading(2, _("Private data")), text, before, bullets(done)]


def _limits(facts: DatasetFacts) -> list[str]:
    dataset, lines = facts.dataset, []
    test = next((count for split, count in dataset.splits.items() if split == "test"), 0)
    if test < _SMALL_TEST:
        lines.append(
            ngettext(
                "Only {n} row is kept for the final verdict; it will be rough.",
                "Only {n} rows are kept for the final verdict; it will be rough.",
                test,
            ).format(n=f"{test:,}")
        )
    if dataset.rejected:
        lines.append(
            _("{rows} rows of the sources could not be used and are not here.").format(
                rows=f"{dataset.rejected:,}"
            )
        )
    steps = [outcome.step for version in facts.history for outcome in version.made_by]
    if any(isinstance(step, AugmentStep) for step in steps):
        lines.append(_("Some training rows are changed copies of others."))
    unlabelled = dataset.labels.get("", 0)
    if unlabelled:
        lines.append(_("{rows} rows have no label yet.").format(rows=f"{unlabelled:,}"))
    if facts.report is None:
        lines.append(_("The data doctor has not examined this version."))
    else:
        lines += [_left(found) for found in facts.report.findings if found.severity is not Severity.NOTE]
    return [heading(2, _("Known limits")), bullets(lines) or _("None that the program knows of.")]


def _left(found: Finding) -> str:
    return labelled(finding_title(found.kind), share_words(found))


def _share(part: int, whole: int) -> str:
    return f"{part / whole:.1%}" if whole else "–"
