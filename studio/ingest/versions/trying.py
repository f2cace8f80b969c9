"""What a step would do, without writing: counts, and a few places before and after.

Steps that look at one row at a time are tried on a part of a big dataset (pieces from all over it), and the counts are
scaled up; all others need to see every row, and do. Examples are found by comparing frames as they come out with those
that went in, of which only the last few are held.
"""

from __future__ import annotations

import shutil
import tempfile
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import polars as pl

from studio.domain.datasets import DatasetVersion, Split
from studio.domain.recipes import (
    AnyStep,
    AugmentStep,
    Example,
    FindingKind,
    FixStep,
    RestoreStep,
    SplitStep,
    StepPreview,
)
from studio.domain.shapes import SHAPES, Shape
from studio.i18n import _
from studio.ingest.dataset.file_store import FileStore
from studio.ingest.dataset.images import IMAGES_FOLDER
from studio.ingest.dataset.manifest import REJECTED_FILE, read_manifest
from studio.ingest.versions.augment import AugmentRunner
from studio.ingest.versions.compare import compare
from studio.ingest.versions.context import StepContext
from studio.ingest.versions.numbers import RowNumbers
from studio.ingest.versions.restore import older_folder
from studio.ingest.versions.rowstream import frames_of
from studio.ingest.versions.runners import is_local, runner_for
from studio.protocol.events import Event

MOST_EXAMPLES: Final = 20
SAMPLE_FROM_ROWS: Final = 200_000  # from here on a part is tried
SAMPLE_ROWS: Final = 50_000
_HELD_FRAMES: Final = 4


def try_step(
    dataset_dir: Path, step: AnyStep, emit: Callable[[Event], None], check: Callable[[], None]
) -> StepPreview:
    """Raises StudioError as the step itself would, and whatever ``check`` raises."""
    version = read_manifest(dataset_dir)
    if isinstance(step, RestoreStep):
        return _restoring(dataset_dir, step, check)
    part = version.rows > SAMPLE_FROM_ROWS and (is_local(step) or isinstance(step, AugmentStep))
    with tempfile.TemporaryDirectory(prefix="studio-try-") as nowhere:
        if (dataset_dir / REJECTED_FILE).exists() and _brings_back(step):
            shutil.copyfile(dataset_dir / REJECTED_FILE, Path(nowhere) / REJECTED_FILE)
        context = StepContext(
            dataset_dir=dataset_dir,
            shape=version.shape,
            next_row=RowNumbers(dataset_dir, [], check),
            check=check,
            emit=emit,
            rejected_path=Path(nowhere) / REJECTED_FILE,
            images=FileStore(dataset_dir.parent / IMAGES_FOLDER),
            shares=version.spec.shares,
        )
        runner = runner_for(step, context)
        if isinstance(step, AugmentStep) and version.shape is Shape.IMAGE_LABEL:
            return _pictures(version, step)
        frames = frames_of(dataset_dir, version.shape, check)
        watch = _Watch(_pieces(frames, version.rows) if part else frames, _shown(step, version.shape))
        for frame in runner.run(iter(watch)):
            watch.came_out(frame)
        watch.end()
    outcome, tried = runner.outcome, watch.rows
    # A changed copy says nothing by itself: what it was made from has to stand beside it.
    examples = runner.examples if isinstance(runner, AugmentRunner) else watch.examples
    scale = version.rows / tried if part and tried else 1.0
    return StepPreview(
        changed=round(outcome.changed * scale),
        added=round(outcome.added * scale),
        removed=round(outcome.removed * scale),
        examples=examples[:MOST_EXAMPLES],
        of=tried,
        compared=outcome.details.get("compared"),
        estimated=part,
    )


def _brings_back(step: AnyStep) -> bool:
    """Whether the step reads the rows put aside, and writes them anew."""
    return isinstance(step, FixStep) and step.finding is FindingKind.ROLE_ORDER


def _shown(step: AnyStep, shape: Shape) -> tuple[str, ...]:
    """Columns whose change is an example; a new split is one only where splitting is the purpose."""
    return ("split",) if isinstance(step, SplitStep) else SHAPES[shape].stored


def _pictures(version: DatasetVersion, step: AugmentStep) -> StepPreview:
    """Trying would put new pictures into the store; how many there would be is known without."""
    training = version.splits.get(Split.TRAIN, 0)
    return StepPreview(changed=0, added=training * step.copies, removed=0, of=version.rows)


def _restoring(dataset_dir: Path, step: RestoreStep, check: Callable[[], None]) -> StepPreview:
    diff = compare(dataset_dir, older_folder(step, dataset_dir.parent), 0, MOST_EXAMPLES, check)
    examples = []
    for change in diff.rows:
        before, after = change.before or {}, change.after or {}
        differing = [name for name in {**before, **after} if before.get(name) != after.get(name)]
        name = differing[0] if differing else "split"
        new = None if change.after is None else after.get(name, "")
        examples.append(Example(row=change.row, column=name, before=before.get(name, ""), after=new))
    changed = diff.changed + diff.moved
    return StepPreview(
        changed=changed,
        added=diff.added,
        removed=diff.removed,
        examples=examples,
        of=read_manifest(dataset_dir).rows,
    )


def _pieces(frames: Iterator[pl.DataFrame], rows: int) -> Iterator[pl.DataFrame]:
    """About SAMPLE_ROWS of the rows: every so many frames one."""
    every = max(1, round(rows / SAMPLE_ROWS))
    for number, frame in enumerate(frames):
        if number % every == 0:
            yield frame


class _Watch:
    """Frames on their way in, compared with what comes out until there are enough examples."""

    def __init__(self, frames: Iterator[pl.DataFrame], columns: tuple[str, ...]) -> None:
        self.rows = 0
        self.examples: list[Example] = []
        self._frames = frames
        self._columns = columns
        self._held: deque[pl.DataFrame] = deque()
        self._emitted: set[int] = set()

    def __iter__(self) -> Iterator[pl.DataFrame]:
        for frame in self._frames:
            self.rows += frame.height
            if not self._has_enough():
                self._held.append(frame)
            if len(self._held) > _HELD_FRAMES:
                self._gone(self._held.popleft())
            yield frame

    def came_out(self, frame: pl.DataFrame) -> None:
        if self._has_enough() or not self._held:
            return
        before = pl.concat(self._held)
        known = frame["row"].is_in(before["row"].implode())
        self._emitted.update(frame["row"].filter(known))
        pairs = frame.filter(known).join(before, on="row", suffix=" before", maintain_order="left")
        for name in self._columns:
            differing = pairs.filter(pl.col(name).ne_missing(pl.col(f"{name} before")))
            for row, old, new in (
                differing.select("row", f"{name} before", name).head(MOST_EXAMPLES).iter_rows()
            ):
                self.examples.append(Example(row=row, column=name, before=old or "", after=new or ""))
        added = frame.filter(~known, pl.col("origin").is_not_null())
        for row, text in added.select("row", self._columns[-1]).head(MOST_EXAMPLES).iter_rows():
            example = Example(
                row=row, column=self._columns[-1], before="", after=text or "", note=_("New row")
            )
            self.examples.append(example)

    def end(self) -> None:
        while self._held:
            self._gone(self._held.popleft())

    def _gone(self, frame: pl.DataFrame) -> None:
        """A frame of which all that stays has come out."""
        for row, text in frame.select("row", self._columns[-1]).iter_rows():
            if row in self._emitted:
                self._emitted.discard(row)
            elif not self._has_enough():
                self.examples.append(
                    Example(row=row, column=self._columns[-1], before=text or "", after=None)
                )

    def _has_enough(self) -> bool:
        return len(self.examples) >= MOST_EXAMPLES
