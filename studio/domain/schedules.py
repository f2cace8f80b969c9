"""When a waiting run may start: a time of day, or a window of hours such as the night's, by the computer's own clock.

Times are those on the wall: naive local datetimes. So “22:00” stays 22:00 when the clocks change.
"""

from __future__ import annotations

from datetime import datetime, time, timedelta

from pydantic import BaseModel, ConfigDict

from studio.errors import StudioError
from studio.i18n import _

NIGHT = ("22:00", "07:00")
_DAY = timedelta(days=1)


class RunSchedule(BaseModel):
    """start, end: time of day; without an end the run may go on once it has started.

    not_before: the first moment. leaving: the hours are over, and the run is being taken back into the queue.
    """

    model_config = ConfigDict(frozen=True)

    start: time
    end: time | None = None
    not_before: datetime
    leaving: bool = False


def read_time(text: str) -> time:
    """``22:00`` or ``7:30``. Raises StudioError ``schedule.not_a_time``."""
    hours, colon, minutes = text.strip().partition(":")
    try:
        if not colon or len(minutes) != 2:
            raise ValueError
        return time(int(hours), int(minutes))
    except ValueError:
        raise StudioError(
            "schedule.not_a_time", _("“{text}” is not a time of day.").format(text=text),
            _("For example: {example}").format(example="22:00"),
        ) from None  # fmt: skip


def make_schedule(start: time, end: time | None, local: datetime) -> RunSchedule:
    """A schedule from now on. Raises StudioError ``schedule.empty`` when the window has no length."""
    if start == end:
        raise StudioError(
            "schedule.empty", _("The window would have no length."), _("Choose two different times.")
        )
    if end is not None and _inside(start, end, local):
        return RunSchedule(start=start, end=end, not_before=local)
    return RunSchedule(start=start, end=end, not_before=_next(start, local))


def may_run(schedule: RunSchedule | None, local: datetime) -> bool:
    """Whether a run with this schedule may be under way now."""
    if schedule is None:
        return True
    if local < schedule.not_before:
        return False
    return schedule.end is None or _inside(schedule.start, schedule.end, local)


def next_start(schedule: RunSchedule, local: datetime) -> datetime:
    """When the run may be under way next; now, if it may already."""
    if may_run(schedule, local):
        return local
    return schedule.not_before if local < schedule.not_before else _next(schedule.start, local)


def waiting_words(schedule: RunSchedule | None, local: datetime) -> str:
    """``waits until 22:00``; empty when nothing but its turn keeps the run from starting."""
    if schedule is None or may_run(schedule, local):
        return ""
    when = next_start(schedule, local)
    clock = when.strftime("%H:%M")
    if when.date() == local.date():
        return _("waits until {time}").format(time=clock)
    if when.date() == local.date() + _DAY:
        return _("waits until tomorrow, {time}").format(time=clock)
    return _("waits until {date}, {time}").format(date=when.date().isoformat(), time=clock)


def window_words(schedule: RunSchedule) -> str:
    """``22:00–07:00``, or ``from 22:00``."""
    start = schedule.start.strftime("%H:%M")
    if schedule.end is None:
        return _("from {time}").format(time=start)
    return _("{start}–{end}").format(start=start, end=schedule.end.strftime("%H:%M"))


def _inside(start: time, end: time, local: datetime) -> bool:
    """Whether the moment lies in [start, end) of its day; a window may go over midnight."""
    at = local.time()
    return start <= at < end if start < end else at >= start or at < end


def _next(start: time, local: datetime) -> datetime:
    today = datetime.combine(local.date(), start)
    return today if today > local else today + _DAY
