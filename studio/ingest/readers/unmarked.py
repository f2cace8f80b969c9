"""Our own CSV exports read back: cells that were kept from being run as formulas get their first form again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from studio.ingest.export.formulas import MARK, is_marked, plain_name, restored
from studio.ingest.readers.batches import Batch, Reader


class UnmarkedReader:
    """``reader`` with the marks of export/formulas.py taken from its column names and cells."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._source = dict(zip(map(plain_name, reader.columns), reader.columns, strict=True))
        self.columns = list(self._source)

    def head(self, limit: int) -> list[list[str]]:
        marked = [is_marked(name) for name in self._reader.columns]
        return [
            [cell.removeprefix(MARK) if has else cell for cell, has in zip(row, marked, strict=True)]
            for row in self._reader.head(limit)
        ]

    def batches(self, wanted: Mapping[str, str]) -> Iterator[Batch]:
        sources = {cell: self._source[name] for cell, name in wanted.items()}
        changes = [restored(cell) for cell, source in sources.items() if is_marked(source)]
        for batch in self._reader.batches(sources):
            yield Batch(batch.frame.with_columns(changes), batch.rejected)


def unmarked(reader: Reader) -> Reader:
    """The reader as it is, or without the marks where some column has one."""
    names = [plain_name(name) for name in reader.columns]
    if names == reader.columns or len(set(names)) < len(names):
        return reader
    return UnmarkedReader(reader)
