"""A new version from an older one: its rows go through the steps, into a folder that appears whole or not at all.

Rows flow through in frames of some thousand, so that any number of them fits in memory. Steps that look at one row
at a time share a pass; before any other step the rows so far are written aside, where the step can read them all.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

import polars as pl

from studio.domain.datasets import DatasetVersion, SplitShares
from studio.domain.recipes import AnyStep, RestoreStep, SplitStep, StepOutcome
from studio.domain.shapes import SHAPES
from studio.domain.values import now
from studio.ingest.dataset.canonical import INDEX_FILE, ROWS_FILE, WrittenRows, write_rows
from studio.ingest.dataset.file_store import ASIDE, FileStore
from studio.ingest.dataset.images import IMAGES_FOLDER
from studio.ingest.dataset.labels import count_labels
from studio.ingest.dataset.manifest import REJECTED_FILE, read_manifest, write_manifest
from studio.ingest.dataset.publish import published
from studio.ingest.dataset.statistics import StableSample, count_tokens, language_shares, sample_texts
from studio.ingest.prefetch import attended
from studio.ingest.versions import refusals
from studio.ingest.versions.context import StepContext, StepRunner
from studio.ingest.versions.numbers import RowNumbers
from studio.ingest.versions.restore import older_folder
from studio.ingest.versions.rowstream import Counted, column_names, frames_of, keyed
from studio.ingest.versions.runners import is_local, makes_rows, runner_for
from studio.protocol.events import Event, Phase, Progress

_PROGRESS_EVERY_S: Final = 0.25


class Deriver:
    """Derives one version from ``parent_dir`` into ``out_dir``.

    emit: told of phases and progress. check: called often; raises to cancel. family_dirs: folders of the family's
    versions (None: found beside ``parent_dir``).
    """

    def __init__(
        self,
        parent_dir: Path,
        out_dir: Path,
        emit: Callable[[Event], None],
        check: Callable[[], None],
        family_dirs: Sequence[Path] | None = None,
    ) -> None:
        self._parent_dir = parent_dir
        self._out_dir = out_dir
        self._emit = emit
        self._check = check
        self._parent = read_manifest(parent_dir)
        self._numbers = RowNumbers(parent_dir, family_dirs, check)
        self._weights = dict(self._parent.class_weights)
        self._shares = self._parent.spec.shares
        self._outcomes: list[StepOutcome] = []
        self._sample = StableSample()
        self._began = time.monotonic()
        self._told = 0.0
        self._images = FileStore(parent_dir.parent / IMAGES_FOLDER)

    def run(
        self, dataset_id: str, steps: Sequence[AnyStep], note: str = "", number: int | None = None
    ) -> DatasetVersion:
        """The published version.

        Raises StudioError (step.…, import.broken) and whatever ``check`` raises; then nothing is published.
        """
        try:
            with published(self._out_dir, lambda: self._images.land()) as folder:
                self._images = FileStore(self._images.folder, folder / ASIDE)
                if len(steps) == 1 and isinstance(steps[0], RestoreStep):
                    version = self._restored(steps[0], folder)
                else:
                    version = self._made(steps, folder)
                changes = {"id": dataset_id, "note": note, "number": number or self._parent.number + 1}
                version = version.model_copy(update=changes)
                write_manifest(folder, version)
                attended(self._images.settle, self._check)
                self._check()
        except OSError as error:
            raise refusals.write_failed(error) from error
        return version

    def _made(self, steps: Sequence[AnyStep], folder: Path) -> DatasetVersion:
        source = self._parent_dir
        with tempfile.TemporaryDirectory(prefix=".tmp-", dir=self._out_dir.parent) as between:
            passes = in_passes(steps) or [[]]
            for index, together in enumerate(passes):
                last = index == len(passes) - 1
                target = folder if last else Path(between) / str(index)
                target.mkdir(exist_ok=True)
                written = self._pass(source, together, target, last=last)
                if source is not self._parent_dir:
                    shutil.rmtree(source)
                source = target
        return self._version(folder, written)

    def _pass(self, source: Path, steps: Sequence[AnyStep], target: Path, *, last: bool) -> WrittenRows:
        self._emit(Phase(name="writing"))
        if (source / REJECTED_FILE).exists():
            shutil.copyfile(source / REJECTED_FILE, target / REJECTED_FILE)
        names = column_names(source)
        runners = [runner_for(step, self._context(step, source, target)) for step in steps]
        counts = [Counted(frames_of(source, self._parent.shape, self._check))]
        for runner in runners:
            counts.append(Counted(keyed(runner.run(iter(counts[-1])), self._parent.shape, self._check)))
        content = SHAPES[self._parent.shape].stored
        has_origin = "origin" in names or any(makes_rows(step) for step in steps)
        columns = ("origin", *content) if has_origin else content
        frames = self._watched(counts[-1], columns, last=last)
        written = write_rows(frames, columns, target)
        if not counts[-1].rows:
            raise refusals.nothing_left()
        for runner, before, after in zip(runners, counts, counts[1:], strict=False):
            self._outcomes.append(counted(runner, before.rows, after.rows))
        return written

    def _context(self, step: AnyStep, source: Path, target: Path) -> StepContext:
        if isinstance(step, SplitStep):
            self._shares = SplitShares(validation=step.validation, test=step.test)
        return StepContext(
            dataset_dir=source,
            shape=self._parent.shape,
            next_row=self._numbers,
            check=self._check,
            emit=self._emit,
            rejected_path=target / REJECTED_FILE,
            images=self._images,
            shares=self._shares,
            class_weights=self._weights,
        )

    def _watched(self, frames: Counted, columns: tuple[str, ...], *, last: bool) -> Iterator[pl.DataFrame]:
        for frame in frames:
            if last:
                self._sample.add(frame)
            self._tell(frames.rows)
            yield frame.select("row", "key", "split", *columns)

    def _version(self, folder: Path, written: WrittenRows) -> DatasetVersion:
        self._emit(Phase(name="measuring"))
        parent = self._parent
        texts = sample_texts(self._sample.rows(), parent.shape)
        tokenizer = parent.spec.tokenizer_dir
        tokens = count_tokens(texts, self._sample.seen, Path(tokenizer)) if tokenizer else None
        labels = count_labels(pl.scan_parquet(folder / ROWS_FILE, glob=False), parent.shape, self._check)
        rejected = self._rejected(folder)
        return self._child(
            rows=self._sample.seen,
            rejected=rejected,
            splits=written.splits,
            languages=language_shares(texts),
            tokens=tokens,
            labels=labels,
            class_weights=self._weights,
            content_sha256=written.sha256,
            made_by=self._outcomes,
            spec=parent.spec.model_copy(update={"shares": self._shares}),
        )

    def _child(self, **changes: object) -> DatasetVersion:
        own = {
            "parent_id": self._parent.id,
            "seconds": round(time.monotonic() - self._began, 3),
            "created_at": now(),
            "deleted": False,
        }
        return self._parent.model_copy(update={**own, **changes})

    def _rejected(self, folder: Path) -> int:
        if not (folder / REJECTED_FILE).exists():
            return 0
        with (folder / REJECTED_FILE).open("rb") as lines:
            return sum(1 for line in lines if line.strip())

    def _restored(self, step: RestoreStep, folder: Path) -> DatasetVersion:
        """The same files once more; the disk holds them once where it can."""
        source = older_folder(step, self._parent_dir.parent)
        older = read_manifest(source)
        for name in (ROWS_FILE, INDEX_FILE, REJECTED_FILE):
            if (source / name).exists():
                link_or_copy(source / name, folder / name)
        outcome = StepOutcome(step=step, rows_before=self._parent.rows, rows_after=older.rows)
        kept = ("rows", "rejected", "splits", "languages", "tokens", "labels", "class_weights", "spec")
        same = {name: getattr(older, name) for name in kept}
        return self._child(**same, content_sha256=older.content_sha256, made_by=[outcome])

    def _tell(self, done: int) -> None:
        at = time.monotonic()
        if at - self._told < _PROGRESS_EVERY_S:
            return
        self._told = at
        spent = at - self._began
        self._emit(
            Progress(phase="writing", done=done, total=self._parent.rows, rate=done / max(spent, 1e-3))
        )


def in_passes(steps: Sequence[AnyStep]) -> list[list[AnyStep]]:
    """The steps in order; those that look at one row at a time go along with the step before."""
    passes: list[list[AnyStep]] = []
    for step in steps:
        if passes and is_local(step):
            passes[-1].append(step)
        else:
            passes.append([step])
    return passes


def counted(runner: StepRunner, before: int, after: int) -> StepOutcome:
    """The runner's outcome with the rows that really passed."""
    outcome = runner.outcome
    if isinstance(outcome.step, RestoreStep):
        return outcome
    return outcome.model_copy(update={"rows_before": before, "rows_after": after})


def link_or_copy(source: Path, target: Path) -> None:
    """A published file never changes, so two folders may share it; where links cannot be made it is copied."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)
