"""One import from beginning to end: read, shape, split, count, hash, publish."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final, TextIO

import polars as pl

from studio.domain.datasets import DatasetVersion, ImportSpec, RejectedRow, Split
from studio.domain.shapes import SHAPES
from studio.i18n import _
from studio.ingest import errors
from studio.ingest.dataset.canonical import ROWS_FILE, write_index, write_rows
from studio.ingest.dataset.publish import file_sha256, published
from studio.ingest.dataset.splits import key_expr, missing_splits, split_expr, with_moved
from studio.ingest.dataset.statistics import StableSample, count_tokens, language_shares, sample_texts
from studio.ingest.opening import OpenedSource, open_source
from studio.ingest.prefetch import Prefetch
from studio.ingest.readers.batches import Batch, reason
from studio.ingest.shaping.shaper import Shaper
from studio.ingest.shaping.wanted import wanted_columns
from studio.protocol.events import Event, Phase, Progress

REJECTED_FILE: Final = "rejected.jsonl"
MANIFEST_FILE: Final = "manifest.json"
_PROGRESS_EVERY_S: Final = 0.25


class Importer:
    """Imports one source into ``out_dir``.

    emit: told of phases and progress. check: called often; raises to cancel.
    """

    def __init__(
        self, spec: ImportSpec, out_dir: Path, emit: Callable[[Event], None], check: Callable[[], None]
    ) -> None:
        self._spec = spec
        self._out_dir = out_dir
        self._emit = emit
        self._check = check
        self._sample = StableSample()
        self._rejected: Counter[str] = Counter()
        self._bytes = 0
        self._began = time.monotonic()
        self._told = 0.0

    def run(self, dataset_id: str) -> DatasetVersion:
        """The published dataset. Raises StudioError (import.…) and whatever ``check`` raises."""
        self._emit(Phase(name="scanning"))
        source = open_source(self._spec)
        try:
            with published(self._out_dir) as folder:
                self._write(source, folder)
                version = self._version(dataset_id, source, folder)
                (folder / MANIFEST_FILE).write_text(version.model_dump_json(indent=1), encoding="utf-8")
                self._check()
        except OSError as error:
            raise errors.write_failed(error) from error
        return version

    def _write(self, source: OpenedSource, folder: Path) -> None:
        self._emit(Phase(name="reading_rows"))
        self._bytes = source.file.path.stat().st_size
        with (folder / REJECTED_FILE).open("w", encoding="utf-8") as rejects:
            frames = self._canonical(source, rejects)
            write_rows(frames, SHAPES[source.shape].stored, folder / ROWS_FILE)
        if not self._sample.seen:
            raise errors.no_rows(str(source.file.path), self._main_reason())

    def _canonical(self, source: OpenedSource, rejects: TextIO) -> Iterator[pl.DataFrame]:
        content = SHAPES[source.shape].stored
        wanted = wanted_columns(source.shape, source.roles, source.reader.columns)
        split = split_expr(self._spec.shares)
        batches = Prefetch(_shaped(source.reader.batches(wanted), Shaper(source.shape, wanted)))
        try:
            for shaped in batches:
                self._check()
                self._put_aside(shaped.rejected, rejects)
                frame = shaped.frame.with_columns(key_expr(shaped.frame, content)).with_columns(split)
                self._sample.add(frame)
                self._tell(source)
                yield frame.select("row", "key", "split", *content)
        finally:
            batches.close()

    def _put_aside(self, rejected: list[RejectedRow], rejects: TextIO) -> None:
        rejects.writelines(row.model_dump_json() + "\n" for row in rejected)
        self._rejected.update(row.code for row in rejected)

    def _version(self, dataset_id: str, source: OpenedSource, folder: Path) -> DatasetVersion:
        self._emit(Phase(name="measuring"))
        splits = self._filled_splits(folder)
        texts = sample_texts(self._sample.rows(), source.shape)
        tokenizer = self._spec.tokenizer_dir
        tokens = count_tokens(texts, self._sample.seen, Path(tokenizer)) if tokenizer else None
        self._check()
        self._emit(Phase(name="hashing"))
        return DatasetVersion(
            id=dataset_id,
            name=self._spec.name or source.file.path.stem,
            shape=source.shape,
            source_path=str(source.file.path.resolve()),
            source_bytes=self._bytes,
            source_sha256=source.file.sha256,
            rows=self._sample.seen,
            rejected=self._rejected.total(),
            splits=splits,
            languages=language_shares(texts),
            tokens=tokens,
            content_sha256=file_sha256(folder / ROWS_FILE),
            spec=self._spec,
            seconds=round(time.monotonic() - self._began, 3),
        )

    def _filled_splits(self, folder: Path) -> dict[Split, int]:
        """The rows of each split; a small set that left one empty is written again by the rule in splits.py."""
        splits = write_index(folder)
        shares = self._spec.shares
        asked = {Split.VALIDATION: shares.validation, Split.TEST: shares.test, Split.TRAIN: 1.0}
        if all(splits[split] for split, share in asked.items() if share > 0):
            return splits
        rows = pl.read_parquet(folder / ROWS_FILE, glob=False)
        moved = missing_splits(rows.select("key", "split"), shares)
        if not moved:
            return splits
        write_rows([with_moved(rows, moved)], tuple(rows.columns[3:]), folder / ROWS_FILE)
        return write_index(folder)

    def _tell(self, source: OpenedSource) -> None:
        now = time.monotonic()
        if now - self._told < _PROGRESS_EVERY_S:
            return
        self._told = now
        done, spent = source.file.bytes_read, now - self._began
        rate = done / spent if spent else None
        eta = (self._bytes - done) / rate if rate and done else None
        total = self._bytes if done else None
        self._emit(Progress(phase="reading_rows", done=done, total=total, unit="bytes", rate=rate, eta_s=eta))

    def _main_reason(self) -> str:
        if not self._rejected:
            return ""
        code, _times = self._rejected.most_common(1)[0]
        return _("{count} rows were put aside, most often for this: {reason}").format(
            count=self._rejected.total(), reason=reason(code)
        )


def _shaped(batches: Iterator[Batch], shaper: Shaper) -> Iterator[Batch]:
    for batch in batches:
        yield shaper.batch(batch)
    yield shaper.finish()


def read_manifest(dataset_dir: Path) -> DatasetVersion:
    """What an earlier import says of itself. Raises StudioError import.broken when it cannot be read."""
    with suppress(OSError, json.JSONDecodeError, ValueError):
        return DatasetVersion.model_validate_json((dataset_dir / MANIFEST_FILE).read_bytes())
    raise errors.broken(str(dataset_dir), MANIFEST_FILE)
