"""What the loop, the session and the fit check know of a kind of learning, and nothing more.

A task brings a model, turns rows into items, items into batches, and batches into losses. Everything else (updates,
schedules, checkpoints, resuming, the verdict) is the same for all of them.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from studio.domain.datasets import Split
from studio.domain.measures import Measure
from studio.domain.runs import RunPlan
from studio.engine.control import Control, Emit
from studio.engine.tasks.media import Media
from studio.protocol.events import PreviewToken

Rows = Callable[[Split], Iterable[dict[str, Any]]]
Check = Callable[[], None]


class Item(Protocol):
    """One thing to learn from."""

    @property
    def row(self) -> int:
        """Number of its source row."""

    @property
    def length(self) -> int:
        """Units of work (tokens, pictures, ratings …); items of like length are batched together."""

    @property
    def targets(self) -> int:
        """How many things are predicted in it; the mean loss is over these."""

    @property
    def cut(self) -> bool:
        """Whether it lost its end to the longest length."""


class LearningBatch(Protocol):
    """Items put together for one pass."""

    @property
    def weight(self) -> int:
        """Things predicted: the sum of its items' targets."""

    @property
    def work(self) -> int:
        """Units of real work, padding not counted."""

    @property
    def source_rows(self) -> tuple[int, ...]: ...


ItemT = TypeVar("ItemT", bound=Item)
BatchT = TypeVar("BatchT", bound=LearningBatch)


@dataclass(frozen=True)
class Setting:
    """What a task is built from.

    rows: gives the rows of a split. work_dir: where a new vocabulary is kept. media: decodes pictures and recordings.
    base_format: of a frozen base in the attempt that is resumed ("int8" or ""); None: to be found out.
    """

    plan: RunPlan
    rows: Rows
    work_dir: Path
    emit: Emit
    control: Control
    device: torch.device
    dtype: torch.dtype
    media: Media | None = None
    base_format: str | None = None


@dataclass(frozen=True)
class Probe:
    """The model's answer to a fixed question; tokens and speed are 0 where nothing is generated token by token."""

    text: str
    tokens: int = 0
    tokens_per_s: float = 0.0


class LearningTask(ABC, Generic[ItemT, BatchT]):
    """One kind of learning with its model.

    measure: what the verdict compares. validation_work, held_out_work: units of work of the rows that are looked at
    in each check, and in the verdict. step: updates made so far, told before a probe is answered.
    """

    measure: ClassVar[Measure] = Measure.SURPRISE
    validation_work: ClassVar[int] = 12_000
    held_out_work: ClassVar[int] = 24_000
    step: int = 0

    model: nn.Module

    @abstractmethod
    def collate(self, items: Sequence[ItemT]) -> BatchT:
        """The items as one batch on the processor."""

    @abstractmethod
    def to_device(self, batch: BatchT) -> BatchT:
        """The batch where the model is."""

    @abstractmethod
    def loss(self, batch: BatchT) -> Tensor:
        """Mean loss over the batch's targets, a scalar to call backward() on, once."""

    @abstractmethod
    def row_losses(self, batch: BatchT) -> Tensor:
        """Summed loss of each item of the batch, (B,), float64; called without gradients, dropout off."""

    @abstractmethod
    def save(self, folder: Path) -> None:
        """Keep the model as it is answered with. Raises OSError when the disk refuses."""

    def row_scores(self, batch: BatchT) -> Tensor:
        """What the verdict compares, summed for each item, (B,), float64: the losses unless ``measure`` is another."""
        return self.row_losses(batch)

    def baseline(self, items: Sequence[ItemT]) -> list[float] | None:
        """Scores of the simplest guess for these items, where that and not an untrained model is the base."""
        return None

    def metrics(self, items: Sequence[ItemT], check: Check) -> dict[str, float]:
        """Named figures of the model on these items, by domain.measures names; {} when the loss says it all."""
        return {}

    def begin(self, items: Sequence[ItemT]) -> None:
        """Measure what must be known of all items before the first update; called before a checkpoint is put back."""

    def ahead(self, items: Sequence[ItemT]) -> None:
        """Do now what is done only once for each item (decoding, the features of a frozen model)."""

    def probes(self, asked: Sequence[str]) -> Sequence[str]:
        """The prompts that ``probe`` is asked with, where the plan asks for these."""
        return asked

    def probe(self, prompt: str) -> Probe | None:
        """The model's answer to a probe prompt; None when it answers none."""
        return None

    @property
    def number_format(self) -> str:
        """What is added to the name of the number format where a frozen part is held in another, "" for nothing."""
        return ""

    def as_answered(self) -> AbstractContextManager[None]:
        """Within it the model is as it will answer, where training makes it faster than exact."""
        return nullcontext()

    def examples(self, items: Sequence[ItemT], count: int) -> list[ItemT]:
        """Items to show before the run: the first ones."""
        return list(items[:count])

    def preview(self, items: Sequence[ItemT]) -> list[list[PreviewToken]]:
        """These items as the model will see them."""
        return []


@dataclass(frozen=True)
class Loaded(Generic[ItemT, BatchT]):
    """A task with all its items, by split."""

    task: LearningTask[ItemT, BatchT]
    train: list[ItemT]
    validation: list[ItemT]
    test: list[ItemT]
