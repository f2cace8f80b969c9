"""Searches with real (small) children and a real database: they find, prune, end, and go on after a crash."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.domain.architectures import Method
from studio.domain.datasets import Split
from studio.domain.runs import RunPlan, RunState
from studio.domain.search_space import Dimension, read_dimension
from studio.domain.searches import Budget, Search, SearchState, Trial, TrialState, search_words, trial_spec
from studio.domain.specs import TrainSpec
from studio.errors import StudioError
from studio.services import proposals
from studio.services.searches import OUT_OF_MEMORY
from tests.helpers import builders
from tests.unit.services.conftest import Studio

RATES = {"learning_rate": read_dimension("learning_rate", "1e-5..1e-1")}


def plan(studio: Studio, **fields: Any) -> RunPlan:
    spec = TrainSpec(method=Method.SCRATCH, learning_rate=1e-4, epochs=8.0)
    made = studio.runs.plan(None, studio.data().id, None, spec, "Questions")
    return made.model_copy(update=fields)


def poll_until(studio: Studio, done: Callable[[], bool], timeout_s: float = 60) -> None:
    deadline = time.monotonic() + timeout_s
    while not done():
        assert time.monotonic() < deadline, "it took too long"
        studio.runs.poll()
        time.sleep(0.02)


def ended(studio: Studio, search: Search, timeout_s: float = 60) -> Search:
    poll_until(studio, lambda: studio.searches.get(search.id).state is not SearchState.RUNNING, timeout_s)
    return studio.searches.get(search.id)


@pytest.mark.slow
def test_a_search_finds_the_better_rate_by_runs_that_never_see_the_test_rows(studio: Studio) -> None:
    studio.trainer = "learn"
    search = ended(studio, studio.searches.start(plan(studio), RATES, Budget(trials=5, passes=1.0)))
    assert search.state is SearchState.DONE
    assert [trial.number for trial in search.trials] == [1, 2, 3, 4, 5]
    assert search.trials[0].settings == {"learning_rate": 1e-4}, "the plan's own settings come first"
    best = search.best
    assert best is not None
    assert best.value == min(
        t.value for t in search.trials if t.value is not None and t.state is TrialState.DONE
    )
    assert best.value == pytest.approx(min(best.checks))
    for trial in search.trials:
        run = studio.runs.get(trial.run_id)
        assert (run.search_id, run.product_id, run.plan.compare, run.plan.probes) == (
            search.id,
            None,
            False,
            [],
        )
        assert run.plan.spec.epochs == 1.0
        assert run.plan.spec.learning_rate == trial.settings["learning_rate"]
    found = studio.searches.best_spec(search.id)
    assert (found.learning_rate, found.epochs) == (best.settings["learning_rate"], 8.0)
    assert f"number {best.number}" in search_words(search)


def test_only_the_best_trial_keeps_its_files(studio: Studio) -> None:
    studio.trainer = "learn"
    search = ended(studio, studio.searches.start(plan(studio), RATES, Budget(trials=3)))
    assert search.best is not None
    for trial in search.trials:
        folder = studio.paths.run(trial.run_id)
        kept = (folder / "model").exists() or (folder / "checkpoints").exists()
        assert kept is (trial.number == search.best.number)
        assert (folder / "events.jsonl").exists()


@pytest.mark.slow
def test_trials_are_not_in_the_history(studio: Studio) -> None:
    studio.trainer = "learn"
    search = ended(studio, studio.searches.start(plan(studio), RATES, Budget(trials=2)))
    assert studio.runs.list() == []
    assert studio.runs.count() == 0
    assert {run.id for run in studio.runs.list(trials=True)} == {trial.run_id for trial in search.trials}
    assert studio.runs.count(trials=True) == 2


def test_a_hopeless_trial_is_ended_early(studio: Studio) -> None:
    """Three good trials are remembered; the fourth has a rate that is far off, and its first checks tell."""
    studio.trainer = "learn"
    search = Search(name="s", plan=plan(studio), space=RATES, budget=Budget(trials=4))
    repository = studio.searches._repository
    repository.add(search)
    for number, rate in enumerate((1e-3, 9e-4, 1.1e-3), 1):
        repository.put_trial(search.id, _trial(number, {"learning_rate": rate}, TrialState.DONE, 1.1))
    repository.put_trial(search.id, Trial(number=4, run_id="r4", settings={"learning_rate": 0.1}))
    done = ended(studio, search)
    last = done.trials[-1]
    assert (last.state, last.pruned) == (TrialState.PRUNED, True)
    assert len(last.checks) < 4
    assert done.best is not None
    assert done.best.number == 1
    assert not (studio.paths.run("r4") / "model").exists()


@pytest.mark.slow
def test_after_a_crash_the_search_goes_on_with_the_trial_that_was_under_way(studio: Studio) -> None:
    studio.trainer = "learn"
    search = studio.searches.start(plan(studio), RATES, Budget(trials=3))
    poll_until(studio, lambda: bool(studio.searches.get(search.id).trials[0].checks))
    run_id = studio.searches.get(search.id).trials[0].run_id
    worker = studio.watch.worker(run_id)
    assert worker is not None
    worker.kill()
    studio.close()
    again = Studio(studio.root, trainer="learn")
    again.runs.recover()
    done = ended(again, search)
    assert done.state is SearchState.DONE
    assert len(done.trials) == 3
    assert done.trials[0].run_id == run_id
    assert again.runs.get(run_id).attempt == 2
    again.close()


def test_a_trial_whose_run_was_never_queued_is_queued_when_the_program_is_back(studio: Studio) -> None:
    search = Search(name="s", plan=plan(studio), space=RATES, budget=Budget(trials=1))
    studio.trainer = "learn"
    repository = studio.searches._repository
    repository.add(search)
    repository.put_trial(search.id, Trial(number=1, run_id="r1", settings={"learning_rate": 1e-3}))
    done = ended(studio, search)
    assert [trial.run_id for trial in done.trials] == ["r1"]
    assert done.trials[0].state is TrialState.DONE


@pytest.mark.slow
def test_three_failures_in_a_row_end_the_search(studio: Studio) -> None:
    studio.trainer = "die"
    search = ended(studio, studio.searches.start(plan(studio), RATES, Budget(trials=9)))
    assert search.state is SearchState.FAILED
    assert [trial.state for trial in search.trials] == [TrialState.FAILED] * 3
    assert "exit code 3" in search.reason
    assert all(studio.runs.get(trial.run_id).state is RunState.CANCELLED for trial in search.trials)


def test_a_trial_that_holds_still_for_memory_does_not_hold_the_search(studio: Studio) -> None:
    studio.trainer = "hang"
    search = studio.searches.start(plan(studio), RATES, Budget(trials=2))
    first = studio.searches.get(search.id).trials[0].run_id
    studio.wait(first, RunState.RUNNING)
    studio.runs.pause(first)
    paused = studio.wait(first, RunState.PAUSED)
    studio.runs.poll()
    assert studio.searches.get(search.id).trials[0].state is TrialState.RUNNING, (
        "a pause by hand is waited for"
    )
    told = replace(paused, error_code=OUT_OF_MEMORY, error_message="The memory is full.")
    studio.repository.save(told)
    poll_until(studio, lambda: len(studio.searches.get(search.id).trials) == 2)
    trial = studio.searches.get(search.id).trials[0]
    assert (trial.state, trial.note) == (TrialState.FAILED, "The memory is full.")
    studio.searches.stop(search.id)


@pytest.mark.slow
def test_a_stopped_search_drops_its_run_and_can_go_on(studio: Studio) -> None:
    studio.trainer = "learn"
    search = studio.searches.start(plan(studio), RATES, Budget(trials=3))
    poll_until(studio, lambda: bool(studio.runs.active()))
    stopped = studio.searches.stop(search.id)
    assert stopped.state is SearchState.STOPPED
    poll_until(studio, lambda: not studio.runs.active())
    assert studio.runs.get(stopped.trials[0].run_id).state is RunState.CANCELLED
    studio.searches.resume(search.id)
    done = ended(studio, search)
    assert [trial.state for trial in done.trials] == [TrialState.FAILED, TrialState.DONE, TrialState.DONE]
    with pytest.raises(StudioError) as caught:
        studio.searches.resume(search.id)
    assert caught.value.code == "search.spent"


@pytest.mark.slow
def test_when_every_combination_was_tried_the_search_is_done(studio: Studio) -> None:
    studio.trainer = "learn"
    space = {"optimizer": Dimension(choices=("adam", "adamw"))}
    search = ended(studio, studio.searches.start(plan(studio), space, Budget(trials=9)))
    assert search.state is SearchState.DONE
    assert {trial.settings["optimizer"] for trial in search.trials} == {"adam", "adamw"}
    assert len(search.trials) == 2
    assert search.reason


def test_what_cannot_be_searched_is_refused(studio: Studio) -> None:
    good, bare = plan(studio), studio.data()
    no_validation = builders.dataset(splits={Split.TRAIN: 9})
    studio.datasets.add(no_validation)
    cases = {
        "search.empty": (good, {}, Budget()),
        "search.endless": (good, RATES, Budget(trials=None)),
        "search.unfit_field": (good, {"lora_rank": Dimension(choices=(4, 8))}, Budget()),
        "search.no_validation": (good.model_copy(update={"dataset_id": no_validation.id}), RATES, Budget()),
    }
    for code, (asked, space, budget) in cases.items():
        with pytest.raises(StudioError) as caught:
            studio.searches.start(asked, space, budget)
        assert caught.value.code == code
    assert studio.searches.list() == []
    assert bare.splits[Split.VALIDATION]


def test_a_search_under_way_is_not_thrown_away(studio: Studio) -> None:
    studio.trainer = "learn"
    search = studio.searches.start(plan(studio), RATES, Budget(trials=1))
    with pytest.raises(StudioError) as caught:
        studio.searches.delete(search.id)
    assert caught.value.code == "search.under_way"
    ended(studio, search)
    studio.searches.delete(search.id)
    assert studio.searches.list() == []
    studio.searches.restore(search.id)
    assert [each.id for each in studio.searches.list()] == [search.id]


def test_minutes_limit_each_trial_to_what_is_left(studio: Studio) -> None:
    search = Search(name="s", plan=plan(studio), space=RATES, budget=Budget(trials=None, minutes=10))
    assert trial_spec(search, {}).max_minutes == 10
    used = search.model_copy(update={"trials": (_trial(1, {}, TrialState.DONE, 1.0, seconds=240),)})
    assert trial_spec(used, {}).max_minutes == 6
    assert not used.spent
    assert used.model_copy(update={"trials": (_trial(1, {}, TrialState.DONE, 1.0, seconds=600),)}).spent


# Proposals, without children


def _trial(
    number: int, values: dict[str, Any], state: TrialState, value: float | None, seconds: float = 1.0
) -> Trial:
    checks = () if value is None else (value + 0.2, value + 0.1, value)
    return Trial(
        number=number, run_id=f"r{number}", settings=values, state=state, value=value, checks=checks, seconds=seconds
    )  # fmt: skip


_DIMENSIONS = st.fixed_dictionaries(
    {"learning_rate": st.sampled_from(["1e-5..1e-2", "0.0003,0.001,0.003"])},
    optional={
        "batch_size": st.sampled_from(["2..64", "4,8"]), "optimizer": st.just("adamw,sgd"),
        "width": st.just("32..256"), "heads": st.just("2..6"), "warmup_ratio": st.just("0..0.2"),
        "layers": st.just("1..4"),
    },
)  # fmt: skip
_OUTCOMES = st.lists(
    st.tuples(
        st.sampled_from([TrialState.DONE, TrialState.PRUNED, TrialState.FAILED]),
        st.floats(0.1, 9, allow_nan=False),
    ),
    max_size=7,
)


@given(texts=_DIMENSIONS, outcomes=_OUTCOMES, seed=st.integers(0, 2**31 - 20))
@settings(max_examples=40, deadline=None)
def test_proposals_stay_in_the_space_are_new_and_can_be_repeated(
    texts: dict[str, str], outcomes: list[tuple[TrialState, float]], seed: int
) -> None:
    base = builders.plan(builders.dataset(), spec=TrainSpec(method=Method.SCRATCH))
    space = {name: read_dimension(name, text) for name, text in texts.items()}
    search = Search(name="s", plan=base, space=space, seed=seed)
    for state, value in outcomes:
        found = proposals.propose(search)
        assert proposals.propose(search) == found, "the same trials and seed, the same proposal"
        if found is None:
            break
        assert found not in [trial.settings for trial in search.trials]
        assert set(found) == set(space)
        assert all(space[name].holds(value) for name, value in found.items()), found
        trial_spec(search, found)
        trial = _trial(len(search.trials) + 1, found, state, None if state is TrialState.FAILED else value)
        search = Search.model_validate_json(
            search.model_copy(update={"trials": (*search.trials, trial)}).model_dump_json()
        )


def test_pruning_needs_trials_to_compare_with() -> None:
    base = builders.plan(builders.dataset(), spec=TrainSpec(method=Method.SCRATCH))
    search = Search(name="s", plan=base, space=RATES)
    bad = Trial(number=9, run_id="r9", settings={"learning_rate": 0.1}, checks=(9.0, 9.0, 9.0))
    assert not proposals.should_end(search, bad)
    good = tuple(_trial(n, {"learning_rate": 10.0**-n}, TrialState.DONE, 1.0 + n / 10) for n in (2, 3, 4))
    full = search.model_copy(update={"trials": good})
    assert proposals.should_end(full, bad)
    assert not proposals.should_end(full, bad.model_copy(update={"checks": (0.5, 0.4, 0.3)}))
    assert not proposals.should_end(full, bad.model_copy(update={"checks": ()}))
