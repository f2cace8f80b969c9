"""Checks that need all rows: repeats, near twins, leaks, contradictions, classes, languages, conversations."""

from __future__ import annotations

import json
import random
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from studio.domain.datasets import RejectedRow
from studio.domain.findings import FixOption
from studio.domain.recipes import FindingKind, FixAction, FixStep
from studio.domain.shapes import Shape
from studio.errors import StudioError
from studio.ingest.doctor.checks.language_mix import languages
from studio.ingest.doctor.checks.role_order import in_order
from studio.ingest.doctor.identify import identifier, many_texts
from studio.ingest.doctor.near.index import build_index
from studio.ingest.doctor.near.jaccard import ShingleSets, distinct, jaccard
from studio.ingest.doctor.near.minhash import bands_for
from studio.ingest.doctor.near.shingles import shingles_of
from studio.ingest.doctor.near.twins import Twins
from studio.ingest.doctor.view import DatasetView
from tests.unit.ingest.doctor.helpers import applied, chat, examined, finding, make_dataset

WORDS = [
    "order",
    "parcel",
    "refund",
    "account",
    "please",
    "when",
    "where",
    "how",
    "my",
    "invoice",
    "late",
    "shop",
    "shoe",
    "hat",
    "coat",
    "red",
    "blue",
]


def sentence(rng: random.Random, words: int = 14) -> str:
    return " ".join(rng.choices(WORDS, k=words))


def test_exact_duplicates_leave_the_first(tmp_path: Path) -> None:
    rows = [
        {"text": "same text"},
        {"text": "other"},
        {"text": " same text\n"},
        {"text": "same text", "origin": "resampled"},
    ]
    folder = make_dataset(tmp_path / "d", Shape.TEXT, rows)
    found = finding(examined(folder), FindingKind.EXACT_DUPLICATES)
    assert found
    assert (found.rows, found.details["groups"], found.examples[0].row) == (1, 1, 3)
    step = FixStep(finding=FindingKind.EXACT_DUPLICATES, action=FixAction.KEEP_FIRST)
    _outcome, after = applied(folder, step, Shape.TEXT, tmp_path / "out")
    assert after["row"].to_list() == [1, 2, 4]


@pytest.mark.parametrize("similarity", [0.6, 0.8, 0.9])
def test_near_twins_are_those_of_comparing_all_pairs(tmp_path: Path, similarity: float) -> None:
    rng = random.Random(3)
    texts = [sentence(rng) for _number in range(150)] + [
        "".join(rng.choices("的一是在不了有和人这中大为上个国我以", k=30)) for _ in range(50)
    ]
    for text in texts[::2]:
        at = rng.randrange(len(text))
        texts.append(text[:at] + rng.choice("xyz在的") + text[at + rng.randrange(4) :])
    folder = make_dataset(tmp_path / "d", Shape.TEXT, [{"text": text} for text in texts])
    index = build_index(DatasetView(folder, Shape.TEXT, folder / "rejected.jsonl"), similarity)
    twins = Twins(index)
    every = np.ones(len(texts), np.bool_)
    twins.prepare(every)
    sets = [
        set(part.tolist())
        for part in np.split(shingles_of(pl.Series(texts)).values, shingles_of(pl.Series(texts)).starts[1:-1])
    ]
    truth = {
        (left, right)
        for right in range(len(texts))
        for left in range(right)
        if len(sets[left] & sets[right]) >= similarity * len(sets[left] | sets[right])
    }
    found = twins.pairs(every)
    assert found <= truth
    assert len(found) >= 0.95 * len(truth)
    assert len(truth) > 20
    rows, leaders = twins.repeats(every)
    assert set(zip(leaders.tolist(), rows.tolist(), strict=True)) <= truth
    assert not set(rows.tolist()) & set(leaders.tolist())


def test_a_bucket_of_template_rows_stays_cheap_and_right(tmp_path: Path) -> None:
    texts = [
        f"Your order number {number} has left our warehouse and will arrive within three days."
        for number in range(3000)
    ]
    folder = make_dataset(tmp_path / "d", Shape.TEXT, [{"text": text} for text in texts])
    found = finding(examined(folder, checks=(FindingKind.NEAR_DUPLICATES,)), FindingKind.NEAR_DUPLICATES)
    assert found
    assert found.rows > 2900


def test_capped_sets_estimate_the_similarity() -> None:
    rng = np.random.default_rng(0)
    base = rng.choice(1 << 30, 4000, replace=False).astype(np.uint32)
    other = np.concatenate([base[:3600], rng.choice(1 << 30, 400).astype(np.uint32)])
    from studio.ingest.doctor.near.shingles import Shingles

    shingles = Shingles(np.concatenate([base, other]), np.array([0, 4000, 8000]))
    for cap, tolerance in ((1 << 62, 1e-9), (512, 0.08)):
        values, counts, highest = distinct(shingles, cap)
        sets = ShingleSets(values, np.concatenate([[0], np.cumsum(counts)]), np.array([0, 1]), highest)
        expected = len(set(base.tolist()) & set(other.tolist())) / len(
            set(base.tolist()) | set(other.tolist())
        )
        assert jaccard(sets, np.array([0]), np.array([1]))[0] == pytest.approx(expected, abs=tolerance)


@pytest.mark.parametrize("similarity", [0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 1.0])
def test_bands_find_what_is_just_alike_enough(similarity: float) -> None:
    bands, width = bands_for(similarity)
    assert bands * width <= 128
    assert 1 - (1 - similarity**width) ** bands >= 0.99


def test_near_duplicates_with_another_label_are_no_duplicates(tmp_path: Path) -> None:
    text = "The parcel came two weeks late and the box was broken on one side"
    rows = [
        {"text": text, "label": "bad"},
        {"text": f"{text}!", "label": "bad"},
        {"text": f"{text}.", "label": "good"},
    ]
    found = finding(
        examined(make_dataset(tmp_path / "d", Shape.TEXT_LABEL, rows)), FindingKind.NEAR_DUPLICATES
    )
    assert found
    assert [example.row for example in found.examples] == [2]


def test_leaks_exact_and_near_in_all_directions(tmp_path: Path) -> None:
    rng = random.Random(1)
    texts = [sentence(rng) for _number in range(6)]
    rows = [
        {"text": texts[0], "label": "a"}, {"text": texts[0], "label": "b", "split": "test"},  # same text
        {"text": texts[1], "label": "a"}, {"text": texts[1] + "!", "label": "a", "split": "validation"},  # near
        {"text": texts[2], "label": "a", "split": "validation"}, {"text": texts[2], "label": "a", "split": "test"},
        {"text": texts[3], "label": "a"}, {"text": texts[4], "label": "b", "split": "test"},
    ]  # fmt: skip
    folder = make_dataset(tmp_path / "d", Shape.TEXT_LABEL, rows)
    found = finding(examined(folder), FindingKind.SPLIT_LEAKAGE)
    assert found
    assert found.details["splits"] == {"train-test": 1, "train-validation": 1, "validation-test": 1}
    assert [(option.action, option.rows_removed) for option in found.fixes] == [
        (FixAction.REMOVE_FROM_TRAINING, 2),
        (FixAction.REMOVE, 3),
    ]
    step = FixStep(finding=FindingKind.SPLIT_LEAKAGE, action=FixAction.REMOVE)
    _outcome, after = applied(folder, step, Shape.TEXT_LABEL, tmp_path / "out")
    again = make_dataset(tmp_path / "again", Shape.TEXT_LABEL, after.to_dicts())
    assert finding(examined(again), FindingKind.SPLIT_LEAKAGE) is None


def test_image_and_rating_leaks(tmp_path: Path) -> None:
    images = [{"image": "a.png", "label": "x"}, {"image": "a.png", "label": "x", "split": "test"}]
    assert finding(
        examined(make_dataset(tmp_path / "i", Shape.IMAGE_LABEL, images)), FindingKind.SPLIT_LEAKAGE
    )
    ratings = [
        {"user": "u", "item": "i", "rating": "1"},
        {"user": "u", "item": "i", "rating": "5", "split": "test"},
    ]
    assert finding(examined(make_dataset(tmp_path / "r", Shape.RATINGS, ratings)), FindingKind.SPLIT_LEAKAGE)


def contradictions(folder: Path, shape: Shape, rows: list[dict[str, str]]) -> tuple[list[int], list[int]]:
    """(rows found, rows left by KEEP_MAJORITY)."""
    path = make_dataset(folder / "d", shape, rows)
    found = finding(examined(path), FindingKind.CONTRADICTORY_LABELS)
    step = FixStep(finding=FindingKind.CONTRADICTORY_LABELS, action=FixAction.KEEP_MAJORITY)
    _outcome, after = applied(path, step, shape, folder / "out")
    return [example.row for example in found.examples] if found else [], after["row"].to_list()


def test_the_majority_keeps_its_label(tmp_path: Path) -> None:
    rows = [{"text": "t", "label": label} for label in ("a", "b", "a")]
    rows += [{"text": "tie", "label": label} for label in ("a", "b")] + [
        {"text": "t"},
        {"text": "other", "label": "b"},
    ]
    assert contradictions(tmp_path, Shape.TEXT_LABEL, rows) == ([1, 2, 3, 4, 5], [1, 3, 6, 7])


def test_equal_numbers_written_differently_agree(tmp_path: Path) -> None:
    rows = [{"text": "t", "number": "4"}, {"text": "t", "number": "4.0"}, {"text": "u", "number": "1"}]
    assert contradictions(tmp_path, Shape.TEXT_NUMBER, rows) == ([], [1, 2, 3])


def test_opposite_thumbs(tmp_path: Path) -> None:
    rows = [{"prompt": "q", "response": "r", "thumb": thumb} for thumb in ("up", "down")]
    rows.append({"prompt": "q", "response": "another", "thumb": "down"})
    assert contradictions(tmp_path, Shape.THUMBS, rows) == ([1, 2], [3])


def test_preferences_both_ways_and_none(tmp_path: Path) -> None:
    rows = [
        {"prompt": "q", "chosen": "a", "rejected": "b"}, {"prompt": "q", "chosen": "b", "rejected": "a"},
        {"prompt": "q", "chosen": "a", "rejected": "b"}, {"prompt": "p", "chosen": "same", "rejected": "same "},
    ]  # fmt: skip
    assert contradictions(tmp_path, Shape.PREFERENCE, rows) == ([1, 2, 3, 4], [1, 3])


def _effect(option: FixOption) -> int:
    return option.rows_changed + option.rows_removed + option.rows_added


def test_few_rows_of_each_label_are_not_rare_beside_each_other(tmp_path: Path) -> None:
    rows = [{"text": f"text {number}", "label": "ab"[number % 2]} for number in range(8)]
    report = examined(make_dataset(tmp_path / "d", Shape.TEXT_LABEL, rows))
    assert finding(report, FindingKind.CLASS_IMBALANCE) is None


def test_imbalance(tmp_path: Path) -> None:
    rows = [{"text": f"text {number}", "label": "many" if number % 40 else "few"} for number in range(400)]
    found = finding(
        examined(make_dataset(tmp_path / "d", Shape.TEXT_LABEL, rows)), FindingKind.CLASS_IMBALANCE
    )
    assert found
    assert found.details["labels"] == {"many": 390, "few": 10}
    assert found.details["entropy"] == pytest.approx(0.169, abs=0.001)
    assert [
        option for option in found.fixes if option.action is not FixAction.WEIGHTS and not _effect(option)
    ] == []
    even = [{**row, "label": str(number % 2)} for number, row in enumerate(rows)]
    assert (
        finding(examined(make_dataset(tmp_path / "e", Shape.TEXT_LABEL, even)), FindingKind.CLASS_IMBALANCE)
        is None
    )


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("How do I get a refund for the order which I placed last week?", "en"),
        ("Wie geht es dir heute, mein lieber alter Freund aus Berlin?", "de"),
        ("Je voudrais savoir quand mon colis arrivera à la maison", "fr"),
        ("Мой заказ так и не пришёл, когда его доставят?", "ru"),
        ("我的订单什么时候可以退款？", "zh"),
        ("我的iPhone坏了怎么办", "zh"),
        ("注文した商品はいつ届きますか", "ja"),
        ("안녕하세요 주문한 상품은 언제 오나요", "ko"),
        ("أين طلبي من فضلك", "ar"),
        ("ok", "und"),
        ("12345 !!!", "und"),
    ],
)
def test_languages(text: str, code: str) -> None:
    assert languages(pl.Series([text, ""])).to_list() == [code, "und"]


def test_many_texts_at_once_get_the_model_s_own_answers() -> None:
    texts = [
        "How do I get a refund?", "Ово је наш дом и ту живимо", "", "!!! 123", "ÉTÉ À LA PLAGE AVEC DES AMIS",
        "Wie geht es dir heute", "Cafe\u0301 con leche", "x" * 700, "Привіт, як справи у вас",
    ]  # fmt: skip
    codes, likely = many_texts().identify(pl.Series(texts))
    for text, code, sure in zip(texts, codes, likely.tolist(), strict=True):
        expected, confidence = identifier().classify(text)
        assert sure == pytest.approx(confidence, abs=1e-4)
        assert code == expected


@pytest.mark.parametrize(
    ("speakers", "ordered"),
    [
        ("uuaa", "ua"), ("uau", "ua"), ("aua", "ua"), ("suua", "sua"), ("usa", "sua"), ("uaua", "uaua"),
        ("u", None), ("a", None), ("s", None), ("au", None),
    ],
)  # fmt: skip
def test_order_of_speakers(speakers: str, ordered: str | None) -> None:
    roles = {"u": "user", "a": "assistant", "s": "system"}
    messages = [{"role": roles[speaker], "content": f"{speaker}{n}"} for n, speaker in enumerate(speakers)]
    result = in_order(messages)
    assert (result and "".join(item["role"][0] for item in result)) == ordered


def rejected(*contents: str) -> list[RejectedRow]:
    return [
        RejectedRow(
            row=50 + number, code="roles_out_of_order", reason="wrong order", excerpt="…", content=content
        )
        for number, content in enumerate(contents)
    ]


def test_repaired_conversations_come_back_once(tmp_path: Path) -> None:
    broken = json.dumps(
        [{"role": "user", "content": text} for text in "ab"] + [{"role": "assistant", "content": "c"}]
    )
    known = json.dumps(
        [
            {"role": "user", "content": "q"},
            {"role": "assistant", "content": "r"},
            {"role": "user", "content": "s"},
        ]
    )
    folder = make_dataset(
        tmp_path / "d",
        Shape.MESSAGES,
        [{"messages": chat("q", "r")}],
        rejected(broken, known, broken, "", "[1"),
    )
    found = finding(examined(folder), FindingKind.ROLE_ORDER)
    assert found
    assert (found.rows, found.of, found.fixes[0].rows_added) == (1, 5, 1)
    step = FixStep(finding=FindingKind.ROLE_ORDER, action=FixAction.REPAIR)
    outcome, after = applied(folder, step, Shape.MESSAGES, tmp_path / "out")
    assert outcome.added == 1
    assert after["messages"].to_list() == [chat("q", "r"), chat("a\n\nb", "c")]
    assert after["origin"].to_list() == [None, "added"]
    left = (tmp_path / "out" / "rejected.jsonl").read_text().splitlines()
    assert [json.loads(line)["row"] for line in left] == [51, 52, 53, 54]


def test_passages_that_wait_for_a_question_are_reported_and_not_removed(tmp_path: Path) -> None:
    rows = [{"prompt": None, "response": "Returns are free."}, {"prompt": "When?", "response": "On Monday."}]
    report = examined(make_dataset(tmp_path / "d", Shape.PROMPT_RESPONSE, rows))
    found = finding(report, FindingKind.NO_QUESTION)
    assert found
    assert (found.rows, found.of, found.fixes) == (1, 2, [])
    assert [(each.row, each.before, each.after) for each in found.examples] == [
        (1, "Returns are free.", "Returns are free.")
    ]
    texts = examined(make_dataset(tmp_path / "t", Shape.TEXT, [{"text": "Nobody asks."}]))
    assert FindingKind.NO_QUESTION not in texts.checked


def test_a_fix_that_does_not_fit_is_refused(tmp_path: Path) -> None:
    folder = make_dataset(tmp_path / "d", Shape.RATINGS, [{"user": "u", "item": "i", "rating": "1"}])
    for kind, action in (
        (FindingKind.MARKUP, FixAction.STRIP),
        (FindingKind.EXACT_DUPLICATES, FixAction.MASK),
    ):
        with pytest.raises(StudioError) as raised:
            applied(folder, FixStep(finding=kind, action=action), Shape.RATINGS, tmp_path / action.value)
        assert raised.value.code == "doctor.no_such_fix"


def test_a_damaged_dataset_is_a_clear_error(tmp_path: Path) -> None:
    folder = make_dataset(tmp_path / "d", Shape.TEXT, [{"text": "a"}])
    (folder / "rows.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(StudioError) as raised:
        examined(folder)
    assert raised.value.code == "import.broken"
    assert not (folder / "doctor.json").exists()
