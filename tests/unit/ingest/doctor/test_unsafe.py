"""An unsafe word of English that is an ordinary one in another language: it counts where English is spoken."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.domain.recipes import FindingKind, FixAction, FixStep
from studio.domain.shapes import Shape
from studio.ingest.privacy.words import UnsafeWords, categories, harmless_in
from tests.unit.ingest.doctor.helpers import applied, examined, finding, make_dataset

ORDINARY = (
    "Ce retard est inacceptable, je veux être remboursé.",
    "Retard de livraison",
    "Quel retard !",
    "La commande 123 : retard de 3 jours",
    "Excusez mon retard",
    "Det var slut på mjölk",
    "En prick på tavlan",
)
UNSAFE = (
    "You are a retard",
    "Shut up retard",
    "retard",
    "she is a slut",
    "you prick",
    "Ce retard est inacceptable, fucking hell, je veux être remboursé.",
    "你这个傻逼",
)


def test_only_where_the_word_is_an_ordinary_one(tmp_path: Path) -> None:
    folder = make_dataset(tmp_path / "d", Shape.TEXT, [{"text": text} for text in (*ORDINARY, *UNSAFE)])
    found = finding(examined(folder), FindingKind.UNSAFE_WORDS)
    assert found
    assert found.rows == len(UNSAFE)
    step = FixStep(finding=FindingKind.UNSAFE_WORDS, action=FixAction.REMOVE)
    outcome, after = applied(folder, step, Shape.TEXT, tmp_path / "out")
    assert outcome.removed == len(UNSAFE)
    assert after["text"].to_list() == list(ORDINARY)


@pytest.mark.parametrize("word", sorted(harmless_in()))
def test_each_of_these_is_listed(word: str) -> None:
    assert word in {entry for listed in categories().values() for entry in listed}
    assert UnsafeWords().find_in(word) == [word]
