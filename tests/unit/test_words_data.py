"""The doctor's words: each kind and fix has some, with figures where they belong."""

from __future__ import annotations

import polars as pl
import pytest

from studio import words_data
from studio.domain.findings import Finding, FixOption, Severity
from studio.domain.recipes import FindingKind, FixAction
from studio.ingest.doctor.checks.control_characters import ControlCharacters
from studio.ingest.doctor.checks.encoding_damage import EncodingDamage
from studio.ingest.doctor.checks.markup import Markup
from tests.helpers.matrix_data import dataset


@pytest.mark.parametrize("kind", list(FindingKind))
def test_each_finding_has_a_title_and_a_reason(kind: FindingKind) -> None:
    assert words_data.finding_title(kind)
    assert words_data.finding_why(kind).endswith(".")
    assert kind.value not in words_data.finding_title(kind)


@pytest.mark.parametrize("action", list(FixAction))
def test_each_fix_has_a_title_and_a_label(action: FixAction) -> None:
    assert words_data.action_title(action)
    label = words_data.fix_label(FixOption(action=action, rows_changed=0, rows_removed=0))
    assert label
    assert "{" not in label


def test_a_label_says_what_would_change() -> None:
    remove = FixOption(action=FixAction.REMOVE, rows_changed=0, rows_removed=17_402)
    assert words_data.fix_label(remove) == "Remove 17,402 rows"
    one = FixOption(action=FixAction.MASK, rows_changed=1, rows_removed=0)
    assert words_data.fix_label(one) == "Mask it in 1 row"
    more = FixOption(action=FixAction.OVERSAMPLE, rows_changed=0, rows_removed=0, rows_added=30)
    assert words_data.fix_label(more) == "Repeat rare labels, add 30 rows"
    weights = FixOption(action=FixAction.WEIGHTS, rows_changed=0, rows_removed=0)
    assert words_data.fix_label(weights) == "Give rare labels more weight"
    brought = FixOption(action=FixAction.REPAIR, rows_changed=0, rows_removed=0, rows_added=20)
    assert words_data.fix_label(brought) == "Repair and bring back 20 rows"


def test_effects_are_added_up() -> None:
    options = [
        FixOption(action=FixAction.REMOVE, rows_changed=0, rows_removed=5),
        FixOption(action=FixAction.STRIP, rows_changed=1, rows_removed=0),
    ]
    assert words_data.effect_words(*words_data.totals(options)) == "1 row changes, 5 rows are removed"
    assert words_data.effect_words(0, 0) == "no row changes"


def test_what_data_lacks_is_said() -> None:
    assert words_data.lacks_words(dataset()) == []
    assert words_data.lacks_words(dataset(rows=2)) == ["2 rows are too few to train a model and to check it."]
    (waiting,) = words_data.lacks_words(dataset(rows=12, labels={"": 11, "cat": 1}))
    assert waiting.startswith("11 rows wait for a label")


@pytest.mark.parametrize(
    ("rows", "of", "estimated", "words"),
    [
        (17_402, 141_000, False, "17,402 rows · 12%"),
        (1, 100_000, False, "1 row · <0.1%"),
        (30, 1_000, True, "about 30 rows · 3.0%"),
        (0, 0, False, "0 rows"),
    ],
)
def test_a_share_is_never_rounded_to_nothing(rows: int, of: int, estimated: bool, words: str) -> None:
    finding = Finding(
        kind=FindingKind.MARKUP, severity=Severity.NOTE, rows=rows, of=of, details={"estimated": estimated}
    )
    assert words_data.share_words(finding) == words


@pytest.mark.parametrize(
    ("details", "words"),
    [
        ({"kinds": {"email": 3, "phone": 12}}, "Phone numbers 12 · E-mail addresses 3"),
        ({"groups": 1}, "in 1 group"),
        ({"groups": 1_200}, "in 1,200 groups"),
        ({"splits": {"train-test": 4}}, "Training – Test 4"),
        ({"languages": {"zh": 0.9, "en": 0.1}}, "Chinese 90% · English 10%"),
        ({"languages": {"en": 133, "de": 1, "xx": 1}}, "English 133 · German 1 · xx 1"),
        ({"kinds": {"zero_width": 2, "control": 1}}, "Characters without width 2 · Control characters 1"),
        ({"labels": {str(n): 10 - n for n in range(7)}}, "0 10 · 1 9 · 2 8 · 3 7 · 4 6 · …"),
        ({}, ""),
    ],
)
def test_details_name_the_most_frequent_first(details: dict[str, object], words: str) -> None:
    finding = Finding(
        kind=FindingKind.PRIVATE_DATA, severity=Severity.NOTE, rows=1, of=10, details=dict(details)
    )
    assert words_data.details_words(finding) == words


def test_every_kind_that_a_check_counts_has_a_title() -> None:
    """What stands on a card is never the key that a check counts by."""
    text, careful = pl.Series("text", ["a"]), pl.Series("careful", [False])
    for rule in (Markup(), EncodingDamage(), ControlCharacters()):
        for key in rule.noted(text, careful):
            finding = Finding(
                kind=rule.kind, severity=Severity.NOTE, rows=1, of=1, details={"kinds": {key: 1}}
            )
            assert words_data.details_words(finding) != f"{key} 1"
