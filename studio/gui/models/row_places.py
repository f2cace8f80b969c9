"""Where a row stands among the rows that are shown, by its number; called in a thread."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Page = Callable[[int, int], list[dict[str, Any]]]
_STRETCH = 2_000
_MOST_READ = 400_000  # rows read one after the other when their numbers are out of order


def place_of(page: Page, count: int, number: int) -> int | None:
    """The place (from 0) of the row with this number among ``count`` rows; None when it is not among them.

    Rows of an import stand in the order of their numbers, so a few looks suffice; copies that a step put between them
    break the order, and then the rows around are read through.
    """
    low, high = 0, count
    while low < high:
        middle = (low + high) // 2
        found = _number_at(page, middle)
        if found == number:
            return middle
        if found is None:
            return None
        if found < number:
            low = middle + 1
        else:
            high = middle
    return _search_through(page, count, number)


def _number_at(page: Page, place: int) -> int | None:
    rows = page(place, 1)
    return int(rows[0]["row"]) if rows else None


def _search_through(page: Page, count: int, number: int) -> int | None:
    for start in range(0, min(count, _MOST_READ), _STRETCH):
        for place, row in enumerate(page(start, min(_STRETCH, count - start))):
            if int(row["row"]) == number:
                return start + place
    return None
