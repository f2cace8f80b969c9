"""What a step of a new dataset version is given, and what it gives back: the agreement between all steps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import polars as pl

from studio.domain.datasets import SplitShares
from studio.domain.recipes import StepOutcome
from studio.domain.shapes import Shape
from studio.ingest.dataset.file_store import FileStore
from studio.protocol.events import Event


@dataclass
class StepContext:
    """The surroundings of one step.

    dataset_dir: folder with the rows before this step, as the frames bring them (rows.parquet, index.json,
    rejected.jsonl); a step that must see all rows before its first answer reads them there.
    next_row: next_row(n) gives n row numbers that no version of the family has used.
    check: call it at least every 0.2 s; raises to cancel. emit: told of progress.
    rejected_path: the new version's rejected.jsonl, filled with the rows put aside so far; a step that brings some
    of them back writes it anew. images: the image store of all versions.
    shares: by which new rows are split (dataset/splits.py), so that the same content stays on the same side.
    class_weights: of the new version; a step may fill it.
    """

    dataset_dir: Path
    shape: Shape
    next_row: Callable[[int], range]
    check: Callable[[], None]
    emit: Callable[[Event], None]
    rejected_path: Path
    images: FileStore
    shares: SplitShares = field(default_factory=SplitShares)
    class_weights: dict[str, float] = field(default_factory=dict)


class StepRunner(Protocol):
    """One step at work. Create it with its step and its StepContext, run it once, then ask for the outcome.

    Frames have the columns row (Int64), key (UInt64), split, origin and the content columns of the shape (String).
    ``key`` need not be kept right: it is computed anew after the step. A changed row keeps its number and its split;
    a new row gets a number from next_row and an origin (shapes.ORIGINS). Frames may get empty, and have any size up
    to some ten thousand rows.
    """

    @property
    def outcome(self) -> StepOutcome:
        """What was done; right once the last frame was taken."""
        ...

    def run(self, frames: Iterator[pl.DataFrame]) -> Iterator[pl.DataFrame]:
        """The rows after the step. Raises StudioError when the step cannot be done on these rows."""
        ...
