"""Work that runs ahead keeps its order, its errors and its bounds."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from studio.ingest.prefetch import mapped


def test_mapped_keeps_the_order_though_a_later_item_is_done_first() -> None:
    second_done = threading.Event()

    def work(item: int) -> int:
        if item == 0:
            assert second_done.wait(20)
        elif item == 1:
            second_done.set()
        return item * 10

    assert list(mapped(work, range(5))) == [(item, item * 10) for item in range(5)]


def test_mapped_raises_at_its_item() -> None:
    def work(item: int) -> int:
        if item == 2:
            raise ValueError("two")
        return item

    made = mapped(work, range(5))
    assert [next(made), next(made)] == [(0, 0), (1, 1)]
    with pytest.raises(ValueError, match="two"):
        next(made)


def test_mapped_takes_no_more_than_it_works_on() -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for item in range(100):
            taken.append(item)
            yield item

    made = mapped(lambda item: item, items(), workers=2)
    next(made)
    assert len(taken) == 3
    made.close()
