"""One import from beginning to end: read, shape, split, count, hash, publish."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, TextIO

import polars as pl

from studio.domain.datasets import DatasetVersion, ImportSpec, RejectedRow
from studio.domain.shapes import SHAPES, ColumnRole
from studio.i18n import _
from studio.ingest import errors
from studio.ingest.dataset.canonical import ROWS_FILE, WrittenRows, write_rows
from studio.ingest.dataset.file_store import ASIDE, FileStore
from studio.ingest.dataset.labels import count_labels
from studio.ingest.dataset.manifest import REJECTED_FILE, write_manifest
from studio.ingest.dataset.pictures import FILE_KINDS
from studio.ingest.dataset.publish import published
from studio.ingest.dataset.splits import asked_splits, key_expr, missing_splits, split_expr, with_moved
from studio.ingest.dataset.statistics import StableSample, count_tokens, language_shares, sample_texts
from studio.ingest.members import members_of
from studio.ingest.multi_source import Sources, examine
from studio.ingest.opening import other_sheets_words
from studio.ingest.prefetch import Prefetch, attended, mapped
from studio.ingest.readers.batches import Batch, reason
from studio.ingest.reading import Reading
from studio.protocol.events import Event, Phase, Progress
from studio.words import sentences
from studio.words_data import roles_words

_SCRATCH: Final = "unpacked"
_PROGRESS_EVERY_S: Final = 0.25


class Importer:
    """Imports the sources of a spec into ``out_dir``; pictures and recordings into the folders beside it.

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
        self._began = time.monotonic()
        self._told = 0.0
        self._files: FileStore | None = None  # for rows that name pictures or recordings

    def run(self, dataset_id: str) -> DatasetVersion:
        """The published dataset. Raises StudioError (import.…) and whatever ``check`` raises."""
        self._emit(Phase(name="scanning"))
        try:
            with published(self._out_dir, self._land) as folder:
                version = self._import(dataset_id, folder)
        except OSError as error:
            raise errors.write_failed(error) from error
        return version

    def _import(self, dataset_id: str, folder: Path) -> DatasetVersion:
        with members_of(self._spec, folder / _SCRATCH, self._check) as members:
            sources = attended(lambda: examine(self._spec, members), self._check)
            self._emit(Phase(name="reading_rows"))
            if kind := FILE_KINDS.get(sources.shape):
                self._files = FileStore(self._out_dir.parent / kind.folder, folder / ASIDE)
            reading = Reading(self._spec, sources, self._files)
            written = self._write(sources, reading, folder)
        if self._files:
            attended(self._files.settle, self._check)
        version = self._version(dataset_id, sources, reading, folder, written)
        write_manifest(folder, version)
        self._check()
        return version

    def _land(self) -> None:
        if self._files:
            self._files.land()

    def _write(self, sources: Sources, reading: Reading, folder: Path) -> WrittenRows:
        with (folder / REJECTED_FILE).open("w", encoding="utf-8") as rejects:
            frames = self._canonical(sources, reading, rejects)
            written = write_rows(frames, SHAPES[sources.shape].stored, folder)
        if not self._sample.seen:
            raise errors.no_rows(self._spec.source, self._main_reason(), self._way_out(sources))
        return self._filled(folder, written)

    def _canonical(self, sources: Sources, reading: Reading, rejects: TextIO) -> Iterator[pl.DataFrame]:
        content = SHAPES[sources.shape].stored
        split = split_expr(self._spec.shares)

        def keyed(shaped: Batch) -> pl.DataFrame:
            key = key_expr(shaped.frame, content, plain=shaped.plain)
            return shaped.frame.with_columns(key).with_columns(split)

        batches = Prefetch(reading.batches(), check=self._check)
        try:
            for shaped, frame in mapped(keyed, batches):
                self._check()
                self._put_aside(shaped.rejected, rejects)
                self._sample.add(frame)
                self._tell(reading)
                yield frame.select("row", "key", "split", *content)
        finally:
            batches.close()

    def _put_aside(self, rejected: list[RejectedRow], rejects: TextIO) -> None:
        rejects.writelines(row.model_dump_json() + "\n" for row in rejected)
        self._rejected.update(row.code for row in rejected)

    def _version(
        self, dataset_id: str, sources: Sources, reading: Reading, folder: Path, written: WrittenRows
    ) -> DatasetVersion:
        self._emit(Phase(name="measuring"))
        texts = sample_texts(self._sample.rows(), sources.shape)
        tokenizer = self._spec.tokenizer_dir
        tokens = count_tokens(texts, self._sample.seen, Path(tokenizer)) if tokenizer else None
        labels = count_labels(pl.scan_parquet(folder / ROWS_FILE, glob=False), sources.shape, self._check)
        first = reading.records[0]
        return DatasetVersion(
            id=dataset_id,
            name=self._spec.name or Path(self._spec.source).stem,
            shape=sources.shape,
            source_path=first.path,
            source_bytes=sum(record.size_bytes for record in reading.records),
            source_sha256=first.sha256,
            rows=self._sample.seen,
            rejected=self._rejected.total(),
            splits=written.splits,
            languages=language_shares(texts),
            tokens=tokens,
            content_sha256=written.sha256,
            spec=self._as_done(sources),
            sources=reading.records,
            labels=labels,
            seconds=round(time.monotonic() - self._began, 3),
        )

    def _as_done(self, sources: Sources) -> ImportSpec:
        """The spec with what was detected: repeated on the next file, it asks for the same."""
        used = {name: role for name, role in sources.roles.items() if role is not ColumnRole.IGNORE}
        return self._spec.model_copy(update={"shape": sources.shape, "roles": used})

    def _filled(self, folder: Path, written: WrittenRows) -> WrittenRows:
        """A small set that left a split empty is written again by the rule in splits.py."""
        shares = self._spec.shares
        if all(written.splits[split] for split in asked_splits(shares)):
            return written
        moved = missing_splits(
            pl.read_parquet(folder / ROWS_FILE, columns=["key", "split"], glob=False), shares
        )
        if not moved:
            return written
        rows = pl.read_parquet(folder / ROWS_FILE, glob=False)
        return write_rows([with_moved(rows, moved)], tuple(rows.columns[3:]), folder)

    def _tell(self, reading: Reading) -> None:
        now = time.monotonic()
        if now - self._told < _PROGRESS_EVERY_S:
            return
        self._told = now
        done, whole, spent = reading.done_bytes, reading.total_bytes, now - self._began
        rate = done / spent if spent else None
        eta = (whole - done) / rate if rate and done else None
        total = whole if done else None
        self._emit(Progress(phase="reading_rows", done=done, total=total, unit="bytes", rate=rate, eta_s=eta))

    def _main_reason(self) -> str:
        if not self._rejected:
            return ""
        code, _times = self._rejected.most_common(1)[0]
        return _("{count} rows were put aside, most often for this: {reason}").format(
            count=self._rejected.total(), reason=reason(code)
        )

    def _way_out(self, sources: Sources) -> str:
        """What to do when no row could be used: the columns are looked at again, or another sheet is taken."""
        used = roles_words(sources.roles) if self._rejected else ""
        columns = _("Check what the columns are for: {columns}.").format(columns=used) if used else ""
        sheets = other_sheets_words(sources.first.format, sources.first.reader)
        return sentences(columns, sheets)
