"""Versions of a dataset and the steps that made them, in words."""

from __future__ import annotations

from studio.domain.datasets import DatasetVersion
from studio.domain.recipes import (
    AnyStep,
    AugmentStep,
    EditStep,
    FixStep,
    ImageOperator,
    ReplaceStep,
    RestoreStep,
    SplitStep,
    StepOutcome,
    TextOperator,
)
from studio.i18n import N_, _, ngettext
from studio.words import clauses, labelled, listed
from studio.words_data import action_title, column_title, finding_title

OPERATORS: dict[TextOperator | ImageOperator, str] = {
    TextOperator.SWAP_WORDS: N_("Swap words"),
    TextOperator.DROP_WORDS: N_("Drop words"),
    TextOperator.TYPOS: N_("Typing errors"),
    TextOperator.PUNCTUATION: N_("Punctuation"),
    TextOperator.CASE: N_("Capital letters"),
    ImageOperator.CROP: N_("Crop"),
    ImageOperator.FLIP: N_("Mirror"),
    ImageOperator.ROTATE: N_("Turn a little"),
    ImageOperator.COLOUR: N_("Brightness and colour"),
}
NEAR_DUPLICATES = "near-duplicates"


def step_words(step: AnyStep) -> str:
    """What a step did, in one line."""
    if isinstance(step, FixStep):
        return labelled(finding_title(step.finding), action_title(step.action))
    if isinstance(step, ReplaceStep):
        return _("Replaced “{find}” by “{replacement}”").format(find=step.find, replacement=step.replacement)
    if isinstance(step, SplitStep):
        return _split_words(step)
    if isinstance(step, AugmentStep):
        used: tuple[TextOperator | ImageOperator, ...] = (*step.text, *step.image)
        names = listed(_(OPERATORS[each]) for each in used)
        return _("Added changed copies: {operators}").format(operators=names)
    if isinstance(step, EditStep):
        return _("Edited by hand")
    assert isinstance(step, RestoreStep)
    return _("Went back to version {n}").format(n=step.number)


def outcome_words(outcome: StepOutcome) -> str:
    """The same with what the step left out."""
    compared = outcome.details.get("compared")
    left_out = compared_words(compared) if isinstance(compared, int) else ""
    return clauses([step_words(outcome.step), left_out])


def compared_words(rows: int) -> str:
    """That near-duplicates were looked for among the first rows only."""
    return ngettext("only the first {n} row was compared", "only the first {n} rows were compared", rows).format(
        n=f"{rows:,}"
    )  # fmt: skip


def version_words(version: DatasetVersion) -> str:
    """What made a version: its note, then its steps."""
    steps = clauses(map(outcome_words, version.made_by))
    parts = [part for part in (version.note, steps) if part]
    return " · ".join(parts) if parts else _("Imported")


def change_words(version: DatasetVersion) -> str:
    """Rows added, removed and changed by the steps of a version, in short: "+12 −3 ~20"."""
    sums = [
        (sign, sum(getattr(outcome, name) for outcome in version.made_by))
        for sign, name in (("+", "added"), ("−", "removed"), ("~", "changed"))
    ]
    return "  ".join(f"{sign}{amount:,}" for sign, amount in sums if amount)


def change_sentence(version: DatasetVersion) -> str:
    """The same for a screen reader and a tooltip."""
    outcomes = version.made_by
    return _("{added} rows added, {removed} removed, {changed} changed").format(
        added=f"{sum(each.added for each in outcomes):,}",
        removed=f"{sum(each.removed for each in outcomes):,}",
        changed=f"{sum(each.changed for each in outcomes):,}",
    )


def _split_words(step: SplitStep) -> str:
    words = _("Split again: {validation} validation, {test} test").format(
        validation=f"{step.validation:.0%}", test=f"{step.test:.0%}"
    )
    parts = [words]
    if step.group_by == NEAR_DUPLICATES:
        parts.append(_("near-duplicates together"))
    elif step.group_by:
        parts.append(_("same {column} together").format(column=column_title(step.group_by)))
    if step.stratify:
        parts.append(_("each label in equal shares"))
    return listed(parts)
