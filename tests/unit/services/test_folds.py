"""K-fold runs from the queue to their mean and deviation, with small children and a real database."""

from __future__ import annotations

import time
from statistics import fmean, stdev

import pytest

from studio.domain.architectures import Architecture, Method
from studio.domain.datasets import Split
from studio.domain.folds import folds_result, sentence
from studio.domain.recipes import SplitStep, StepOutcome
from studio.domain.runs import EvalMetrics, RunState
from studio.domain.specs import TrainSpec
from studio.errors import StudioError
from tests.helpers import builders
from tests.unit.services.conftest import Studio


def test_folds_are_queued_together_and_summed_up(studio: Studio) -> None:
    studio.trainer = "learn"
    folds_id = studio.folds.start(studio.plan("Questions"), 3)
    queued = studio.runs.queue()
    assert [run.plan.fold for run in queued] == [(1, 3), (2, 3), (3, 3)]
    assert [run.name for run in queued] == [f"Questions · fold {n} of 3" for n in (1, 2, 3)]
    assert len({run.id for run in queued}) == 3
    assert not any(run.plan.compare or run.plan.probes for run in queued)
    assert sentence(studio.folds.result(folds_id)) == "0 of 3 folds are finished; there is no result yet."
    deadline = time.monotonic() + 60
    while not studio.folds.result(folds_id).ended:
        assert time.monotonic() < deadline
        studio.runs.poll()
        time.sleep(0.02)
    result = studio.folds.result(folds_id)
    assert (result.k, result.done, result.name) == (3, 3, "Questions")
    losses = [studio.runs.evals(run.id)[-1].loss for run in result.runs]
    assert result.spreads["loss"].mean == pytest.approx(fmean(losses))
    assert result.spreads["loss"].deviation == pytest.approx(stdev(losses))
    assert result.spreads["accuracy"].mean == pytest.approx(1 / losses[0])
    assert sentence(result).startswith("Over 3 folds: Validation loss")
    assert [each.id for each in studio.folds.list()] == [folds_id]


def test_mean_and_deviation_are_of_the_best_checks_of_finished_folds() -> None:
    data = builders.dataset()
    runs = [
        builders.run(data, plan=builders.plan(data, name=f"A · fold {n} of 3", fold=(n, 3)), state=state)
        for n, state in ((2, RunState.DONE), (1, RunState.DONE), (3, RunState.FAILED))
    ]
    second, first, failed = runs
    evals = {
        first.id: [_check(0, 0.1), _check(1, 2.0, accuracy=0.5), _check(2, 3.0, accuracy=0.9)],
        second.id: [_check(1, 5.0), _check(2, 4.0, accuracy=0.7)],
        failed.id: [_check(1, 1.0)],
    }
    result = folds_result("f", runs, evals)
    assert result.runs == (first, second, failed)
    assert result.spreads["loss"].mean == 3.0
    assert result.spreads["loss"].deviation == pytest.approx(2**0.5)
    assert (result.spreads["accuracy"].mean, result.spreads["accuracy"].folds) == (pytest.approx(0.6), 2)
    assert result.ended
    assert sentence(result) == "2 of 3 folds so far: Validation loss 3.000 ± 1.4; Accuracy 0.6000 ± 0.14."


def test_one_fold_has_no_deviation() -> None:
    data = builders.dataset()
    run = builders.run(
        data, plan=builders.plan(data, name="A · fold 1 of 1", fold=(1, 1)), state=RunState.DONE
    )
    result = folds_result("f", [run], {run.id: [_check(1, 2.0)]})
    assert result.spreads["loss"].deviation is None


def test_folds_keep_together_what_the_split_keeps_together(studio: Studio) -> None:
    def split(by: str) -> list[StepOutcome]:
        return [StepOutcome(step=SplitStep(group_by=by), rows_before=10, rows_after=10)]

    first = builders.dataset(made_by=split("who"))
    later = builders.dataset(family_id=first.id, parent_id=first.id, number=2)
    near = builders.dataset(made_by=split("near-duplicates"))
    for data in (first, later, near):
        builders.write_rows(studio.paths.dataset(data.id))
        studio.datasets.add(data)
    plans = {data.id: builders.plan(data) for data in (later, near)}
    studio.folds.start(plans[later.id], 2)
    assert [run.plan.fold_by for run in studio.runs.queue()] == ["who", "who"]
    assert studio.folds.warning(plans[later.id]) is None
    assert "near-duplicates" in (studio.folds.warning(plans[near.id]) or "")
    studio.folds.start(plans[near.id], 2)
    assert studio.runs.queue()[-1].plan.fold_by is None


@pytest.mark.parametrize(
    ("code", "k", "rows"), [("folds.number", 1, 20), ("folds.number", 21, 90), ("folds.few_rows", 6, 5)]
)
def test_folds_that_make_no_sense_are_refused(studio: Studio, code: str, k: int, rows: int) -> None:
    data = builders.dataset(splits={Split.TRAIN: rows, Split.VALIDATION: 1, Split.TEST: 50})
    studio.datasets.add(data)
    with pytest.raises(StudioError) as caught:
        studio.folds.start(builders.plan(data), k)
    assert caught.value.code == code
    assert studio.runs.queue() == []


def test_what_comes_next_is_not_foretold_from_what_came_after(studio: Studio) -> None:
    spec = TrainSpec(architecture=Architecture.SEQUENCE, method=Method.SCRATCH)
    data = studio.data()
    with pytest.raises(StudioError) as caught:
        studio.folds.start(builders.plan(data, spec=spec), 3)
    assert caught.value.code == "folds.by_time"


def _check(step: int, loss: float, **metrics: float) -> EvalMetrics:
    return EvalMetrics(step, 1.0, loss, 2.0, 3, False, metrics)
