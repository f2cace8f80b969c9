"""Ratings as numbers: users and items by number, and what each user chose in the order of time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import torch
from torch import Tensor

from studio.domain.datasets import Split

UNKNOWN = 0  # the number of every user and item that no training row has


@dataclass(frozen=True)
class Names:
    """Users or items by number, from 1; 0 is the unknown one."""

    known: list[str]

    def __post_init__(self) -> None:
        object.__setattr__(self, "_places", {name: place + 1 for place, name in enumerate(self.known)})

    def __len__(self) -> int:
        """With the unknown one."""
        return len(self.known) + 1

    def number(self, name: str) -> int:
        """UNKNOWN for one that is not known."""
        places: dict[str, int] = self._places  # type: ignore[attr-defined]
        return places.get(name, UNKNOWN)

    def name(self, number: int) -> str:
        """Of a number from 1 on."""
        return self.known[number - 1]


@dataclass(frozen=True)
class Rating:
    """One row with users and items by number."""

    row: int
    user: int
    item: int
    value: float
    split: Split


@dataclass(frozen=True)
class Table:
    """All rows of a dataset in the order of time. timed: whether the rows told their time (else by row number)."""

    users: Names
    items: Names
    ratings: list[Rating]
    timed: bool

    def of(self, split: Split) -> list[Rating]:
        """The rows of one split, in order."""
        return [rating for rating in self.ratings if rating.split is split]

    def by_user(self) -> dict[int, list[Rating]]:
        """All rows of each known user, in order."""
        found: dict[int, list[Rating]] = {}
        for rating in self.ratings:
            if rating.user != UNKNOWN:
                found.setdefault(rating.user, []).append(rating)
        return found

    def counts(self) -> Tensor:
        """(items,) How often each item stands in the training rows, float32; 0 for the unknown one."""
        numbers = torch.tensor([rating.item for rating in self.of(Split.TRAIN)], dtype=torch.int64)
        found = torch.bincount(numbers, minlength=len(self.items)).float()
        found[UNKNOWN] = 0
        return found


def read_table(rows: dict[Split, Iterable[dict[str, Any]]]) -> Table:
    """Number users and items by their first training row, and put all rows in order."""
    told = [(row, split) for split in Split for row in rows.get(split, ())]
    training = [row for row, split in told if split is Split.TRAIN]
    users = Names(list(dict.fromkeys(row["user"] for row in training)))
    items = Names(list(dict.fromkeys(row["item"] for row in training)))
    times = [_seconds(row.get("time")) for row, _split in told]
    timed = bool(times) and None not in times
    ratings = [
        Rating(row["row"], users.number(row["user"]), items.number(row["item"]), row["rating"], split)
        for row, split in told
    ]
    order = sorted(
        range(len(ratings)), key=lambda place: ((times[place] or 0.0) if timed else 0.0, ratings[place].row)
    )
    return Table(users, items, [ratings[place] for place in order], timed)


def _seconds(time: str | None) -> float | None:
    """A time in seconds, or in whatever unit a number has; None when it cannot be read."""
    text = (time or "").strip()
    try:
        return float(text)
    except ValueError:
        pass
    try:
        return datetime.fromisoformat(text).timestamp()
    except ValueError:
        return None


class Chosen:
    """What each user has chosen, in order: one row of numbers for all, and where each user's begin."""

    def __init__(self, starts: Tensor, items: Tensor) -> None:
        self.starts, self.items = starts, items  # (users + 1,), (n,)

    @classmethod
    def from_table(cls, table: Table) -> Chosen:
        """By all rows of the table: what a user has is not to be recommended, whichever split it is in."""
        by_user = table.by_user()
        own = [
            [rating.item for rating in by_user.get(user, []) if rating.item != UNKNOWN]
            for user in range(len(table.users))
        ]
        starts = torch.tensor([0, *(len(items) for items in own)]).cumsum(0)
        return cls(starts, torch.tensor([item for items in own for item in items], dtype=torch.int64))

    def of(self, user: int) -> Tensor:
        """The items of a user; none for the unknown one."""
        return self.items[int(self.starts[user]) : int(self.starts[user + 1])]
