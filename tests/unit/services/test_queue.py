"""The queue in order and on time, with a clock that the test holds, real children and a real database."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from studio.domain.runs import Run, RunState
from studio.errors import StudioError
from studio.services.queue import Place
from tests.unit.services.conftest import Studio

NIGHT = (time(22, 0), time(7, 0))


@dataclass
class Wall:
    """A clock on the wall whose hands the test moves."""

    now: datetime = datetime(2026, 3, 2, 12, 0)

    def __call__(self) -> datetime:
        return self.now

    def go_to(self, hour: int, day: int = 2) -> None:
        self.now = datetime(2026, 3, day, hour, 0, 5)


@pytest.fixture
def wall() -> Wall:
    return Wall()


@pytest.fixture
def studio(tmp_path: Path, wall: Wall) -> Iterator[Studio]:
    made = Studio(tmp_path / "w", local=wall)
    yield made
    for run in made.runs.active():
        worker = made.watch.worker(run.id)
        if worker is not None:
            worker.kill()
            worker.wait(10)
    made.close()


def names(studio: Studio) -> list[str]:
    return [run.name for run in studio.runs.queue()]


def test_waiting_runs_are_moved(studio: Studio) -> None:
    ids = {name: studio.queued(name).id for name in "abcd"}
    moves: list[tuple[str, Place, str]] = [
        ("d", "first", "dabc"), ("d", "down", "adbc"), ("c", "up", "adcb"), ("a", "last", "dcba"),
        ("b", 1, "bdca"), ("b", 99, "dcab"), ("d", "up", "dcab"), ("b", "down", "dcab"), ("c", 0, "cdab"),
    ]  # fmt: skip
    for name, place, order in moves:
        studio.runs.reorder(ids[name], place)
        assert "".join(names(studio)) == order, (name, place)
    started = studio.runs.start_next()
    assert started is not None
    assert started.name == "c"


@given(moves=st.lists(st.tuples(st.integers(0, 4), st.integers(-2, 8)), max_size=8))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_moving_never_loses_or_doubles_a_run(studio: Studio, moves: list[tuple[int, int]]) -> None:
    while len(studio.runs.queue()) < 5:
        studio.queued()
    expected = [run.id for run in studio.runs.queue()]
    for source, place in moves:
        run_id = expected.pop(source)
        expected.insert(min(max(place - 1, 0), 4), run_id)
        studio.runs.reorder(run_id, place)
        assert [run.id for run in studio.runs.queue()] == expected


def test_only_a_waiting_run_has_a_place(studio: Studio) -> None:
    run = studio.wait(studio.queued().id, RunState.DONE)
    deeds: list[Callable[[], object]] = [
        lambda: studio.runs.reorder(run.id, "first"), lambda: studio.runs.schedule(run.id, *NIGHT),
        lambda: studio.runs.start_now(run.id),
    ]  # fmt: skip
    for deed in deeds:
        with pytest.raises(StudioError) as caught:
            deed()
        assert caught.value.code == "queue.not_waiting"


def test_a_run_for_the_night_lets_others_go_first(studio: Studio, wall: Wall) -> None:
    night, day = studio.queued("night"), studio.queued("day")
    studio.runs.schedule(night.id, *NIGHT)
    assert studio.runs.waiting_words(studio.runs.get(night.id)) == "waits until 22:00"
    studio.wait(day.id, RunState.DONE)
    studio.runs.poll()
    assert studio.runs.get(night.id).state is RunState.QUEUED
    wall.go_to(22)
    studio.wait(night.id, RunState.DONE)


def test_hours_survive_a_restart(studio: Studio, wall: Wall) -> None:
    run = studio.queued()
    studio.runs.schedule(run.id, *NIGHT)
    studio.close()
    again = Studio(studio.root, local=wall)
    again.runs.recover()
    again.runs.poll()
    assert again.runs.get(run.id).state is RunState.QUEUED
    assert again.runs.waiting_words(again.runs.get(run.id)) == "waits until 22:00"
    wall.go_to(23)
    again.wait(run.id, RunState.DONE)
    again.close()


def test_in_the_morning_a_run_gives_its_place_up_and_goes_on_the_next_night(
    studio: Studio, wall: Wall
) -> None:
    studio.trainer = "hang"
    night = studio.queued("night")
    studio.runs.schedule(night.id, *NIGHT)
    wall.go_to(23)
    studio.wait(night.id, RunState.RUNNING)
    wall.go_to(7, day=3)
    assert _tick_until(studio, wall, night.id, RunState.QUEUED).step == 3
    assert studio.runs.active() == []
    assert studio.runs.waiting_words(studio.runs.get(night.id)) == "waits until 22:00"
    studio.trainer = "finish"
    day = studio.queued("day")
    studio.wait(day.id, RunState.DONE)
    wall.go_to(22, day=3)
    done = studio.wait(night.id, RunState.DONE)
    assert done.attempt == 2
    assert [step.step for step in studio.runs.steps(night.id)] == [1, 2, 3, 4, 5]


def test_a_studio_that_was_closed_in_between_finishes_the_move(studio: Studio, wall: Wall) -> None:
    studio.trainer = "hang"
    run = studio.queued()
    studio.runs.schedule(run.id, *NIGHT)
    wall.go_to(23)
    studio.wait(run.id, RunState.RUNNING)
    wall.go_to(7, day=3)
    _tick_until(studio, wall, run.id, RunState.PAUSED)  # told to pause, and heard
    studio.close()
    again = Studio(studio.root, trainer="finish", local=wall)
    again.runs.recover()
    _tick_until(again, wall, run.id, RunState.QUEUED)
    wall.go_to(22, day=3)
    again.wait(run.id, RunState.DONE)
    again.close()


def test_a_pause_by_hand_is_not_undone_by_the_hours(studio: Studio, wall: Wall) -> None:
    studio.trainer = "hang"
    run = studio.queued()
    studio.runs.schedule(run.id, *NIGHT)
    wall.go_to(23)
    studio.wait(run.id, RunState.RUNNING)
    studio.runs.pause(run.id)
    studio.wait(run.id, RunState.PAUSED)
    for day in (3, 4):
        wall.go_to(12, day=day)
        studio.runs.poll()
        wall.go_to(23, day=day)
        studio.runs.poll()
    assert studio.runs.get(run.id).state is RunState.PAUSED


def test_now_means_now(studio: Studio) -> None:
    first, second = studio.queued("first"), studio.queued("second")
    studio.runs.schedule(second.id, *NIGHT)
    assert studio.runs.start_now(second.id).state is RunState.RUNNING
    assert studio.runs.get(second.id).schedule is None
    studio.wait(second.id, RunState.DONE)
    studio.wait(first.id, RunState.DONE)


def _tick_until(studio: Studio, wall: Wall, run_id: str, state: RunState) -> Run:
    """Poll while the clock goes on, for the hours are looked at every few seconds only."""
    for _number in range(300):
        wall.now += timedelta(seconds=3)
        try:
            return studio.wait(run_id, state, timeout_s=0.05)
        except AssertionError:
            continue
    raise AssertionError(f"never {state}")
