"""Choices in the order of time: what is learned from, and what is asked for, without a look into the future.

Splits are of rows, so for each user the last held-out row of a split that has a training row before it is what the
model is asked for, after the training rows before it. What the user chose after the first such question is not learned
from: nothing of their future is known when it is asked.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from studio.domain.datasets import Split
from studio.engine.tasks.recommend.table import UNKNOWN, Rating, Table

LONGEST = 100  # choices that the model looks back on
NOTHING = -1  # at a position where no choice is asked for


@dataclass(frozen=True)
class ChoiceItem:
    """Choices by number and what is asked for after each of them (NOTHING where it is not).

    seen: all choices before the question, which are not recommended again; empty in training.
    """

    row: int
    history: tuple[int, ...]  # (T,)
    wanted: tuple[int, ...]  # (T,)
    seen: frozenset[int] = frozenset()
    cut: bool = False

    @property
    def length(self) -> int:
        return len(self.history)

    @property
    def targets(self) -> int:
        return sum(item != NOTHING for item in self.wanted)


@dataclass(frozen=True)
class ChoiceBatch:
    history: Tensor  # (B, T) int64, UNKNOWN behind the end
    rows: Tensor  # (P,) row of each position with a question
    positions: Tensor  # (P,) its column
    wanted: Tensor  # (P,)
    seen: tuple[frozenset[int], ...]
    work: int
    source_rows: tuple[int, ...]

    @property
    def weight(self) -> int:
        return len(self.wanted)

    def to(self, device: torch.device) -> ChoiceBatch:
        """The same batch on a device."""
        if device.type == "cpu":
            return self
        history, rows, positions, wanted = (
            t.to(device, non_blocking=True) for t in (self.history, self.rows, self.positions, self.wanted)
        )
        return replace(self, history=history, rows=rows, positions=positions, wanted=wanted)


def choice_items(table: Table) -> dict[Split, list[ChoiceItem]]:
    """For each user the training rows before any question, in windows; and the question of each held-out split."""
    found: dict[Split, list[ChoiceItem]] = {split: [] for split in Split}
    for rows in table.by_user().values():
        known = [rating for rating in rows if rating.item != UNKNOWN]
        end = len(known)
        for split in (Split.VALIDATION, Split.TEST):
            place = _question(known, split)
            if place:
                found[split].append(_asked(known, place))
                end = min(end, place)
        found[Split.TRAIN] += _windows([rating for rating in known[:end] if rating.split is Split.TRAIN])
    return found


def _question(rows: list[Rating], split: Split) -> int:
    """Where the split's last row that has a training row before it stands; 0 for none."""
    first = next((place for place, rating in enumerate(rows) if rating.split is Split.TRAIN), len(rows))
    places = [place for place, rating in enumerate(rows) if rating.split is split and place > first]
    return places[-1] if places else 0


def _asked(rows: list[Rating], place: int) -> ChoiceItem:
    before = [rating.item for rating in rows[:place] if rating.split is Split.TRAIN]
    history = tuple(before[-LONGEST:])
    wanted = (NOTHING,) * (len(history) - 1) + (rows[place].item,)
    return ChoiceItem(rows[place].row, history, wanted, frozenset(before))


def _windows(rows: list[Rating]) -> list[ChoiceItem]:
    """Pieces of the longest length that overlap by one, so that each choice is asked for once."""
    items = [rating.item for rating in rows]
    return [
        ChoiceItem(rows[start].row, tuple(items[start:end]), tuple(items[start + 1 : end + 1]))
        for start in range(0, len(items) - 1, LONGEST)
        for end in [min(start + LONGEST, len(items) - 1)]
    ]
