"""Events to rows: idempotent, in any batches, with attempts that go on from earlier checkpoints."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from studio.domain.runs import Run, RunState, check_transition
from studio.errors import StudioError
from studio.protocol import events as ev
from studio.services.ports import RunUpdate
from studio.services.run_events import kept_evals, moved, project
from tests.helpers import builders

DATA = builders.dataset()


class Rows:
    """What a store would hold: the meaning of RunUpdate, in a few lines."""

    def __init__(self) -> None:
        self.steps: dict[int, float | None] = {}
        self.evals: dict[int, float] = {}

    def apply(self, update: RunUpdate) -> Run:
        if update.rewind_to is not None:
            self.steps = {k: v for k, v in self.steps.items() if k <= update.rewind_to}
            self.evals = {k: v for k, v in self.evals.items() if k <= update.rewind_to}
        self.steps |= {row.step: row.loss for row in update.steps}
        self.evals |= {row.step: row.loss for row in update.evals}
        return update.run


class RunLife(RuleBasedStateMachine):
    """A trainer's life with crashes and resumptions; the projection must agree with a plain model at every moment."""

    def __init__(self) -> None:
        super().__init__()
        self.log: list[ev.Event] = []
        self.run = builders.run(DATA, plan=builders.plan(DATA, run_id="r"))
        self.rows = Rows()
        self.applied = 0
        self.attempt = 0
        self.step = 0
        self.saved = 0
        self.state = RunState.QUEUED
        self.expected: dict[int, float] = {}

    def tell(self, event: ev.Event) -> None:
        self.log.append(event.model_copy(update={"seq": len(self.log) + 1}))

    @initialize()
    def start(self) -> None:
        self.attempt = 1
        self.tell(builders.started(0, 1))
        self.state = RunState.RUNNING

    @precondition(lambda self: self.state is RunState.RUNNING)
    @rule(loss=st.floats(0, 10))
    def train(self, loss: float) -> None:
        self.step += 1
        self.expected[self.step] = loss
        self.tell(builders.step(0, self.step, loss))

    @precondition(lambda self: self.state is RunState.RUNNING and self.step > 0)
    @rule()
    def save(self) -> None:
        self.saved = self.step
        self.tell(ev.CheckpointSaved(path=f"checkpoints/ckpt-{self.step}", step=self.step, size_bytes=1))

    @precondition(lambda self: self.state is RunState.RUNNING)
    @rule()
    def pause(self) -> None:
        self.tell(ev.Paused(step=self.step))
        self.state = RunState.PAUSED

    @precondition(lambda self: self.state is RunState.PAUSED)
    @rule()
    def go_on(self) -> None:
        self.tell(ev.Resumed(step=self.step))
        self.state = RunState.RUNNING

    @precondition(lambda self: self.state in (RunState.RUNNING, RunState.PAUSED))
    @rule(says_so=st.booleans())
    def crash_and_resume(self, says_so: bool) -> None:
        """The new attempt says where it goes on; from the very start it may just begin again."""
        self.attempt += 1
        self.tell(builders.started(0, self.attempt))
        self.step = self.saved
        if self.saved or says_so:
            self.tell(ev.Resumed(step=self.saved))
            self.expected = {k: v for k, v in self.expected.items() if k <= self.saved}
        else:
            self.step = 1
            self.expected = {1: 5.0}
            self.tell(builders.step(0, 1, 5.0))
        self.state = RunState.RUNNING

    @rule(overlap=st.integers(0, 30))
    def apply_some(self, overlap: int) -> None:
        """The follower reads what is new, and a part of what it has read before."""
        self.run = self.rows.apply(project(self.run, self.log[max(0, self.applied - overlap) :]))
        self.applied = len(self.log)

    @invariant()
    def nothing_is_lost_doubled_or_kept_too_long(self) -> None:
        if self.applied == len(self.log) and self.log:
            assert self.rows.steps == self.expected
            assert (self.run.state, self.run.step, self.run.attempt) == (self.state, self.step, self.attempt)
            assert self.run.applied_seq == len(self.log)

    def teardown(self) -> None:
        """A replay of everything from nothing gives the same rows as the pieces did."""
        self.apply_some(0)
        fresh = Rows()
        run = fresh.apply(
            project(builders.run(DATA, plan=self.run.plan, created_at=self.run.created_at), self.log)
        )
        assert fresh.steps == self.rows.steps
        assert (run.state, run.step, run.applied_seq) == (self.run.state, self.run.step, self.run.applied_seq)


RunLife.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestRunLife = RunLife.TestCase


class StateLife(RuleBasedStateMachine):
    """Whatever is asked of a run's state, only allowed transitions happen."""

    def __init__(self) -> None:
        super().__init__()
        self.run = builders.run(DATA)

    @rule(state=st.sampled_from(RunState))
    def move(self, state: RunState) -> None:
        before = self.run.state
        try:
            self.run = moved(self.run, state)
        except StudioError:
            with pytest.raises(StudioError, match="cannot become"):
                check_transition(before, state)
            assert self.run.state is before
        else:
            assert self.run.state is state

    @invariant()
    def the_end_is_the_end(self) -> None:
        if self.run.state in (RunState.DONE, RunState.CANCELLED):
            for state in set(RunState) - {self.run.state}:
                with pytest.raises(StudioError):
                    moved(self.run, state)


TestStateLife = StateLife.TestCase


def ended(*events: ev.Event) -> Run:
    return project(builders.run(DATA), [builders.started(1), *events]).run


def result() -> dict[str, Any]:
    return vars(builders.summary())


def test_the_end_of_a_run_keeps_its_summary() -> None:
    run = ended(ev.Finished(seq=2, result=result(), t=100.0))
    assert run.state is RunState.DONE
    assert run.summary == builders.summary()
    assert run.ended_at is not None
    assert run.ended_at.timestamp() == 100


def test_an_end_that_cannot_be_read_is_a_failure() -> None:
    assert ended(ev.Finished(seq=2, result={"x": 1})).error_code == "run.bad_result"


def test_a_failure_says_what_and_what_next() -> None:
    run = ended(ev.Failed(seq=2, code="run.out_of_memory", message="Too big.", hint="Smaller batch."))
    assert (run.state, run.error_code, run.error_message) == (
        RunState.FAILED, "run.out_of_memory", "Too big. Smaller batch.",
    )  # fmt: skip


def test_a_failed_run_lives_again_when_it_is_started_again() -> None:
    run = ended(ev.Failed(seq=2, code="c", message="m"), builders.step(3, 1), builders.started(4, 2))
    assert (run.state, run.error_code, run.step, run.attempt) == (RunState.RUNNING, "", 0, 2)


def test_nothing_happens_after_the_end() -> None:
    run = ended(ev.Cancelled(seq=2), builders.step(3, 1), ev.Finished(seq=4, result=result()))
    assert (run.state, run.step, run.summary, run.applied_seq) == (RunState.CANCELLED, 0, None, 4)


def test_an_interrupted_run_whose_last_words_arrive_late_is_done() -> None:
    run = builders.run(DATA, state=RunState.INTERRUPTED)
    assert project(run, [ev.Finished(seq=1, result=result())]).run.state is RunState.DONE


def test_an_evaluation_without_a_number_is_not_a_point_of_the_curve() -> None:
    lost = ev.Evaluated(seq=1, step=1, epoch=0.1, loss=None, perplexity=None, rows=1, is_best=False)
    assert project(builders.run(DATA), [lost]).evals == ()


@settings(deadline=None)
@given(
    st.lists(st.integers(1, 20), unique=True), st.lists(st.integers(1, 20), unique=True), st.integers(0, 20)
)
def test_kept_evaluations_are_those_that_the_store_will_hold(
    old: list[int], new: list[int], rewind: int
) -> None:
    before = project(builders.run(DATA), [builders.evaluated(n, step) for n, step in enumerate(old, 1)]).evals
    added = project(builders.run(DATA), [builders.evaluated(n, step, 2.0) for n, step in enumerate(new, 1)])
    update = RunUpdate(run=added.run, rewind_to=rewind, evals=added.evals)
    kept = {e.step: e.loss for e in kept_evals(before, update)}
    assert kept == {step: 1.0 for step in old if step <= rewind} | dict.fromkeys(new, 2.0)
