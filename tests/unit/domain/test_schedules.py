"""Times of day and windows of hours, on a clock that the test holds."""

from __future__ import annotations

from datetime import datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from studio.domain.schedules import (
    RunSchedule,
    make_schedule,
    may_run,
    next_start,
    read_time,
    waiting_words,
    window_words,
)
from studio.errors import StudioError

MORNING = datetime(2026, 3, 2, 8, 0)
TEN_PM, SEVEN = time(22, 0), time(7, 0)


def test_a_run_for_the_night_waits_for_it_and_rests_by_day() -> None:
    schedule = make_schedule(TEN_PM, SEVEN, MORNING)
    assert waiting_words(schedule, MORNING) == "waits until 22:00"
    assert not may_run(schedule, MORNING)
    for hour, allowed in (
        (21, False),
        (22, True),
        (23, True),
        (24, True),
        (30, True),
        (31, False),
        (46, True),
    ):
        assert may_run(schedule, datetime(2026, 3, 2) + timedelta(hours=hour)) is allowed, hour
    assert window_words(schedule) == "22:00–07:00"


def test_a_window_that_is_open_lets_the_run_start_at_once() -> None:
    late = datetime(2026, 3, 2, 23, 30)
    assert may_run(make_schedule(TEN_PM, SEVEN, late), late)
    assert waiting_words(make_schedule(TEN_PM, SEVEN, late), late) == ""


def test_without_an_end_it_may_go_on_for_ever() -> None:
    schedule = make_schedule(TEN_PM, None, MORNING)
    assert not may_run(schedule, datetime(2026, 3, 2, 21, 59))
    assert may_run(schedule, datetime(2026, 3, 3, 12, 0))
    assert window_words(schedule) == "from 22:00"


def test_a_time_that_is_over_means_tomorrow() -> None:
    late = datetime(2026, 3, 2, 22, 30)
    assert waiting_words(make_schedule(TEN_PM, None, late), late) == "waits until tomorrow, 22:00"


@pytest.mark.parametrize(("text", "found"), [("22:00", time(22)), (" 7:05", time(7, 5)), ("0:00", time(0))])
def test_times_are_read_as_people_write_them(text: str, found: time) -> None:
    assert read_time(text) == found


@pytest.mark.parametrize("text", ["", "22", "24:00", "12:60", "7:5", "ten", "12:0x"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(StudioError) as caught:
        read_time(text)
    assert caught.value.code == "schedule.not_a_time"


def test_a_window_without_length_is_refused() -> None:
    with pytest.raises(StudioError) as caught:
        make_schedule(TEN_PM, TEN_PM, MORNING)
    assert caught.value.code == "schedule.empty"


_TIMES = st.times().map(lambda t: t.replace(second=0, microsecond=0))
_MOMENTS = st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31))


@settings(deadline=None)
@given(start=_TIMES, end=st.none() | _TIMES, asked=_MOMENTS, later=st.integers(0, 72 * 60))
def test_the_next_start_is_the_first_moment_at_which_a_run_may_be_under_way(
    start: time, end: time | None, asked: datetime, later: int
) -> None:
    if start == end:
        return
    schedule = make_schedule(start, end, asked)
    at = asked + timedelta(minutes=later)
    first = next_start(schedule, at)
    assert may_run(schedule, first)
    assert at <= first <= at + timedelta(days=1)
    assert (first == at) is may_run(schedule, at)
    between = at + (first - at) / 2
    assert first == at or not may_run(schedule, between)
    assert bool(waiting_words(schedule, at)) is not may_run(schedule, at)
    assert RunSchedule.model_validate_json(schedule.model_dump_json()) == schedule
