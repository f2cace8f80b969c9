"""From the parts of an import to one stream of canonical rows, numbered through, with a record of each part."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from typing import Final

import polars as pl

from studio.domain.datasets import ImportSpec, RejectedRow, SourceRecord
from studio.ingest import errors
from studio.ingest.dataset.file_store import FileStore
from studio.ingest.dataset.pictures import FILE_KINDS, StoredFiles
from studio.ingest.multi_source import Part, Sources
from studio.ingest.opening import OpenedSource
from studio.ingest.readers.batches import ROW, Batch, in_pieces
from studio.ingest.shaping.shaper import Shaper
from studio.ingest.shaping.wanted import wanted_columns

_MOST_ROWS: Final = 131_072  # a block of very short lines would be many times its size as a table


class Reading:
    """Reads ``sources`` once. files: takes the pictures or recordings that rows name, if any.

    ``records`` grows with each part that was read to its end; ``done_bytes`` of ``total_bytes`` were read so far.
    """

    def __init__(self, spec: ImportSpec, sources: Sources, files: FileStore | None) -> None:
        self.records: list[SourceRecord] = []
        self._spec = spec
        self._sources = sources
        self._files = files
        self._finished_bytes = 0
        self._current = sources.first
        self.total_bytes = sum(_size(part) for part in sources.parts)

    @property
    def done_bytes(self) -> int:
        return self._finished_bytes + self._current.file.bytes_read

    def batches(self) -> Iterator[Batch]:
        """Canonical columns; rows numbered through all parts, rejections as in their own file."""
        offset = 0
        for number, part in enumerate(self._sources.parts):
            opened = self._sources.first if number == 0 else part.open(self._spec)
            self._current = opened
            numbering = _Numbering(offset, part.member.label)
            for batch in self._shaped(part, opened, numbering):
                yield numbering.applied(batch)
            self.records.append(_record(part, opened, numbering))
            self._finished_bytes += opened.file.size_bytes
            opened.file.bytes_read = 0
            offset += numbering.last

    def _shaped(self, part: Part, opened: OpenedSource, numbering: _Numbering) -> Iterator[Batch]:
        shape = self._sources.shape
        wanted = wanted_columns(shape, part.roles or self._sources.roles, opened.reader.columns)
        shaper = Shaper(shape, wanted)
        kind = FILE_KINDS.get(shape)
        files = StoredFiles(kind, part.member.root, self._files) if kind and self._files else None
        for batch in opened.reader.batches(wanted):
            numbering.note(batch)
            for piece in in_pieces(batch, _MOST_ROWS):
                shaped = shaper.batch(piece)
                yield from files.stored(shaped) if files else (shaped,)
        yield shaper.finish()


class _Numbering:
    """Counts the rows of one part and moves their numbers up by ``offset``; ``last`` is its highest own number."""

    def __init__(self, offset: int, label: str) -> None:
        self.offset = offset
        self.last = 0
        self.rows = 0
        self.rejected = 0
        self._label = label

    def note(self, batch: Batch) -> None:
        """batch: as it came from the reader."""
        highest = [int(batch.frame[ROW][-1])] if batch.frame.height else []
        self.last = max(self.last, *highest, *(item.row for item in batch.rejected), 0)

    def applied(self, batch: Batch) -> Batch:
        self.rows += batch.frame.height
        self.rejected += len(batch.rejected)
        frame = batch.frame.with_columns(pl.col(ROW) + self.offset) if self.offset else batch.frame
        return Batch(frame, [self._named(item) for item in batch.rejected], batch.plain)

    def _named(self, rejected: RejectedRow) -> RejectedRow:
        return rejected.model_copy(update={"member": self._label}) if self._label else rejected


def _record(part: Part, opened: OpenedSource, numbering: _Numbering) -> SourceRecord:
    modified = None
    with suppress(OSError, OverflowError, ValueError):
        modified = datetime.fromtimestamp(part.member.path.stat().st_mtime, UTC)
    return SourceRecord(
        path=str(part.member.source.resolve()),
        member=part.member.member,
        format=opened.format,
        encoding=opened.encoding,
        size_bytes=opened.file.size_bytes,
        sha256=opened.file.sha256,
        modified_at=modified,
        first_row=numbering.offset + 1,
        rows=numbering.rows,
        rejected=numbering.rejected,
        roles=part.roles or {},
    )


def _size(part: Part) -> int:
    try:
        if part.files:
            return sum((part.member.path / name).stat().st_size for name in part.files)
        return part.member.path.stat().st_size
    except OSError as error:
        raise errors.unreadable(str(part.member.path), error) from error
