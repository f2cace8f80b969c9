"""What the data doctor says, for window, command line and reports: findings, why they matter, and what a fix does."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from studio.domain import private_data
from studio.domain.datasets import DatasetVersion, Split, title
from studio.domain.findings import Finding, FixOption, Severity
from studio.domain.recipes import FindingKind, FixAction
from studio.domain.shapes import ColumnRole
from studio.i18n import N_, _, ngettext
from studio.words import listed

_K = FindingKind
_A = FixAction

_TITLES: Final[dict[FindingKind, str]] = {
    _K.NO_QUESTION: N_("Rows without a question"),
    _K.ENCODING_DAMAGE: N_("Broken characters"),
    _K.CONTROL_CHARACTERS: N_("Invisible characters"),
    _K.MARKUP: N_("Left-over HTML and chat marks"),
    _K.ROLE_ORDER: N_("Conversations out of order"),
    _K.TOO_SHORT: N_("Rows with almost no text"),
    _K.TOO_LONG: N_("Rows that are too long"),
    _K.EXACT_DUPLICATES: N_("Rows that repeat word for word"),
    _K.NEAR_DUPLICATES: N_("Rows that are nearly the same"),
    _K.CONTRADICTORY_LABELS: N_("Same content, different labels"),
    _K.SPLIT_LEAKAGE: N_("Test rows that training has seen"),
    _K.CLASS_IMBALANCE: N_("Some labels are rare"),
    _K.LANGUAGE_MIX: N_("Rows in another language"),
    _K.UNSAFE_WORDS: N_("Rude or unsafe words"),
    _K.PRIVATE_DATA: N_("Private data of people"),
}

_WHY: Final[dict[FindingKind, str]] = {
    _K.NO_QUESTION: N_("Training leaves these rows out until you write their questions in the table."),
    _K.ENCODING_DAMAGE: N_("A model learns broken characters as if they were words, and writes them itself."),
    _K.CONTROL_CHARACTERS: N_("Nobody sees them, but the model reads each of them as part of the text."),
    _K.MARKUP: N_("The model would write HTML tags and chat marks in its answers."),
    _K.ROLE_ORDER: N_("A model can only learn to answer when an answer follows each question."),
    _K.TOO_SHORT: N_("There is nothing to learn from rows that are empty or a word long."),
    _K.TOO_LONG: N_("The end of these rows is cut off in training, so the model never sees it."),
    _K.EXACT_DUPLICATES: N_("What is repeated is learned by heart, and the other rows count for less."),
    _K.NEAR_DUPLICATES: N_("Almost equal rows make the model recite, and make test results look too good."),
    _K.CONTRADICTORY_LABELS: N_("The model cannot learn a label that differs for the same content."),
    _K.SPLIT_LEAKAGE: N_("The verdict would be too good: the model has seen these test rows in training."),
    _K.CLASS_IMBALANCE: N_("A model that always answers the frequent label already looks right."),
    _K.LANGUAGE_MIX: N_("The model may answer in a language that your customers do not speak."),
    _K.UNSAFE_WORDS: N_("What is in the data can come back in an answer to a customer."),
    _K.PRIVATE_DATA: N_("A model can repeat names, numbers and addresses that it has seen."),
}

_ACTIONS: Final[dict[FixAction, str]] = {
    _A.REPAIR: N_("Repair"),
    _A.STRIP: N_("Clean the text"),
    _A.REMOVE: N_("Remove the rows"),
    _A.KEEP_FIRST: N_("Keep one of each"),
    _A.CUT: N_("Cut at the limit"),
    _A.PIECES: N_("Divide into pieces"),
    _A.KEEP_MAJORITY: N_("Keep the label that most have"),
    _A.REMOVE_FROM_TRAINING: N_("Remove the twins from training"),
    _A.WEIGHTS: N_("Give rare labels more weight"),
    _A.OVERSAMPLE: N_("Repeat rows of rare labels"),
    _A.UNDERSAMPLE: N_("Remove rows of frequent labels"),
    _A.KEEP_MAIN_LANGUAGE: N_("Keep the main language"),
    _A.MASK: N_("Mask with a placeholder"),
    _A.REPLACE: N_("Replace with made-up values"),
}

_COLUMN_TITLES: Final = {
    "row": N_("Row"), "split": N_("Part"), "key": N_("Fingerprint"), "origin": N_("Origin"),
    "history": N_("Earlier turns"),
}  # fmt: skip

_SEVERITIES: Final[dict[Severity, str]] = {
    Severity.PROBLEM: N_("Problem"),
    Severity.WARNING: N_("Warning"),
    Severity.NOTE: N_("Hint"),
}

_LANGUAGES: Final = {
    "zh": N_("Chinese"), "en": N_("English"), "ja": N_("Japanese"), "ko": N_("Korean"), "de": N_("German"),
    "fr": N_("French"), "es": N_("Spanish"), "pt": N_("Portuguese"), "it": N_("Italian"), "nl": N_("Dutch"),
    "pl": N_("Polish"), "sv": N_("Swedish"), "tr": N_("Turkish"), "ru": N_("Russian"), "uk": N_("Ukrainian"),
    "ar": N_("Arabic"), "fa": N_("Persian"), "hi": N_("Hindi"), "th": N_("Thai"), "vi": N_("Vietnamese"),
    "id": N_("Indonesian"), "ms": N_("Malay"), "other": N_("Other"),
}  # fmt: skip
_KINDS: Final[dict[str, str]] = {
    **{kind.value: words for kind, words in private_data.TITLES.items()},
    "lost": N_("Lost for good"),
    "control": N_("Control characters"),
    "direction": N_("Changed writing direction"),
    "zero_width": N_("Characters without width"),
    "hidden": N_("Hidden text"),
    "html": N_("HTML tags"),
    "entities": N_("HTML signs such as &amp;"),
    "template": N_("Marks of a chat template"),
    "placeholders": N_("Placeholders never filled in"),
    "model_phrase": N_("Phrases of a chat bot"),
}
_FEW_ROWS: Final = 10
_LISTED: Final = 5  # parts of a finding that are named; the others are an ellipsis

_Words = Callable[[int], str]
_REMOVE: Final[_Words] = lambda n: ngettext("Remove {n} row", "Remove {n} rows", n)  # noqa: E731
_BRING_BACK: Final[_Words] = lambda n: ngettext(  # noqa: E731
    "Repair and bring back {n} row", "Repair and bring back {n} rows", n
)
_LABELS: Final[dict[FixAction, _Words]] = {
    _A.REPAIR: lambda n: ngettext("Repair {n} row", "Repair {n} rows", n),
    _A.STRIP: lambda n: ngettext("Clean {n} row", "Clean {n} rows", n),
    _A.REMOVE: _REMOVE,
    _A.KEEP_FIRST: lambda n: ngettext(
        "Keep one of each, remove {n} row", "Keep one of each, remove {n} rows", n
    ),
    _A.CUT: lambda n: ngettext("Shorten {n} row", "Shorten {n} rows", n),
    _A.PIECES: lambda n: ngettext("Divide {n} row into pieces", "Divide {n} rows into pieces", n),
    _A.KEEP_MAJORITY: lambda n: ngettext(
        "Keep the label that most have, remove {n} row", "Keep the label that most have, remove {n} rows", n
    ),
    _A.REMOVE_FROM_TRAINING: lambda n: ngettext(
        "Remove {n} row from training", "Remove {n} rows from training", n
    ),
    _A.OVERSAMPLE: lambda n: ngettext(
        "Repeat rare labels, add {n} row", "Repeat rare labels, add {n} rows", n
    ),
    _A.UNDERSAMPLE: lambda n: ngettext(
        "Remove {n} row of frequent labels", "Remove {n} rows of frequent labels", n
    ),
    _A.KEEP_MAIN_LANGUAGE: lambda n: ngettext(
        "Keep the main language, remove {n} row", "Keep the main language, remove {n} rows", n
    ),
    _A.MASK: lambda n: ngettext("Mask it in {n} row", "Mask it in {n} rows", n),
    _A.REPLACE: lambda n: ngettext("Make up values in {n} row", "Make up values in {n} rows", n),
}


def finding_title(kind: FindingKind) -> str:
    """What was found, in plain words, in the active language."""
    return _(_TITLES[kind])


def finding_why(kind: FindingKind) -> str:
    """Why it matters to somebody who trains a model, in one sentence."""
    return _(_WHY[kind])


def action_title(action: FixAction) -> str:
    """What a fix does, without figures."""
    return _(_ACTIONS[action])


def severity_title(severity: Severity) -> str:
    """How bad a finding is, in a word."""
    return _(_SEVERITIES[severity])


def fix_label(option: FixOption) -> str:
    """A fix with what it would change, as it stands on a button: "Remove 17,402 rows"."""
    words = _BRING_BACK if option.action is _A.REPAIR and option.rows_added else _LABELS.get(option.action)
    if words is None:
        return action_title(option.action)
    count = _main_count(option)
    return words(count).format(n=f"{count:,}")


def effect_words(changed: int, removed: int, added: int = 0) -> str:
    """What would be different afterwards: "3 rows change, 17,402 rows are removed"; a word for nothing at all."""
    parts = [
        words.format(n=f"{count:,}")
        for count, words in (
            (changed, ngettext("{n} row changes", "{n} rows change", changed)),
            (removed, ngettext("{n} row is removed", "{n} rows are removed", removed)),
            (added, ngettext("{n} row is added", "{n} rows are added", added)),
        )
        if count
    ]
    return listed(parts) or _("no row changes")


def language_title(code: str) -> str:
    """The name of a language; an unknown code as it is."""
    return _(_LANGUAGES[code]) if code in _LANGUAGES else code


def column_title(name: str) -> str:
    """The heading of a Parquet column in the active language; an unknown column keeps its name."""
    if name in _COLUMN_TITLES:
        return _(_COLUMN_TITLES[name])
    return title(ColumnRole(name)) if name in list(ColumnRole) else name


def roles_words(roles: Mapping[str, ColumnRole]) -> str:
    """What columns are used as: "question → Prompt, answer → Response". Empty when none is used."""
    used = ((name, role) for name, role in roles.items() if role is not ColumnRole.IGNORE)
    return listed(f"{name} → {title(role)}" for name, role in used)


def lacks_words(dataset: DatasetVersion) -> list[str]:
    """What training will miss although each row may be sound, a sentence each."""
    lacks = []
    if dataset.rows < _FEW_ROWS:
        lacks.append(
            ngettext(
                "{n} row is too few to train a model and to check it.",
                "{n} rows are too few to train a model and to check it.",
                dataset.rows,
            ).format(n=dataset.rows)
        )
    if unlabelled := dataset.labels.get("", 0):
        lacks.append(
            ngettext(
                "{n} row waits for a label: a product that learns labels leaves it out until then.",
                "{n} rows wait for a label: a product that learns labels leaves them out until then.",
                unlabelled,
            ).format(n=f"{unlabelled:,}")
        )
    return lacks


def unit_title(unit: str) -> str:
    """What a length is counted in (Histogram.unit); a dash for nothing."""
    return {"tokens": _("tokens"), "characters": _("characters")}.get(unit, "–")


def share_words(finding: Finding) -> str:
    """How many rows a finding concerns, and their share: "17,402 rows · 12.3%"."""
    rows = ngettext("{n} row", "{n} rows", finding.rows).format(n=f"{finding.rows:,}")
    if finding.details.get("estimated"):
        rows = _("about {count}").format(count=rows)
    return f"{rows} · {_percent(finding.rows, finding.of)}" if finding.of else rows


def details_words(finding: Finding) -> str:
    """What a finding's details say, the most frequent first: "Phone numbers 12 · E-mail addresses 3"."""
    groups = finding.details.get("groups")
    if groups:
        return ngettext("in {n} group", "in {n} groups", int(groups)).format(n=f"{int(groups):,}")
    for name in ("kinds", "labels", "languages", "splits", "words"):
        counts = finding.details.get(name)
        if counts:
            pairs = sorted(counts.items(), key=lambda pair: -pair[1])
            listed = " · ".join(
                f"{_part_words(name, key)} {_figure(count)}" for key, count in pairs[:_LISTED]
            )
            return f"{listed} · …" if len(pairs) > _LISTED else listed
    return ""


def totals(options: Iterable[FixOption]) -> tuple[int, int, int]:
    """Rows changed, removed and added by several fixes, each counted on the data as it is now."""
    chosen = list(options)
    return (
        sum(option.rows_changed for option in chosen),
        sum(option.rows_removed for option in chosen),
        sum(option.rows_added for option in chosen),
    )


def _main_count(option: FixOption) -> int:
    if option.action is _A.OVERSAMPLE:
        return option.rows_added
    if option.action in (_A.PIECES, _A.KEEP_MAJORITY):
        return option.rows_changed or option.rows_removed
    return option.rows_removed or option.rows_changed or option.rows_added


def _part_words(name: str, key: str) -> str:
    if name == "splits":
        return " – ".join(title(Split(part)) if part in list(Split) else part for part in key.split("-"))
    if name == "languages":
        return language_title(key)
    return _(_KINDS[key]) if name == "kinds" and key in _KINDS else key


def _figure(count: float) -> str:
    """Rows as they are; a share below one as a percentage."""
    return f"{count:,.0f}" if count >= 1 or count == 0 else f"{count:.0%}"


def _percent(part: int, whole: int) -> str:
    share = part / whole
    if 0 < share < 0.001:
        return "<0.1%"
    return f"{share:.1%}" if share < 0.1 else f"{share:.0%}"
