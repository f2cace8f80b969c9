"""Recommenders learn tastes, never look into the future, resume to the bit, and answer alike after they were kept."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from studio.domain.architectures import Architecture, Method
from studio.domain.datasets import Split
from studio.domain.measures import Measure
from studio.domain.runs import RunPlan, RunSummary
from studio.domain.shapes import Shape
from studio.domain.specs import TrainSpec
from studio.engine import checkpoint
from studio.engine.estimate import estimate
from studio.engine.predict import load_predictor
from studio.engine.session import Session
from studio.engine.tasks.recommend.choices import LONGEST, NOTHING, choice_items
from studio.engine.tasks.recommend.factors import usual_ratings
from studio.engine.tasks.recommend.table import UNKNOWN, Table, read_table
from studio.errors import StudioError
from studio.protocol.events import Compared, Evaluated, Log, ProbeAnswered
from tests.engine.helpers import Killed, PlainControl, Recorder

KINDS = (Architecture.FACTORS, Architecture.SEQUENCE)
SPLITS = {3: Split.VALIDATION, 7: Split.TEST}
ITEMS = 20


def every_row(users: int = 40, each: int = 12) -> list[dict[str, Any]]:
    """Two tastes: even users love even items and hate odd ones; each goes round the items of the taste in order."""
    rows = []
    for user in range(users):
        for turn in range(each):
            item = (2 * (turn + user // 2) + user % 2) % ITEMS if turn % 4 else (2 * turn + 1 + user) % ITEMS
            rating = 5.0 if (item + user) % 2 == 0 else 1.0
            rows.append({
                "row": len(rows) + 1, "user": f"u{user}", "item": f"i{item}", "rating": rating,
                "time": str(1000 + 10 * turn),
            })  # fmt: skip
    return rows


def rows(split: Split) -> Iterable[dict[str, Any]]:
    return (row for row in every_row() if SPLITS.get(row["row"] * 7 % 11, Split.TRAIN) is split)


def plan_of(kind: Architecture, **fields: Any) -> RunPlan:
    spec = {
        "architecture": kind, "method": Method.SCRATCH, "epochs": 30, "batch_size": 16, "threads": 1,
        "early_stopping": 0, "learning_rate": 2e-2, "factors": 4, "width": 16, "heads": 2, "layers": 1,
        "weight_decay": 0.01, "dropout": 0.1, "dtype": "float32", "evals_per_epoch": 0.5, **fields,
    }  # fmt: skip
    return RunPlan(
        name="test", base_dir=None, base_name="", dataset_id="d", dataset_dir="", dataset_sha256="abc",
        dataset_name="rows", shape=Shape.RATINGS, spec=TrainSpec.model_validate(spec), probes=["u4"],
    )  # fmt: skip


def trained(plan: RunPlan, folder: Path, kill_at: int = 0) -> tuple[RunSummary | None, Recorder]:
    folder.mkdir(exist_ok=True)
    recorder = Recorder(kill_at)
    try:
        return Session(plan, folder, rows, recorder, PlainControl()).run(), recorder
    except Killed:
        return None, recorder


def table_of(told: dict[Split, list[dict[str, Any]]]) -> Table:
    return read_table({split: told.get(split, []) for split in Split})


def row(number: int, user: str, item: str, time: str | None = None, rating: float = 3.0) -> dict[str, Any]:
    return {"row": number, "user": user, "item": item, "rating": rating, "time": time}


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_more_than_the_simplest_guess(kind: Architecture, tmp_path: Path) -> None:
    summary, seen = trained(plan_of(kind), tmp_path / "run")
    assert summary is not None
    (compared,) = seen.of(Compared)
    base, tuned = sum(compared.base_scores), sum(compared.tuned_scores)
    if kind is Architecture.FACTORS:
        assert compared.measure is Measure.SQUARED_ERROR
        assert tuned < base / 4
        assert compared.metrics["rmse"] == pytest.approx(math.sqrt(tuned / len(compared.targets)))
        assert 0 < compared.metrics["mae"] <= compared.metrics["rmse"]
    else:
        assert compared.measure is Measure.RANKED
        assert tuned > 1.2 * base
        assert compared.metrics["ndcg_at_10"] == pytest.approx(tuned / len(compared.targets))
        assert compared.metrics["ndcg_at_10"] <= compared.metrics["recall_at_10"] <= 1
    assert seen.of(Evaluated)[-1].metrics.keys() == compared.metrics.keys()
    assert seen.of(ProbeAnswered)[-1].answer.count("i") == 3


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("optimizer", ["adam", "adafactor"])
def test_a_killed_run_ends_in_the_same_weights(kind: Architecture, optimizer: str, tmp_path: Path) -> None:
    plan = plan_of(kind, epochs=4, evals_per_epoch=2.0, gradient_accumulation=2, optimizer=optimizer)
    trained(plan, tmp_path / "whole")
    _none, seen = trained(plan, tmp_path / "killed", kill_at=5)
    assert seen.events
    trained(plan, tmp_path / "killed")
    folders = [
        checkpoint.valid_checkpoints(tmp_path / name / "checkpoints")[0] for name in ("whole", "killed")
    ]
    for name in (checkpoint.WEIGHTS, checkpoint.STATE):
        facts = [checkpoint.file_facts(folder / name) for folder in folders]
        assert facts[0] == facts[1]


@pytest.mark.parametrize("kind", KINDS)
def test_a_kept_model_answers_as_the_trained_one(kind: Architecture, tmp_path: Path) -> None:
    session = Session(plan_of(kind, epochs=10), tmp_path, rows, Recorder(), PlainControl())
    session.run()
    task: Any = session.on.task
    told = load_predictor(tmp_path / "model")
    for user in ("u4", "u5", "nobody"):
        (answer,) = told.predict([{"user": user, "count": 5}])
        assert task.probe(user).text == answer.words()
        scores = [score for _item, score in answer.items]
        assert len(scores) == 5
        assert scores == sorted(scores, reverse=True)
        own = {r["item"] for r in every_row() if r["user"] == user}
        assert own.isdisjoint(item for item, _score in answer.items)


def test_a_rating_is_predicted_and_stays_within_the_given_ones(tmp_path: Path) -> None:
    trained(plan_of(Architecture.FACTORS), tmp_path / "run")
    told = load_predictor(tmp_path / "run" / "model")
    asked = [
        {"user": "u4", "item": "i6"},
        {"user": "u4", "item": "i7"},
        {"user": "nobody", "item": "nothing"},
    ]
    answers = told.predict(asked)
    assert [answer.unknown_user for answer in answers] == [False, False, True]
    loved, hated, unknown = (answer.number for answer in answers)
    assert loved is not None
    assert hated is not None
    assert unknown is not None
    assert 4 < loved <= 5
    assert 1 <= hated < 2
    training = [r["rating"] for r in rows(Split.TRAIN)]
    assert unknown == pytest.approx(sum(training) / len(training), abs=1e-4)


def test_what_comes_next_after_a_history(tmp_path: Path) -> None:
    trained(plan_of(Architecture.SEQUENCE), tmp_path / "run")
    told = load_predictor(tmp_path / "run" / "model")
    history = {"history": ["i2", "i4", "i6", "never seen"], "count": 3}
    nothing_known, usual, after = told.predict([{"history": ["never seen"]}, {"user": "nobody"}, history])
    assert nothing_known == replace(usual, unknown_user=False)
    assert usual.unknown_user
    assert not after.unknown_user
    assert len(after.items) == 3
    assert {"i2", "i4", "i6"}.isdisjoint(item for item, _score in after.items)
    assert after.items[0][0] != usual.items[0][0]
    counts = [sum(r["item"] == item for r in rows(Split.TRAIN)) for item, _score in usual.items]
    assert counts == sorted(counts, reverse=True)


def test_the_unknown_has_no_taste_and_never_gets_one(tmp_path: Path) -> None:
    session = Session(plan_of(Architecture.FACTORS, epochs=2), tmp_path, rows, Recorder(), PlainControl())
    session.run()
    model: Any = session.on.task.model
    for table in (model.user_factors, model.item_factors, model.user_bias, model.item_bias):
        assert not table.weight[UNKNOWN].any()
        assert table.weight[1:].any()


def test_weight_decay_is_of_the_rows_that_are_looked_up(tmp_path: Path) -> None:
    session = Session(
        plan_of(Architecture.FACTORS, weight_decay=0.5), tmp_path, rows, Recorder(), PlainControl()
    )
    task: Any = session.on.task
    batch = task.collate(session.on.train[:4])
    model = task.model
    with torch.no_grad():
        model.user_bias.weight.fill_(0.3)
    own, its = (model.user_factors, model.user_bias), (model.item_factors, model.item_bias)
    sizes = [
        sum(
            float(table.weight[number].detach().square().sum())
            for tables, number in ((own, u), (its, i))
            for table in tables
        )
        for u, i in zip(batch.users.tolist(), batch.items.tolist(), strict=True)
    ]
    ratings = model(batch.users, batch.items)[0].detach()
    wanted = float(((ratings - batch.values) ** 2).mean()) + 0.5 * sum(sizes) / 4
    assert task.loss(batch).item() == pytest.approx(wanted, rel=1e-5)


def test_usual_ratings_by_hand() -> None:
    told = [row(1, "a", "x", rating=5.0), row(2, "a", "y", rating=3.0), row(3, "b", "x", rating=4.0)]
    mean, users, items = usual_ratings(table_of({Split.TRAIN: told}))
    assert mean == 4
    assert items.tolist() == pytest.approx([0, 1 / 27, -1 / 26])
    assert users.tolist() == pytest.approx([0, (1 - 1 / 27 - 1 + 1 / 26) / 12, (-1 / 27) / 11])


def test_a_question_comes_after_its_history_and_before_all_that_is_not_learned() -> None:
    told = {
        Split.TRAIN: [row(1, "a", "p", "10"), row(2, "a", "q", "20"), row(4, "a", "r", "40"), row(6, "a", "s", "60"),
                      row(8, "b", "t", "5"), row(9, "b", "u", "6"), row(10, "c", "v", "7")],
        Split.VALIDATION: [row(3, "a", "u", "30"), row(11, "c", "p", "6")],
        Split.TEST: [row(5, "a", "t", "50"), row(7, "a", "p", "5"), row(12, "d", "p", "1"), row(13, "b", "new", "9")],
    }  # fmt: skip
    table = table_of(told)
    number = table.items.number
    found = choice_items(table)
    (validation,) = found[Split.VALIDATION]
    (test,) = found[Split.TEST]
    assert (validation.row, validation.wanted[-1]) == (3, number("u"))
    assert validation.history == (number("p"), number("q"))
    assert (test.row, test.wanted[-1]) == (5, number("t"))
    assert test.history == (number("p"), number("q"), number("r"))  # never the validation row
    learned = {item.row: item for item in found[Split.TRAIN]}
    assert learned[1].history == (number("p"),)
    assert learned[1].wanted == (number("q"),)  # and nothing after the first question
    assert learned[8].wanted == (number("u"),)
    assert set(learned) == {1, 8}


def test_long_histories_are_learned_in_windows_without_a_gap() -> None:
    count = 2 * LONGEST + 30
    table = table_of({Split.TRAIN: [row(i + 1, "a", f"i{i}", str(i)) for i in range(count)]})
    windows = choice_items(table)[Split.TRAIN]
    assert max(item.length for item in windows) == LONGEST
    assert [number for item in windows for number in item.wanted] == list(range(2, count + 1))
    assert all(item.history[1:] == item.wanted[:-1] for item in windows)


def test_places_count_what_scores_higher_and_leave_out_what_the_user_has(tmp_path: Path) -> None:
    session = Session(plan_of(Architecture.SEQUENCE), tmp_path, rows, Recorder(), PlainControl())
    task: Any = session.on.task
    task.model.eval()
    for item in session.on.held_out[:5]:
        batch = task.collate([item])
        with torch.no_grad():
            scores = task.model.after(list(item.history))
            wanted = item.wanted[-1]
            better = [i for i in range(1, len(scores)) if scores[i] > scores[wanted] and i not in item.seen]
            place = len(better) + 1
            gain = 1 / math.log2(1 + place) if place <= 10 else 0.0
            assert task.row_scores(batch).tolist() == pytest.approx([gain])
            nats = -torch.log_softmax(scores, -1)[wanted]
            assert task.row_losses(batch).tolist() == pytest.approx([float(nats)], rel=1e-5)


def test_rows_without_a_time_keep_their_order_and_that_is_told(tmp_path: Path) -> None:
    def untimed(split: Split) -> Iterable[dict[str, Any]]:
        return ({**row, "time": None} for row in rows(split))

    seen = Recorder()
    session = Session(plan_of(Architecture.SEQUENCE), tmp_path, untimed, seen, PlainControl())
    timed = Session(plan_of(Architecture.SEQUENCE), tmp_path, rows, Recorder(), PlainControl())
    assert [item.history for item in session.on.train] == [item.history for item in timed.on.train]
    assert len(seen.of(Log)) == 1


def test_times_are_numbers_or_dates() -> None:
    told = [
        row(1, "a", "p", "2024-03-01T10:00:00"),
        row(2, "a", "q", "2023-12-31"),
        row(3, "a", "r", "2024-02-01 08:00"),
    ]
    assert [rating.row for rating in table_of({Split.TRAIN: told}).ratings] == [2, 3, 1]
    numbers = [row(1, "a", "p", "100"), row(2, "a", "q", "20.5"), row(3, "a", "r", "3")]
    assert [rating.row for rating in table_of({Split.TRAIN: numbers}).ratings] == [3, 2, 1]


def test_users_who_chose_only_once_teach_no_sequence(tmp_path: Path) -> None:
    def once(split: Split) -> Iterable[dict[str, Any]]:
        return [row(i, f"u{i}", "x") for i in range(1, 9)] if split is Split.TRAIN else []

    with pytest.raises(StudioError) as caught:
        Session(plan_of(Architecture.SEQUENCE), tmp_path, once, Recorder(), PlainControl())
    assert caught.value.code == "run.no_rows"


@pytest.mark.parametrize("kind", KINDS)
def test_the_fit_check_counts_ratings(kind: Architecture, tmp_path: Path) -> None:
    found = estimate(plan_of(kind), rows, tmp_path, Recorder(), PlainControl())
    assert found.ready
    training = len(list(rows(Split.TRAIN)))
    assert (
        found.trained_tokens == training if kind is Architecture.FACTORS else found.trained_tokens < training
    )


def test_an_item_asks_only_where_something_is_wanted() -> None:
    table = table_of(
        {Split.TRAIN: [row(1, "a", "p", "1"), row(2, "a", "q", "2")], Split.TEST: [row(3, "a", "p", "3")]}
    )
    (asked,) = choice_items(table)[Split.TEST]
    assert asked.wanted == (NOTHING, table.items.number("p"))
    assert asked.targets == 1
