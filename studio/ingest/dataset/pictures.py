"""Pictures and recordings that rows name, moved into the workspace's stores; rows whose file is of no use are put
aside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import polars as pl

from studio.domain.shapes import Shape
from studio.ingest.dataset.file_store import FileFault, FileStore
from studio.ingest.dataset.images import store_image
from studio.ingest.dataset.recordings import store_recording
from studio.ingest.readers.batches import ROW, Batch, in_pieces, rejection

_AT_ONCE: Final = 50


@dataclass(frozen=True)
class FileKind:
    """column: that names the files, and begins the codes of what is wrong with one; folder: of their store, beside
    the datasets; take: puts a file into the store."""

    column: str
    folder: str
    take: Callable[[Path, FileStore], str]


FILE_KINDS: Final = {
    Shape.IMAGE_LABEL: FileKind("image", "images", store_image),
    Shape.AUDIO_LABEL: FileKind("audio", "audio", store_recording),
}


class StoredFiles:
    """root: the folder that the paths in the rows are relative to, and must not lead out of."""

    def __init__(self, kind: FileKind, root: Path, store: FileStore) -> None:
        self._kind, self._root, self._files = kind, root.resolve(), store

    def stored(self, batch: Batch) -> Iterator[Batch]:
        """The batch in small portions, each path in the column replaced by the name in the store."""
        for piece in in_pieces(batch, _AT_ONCE):
            yield self._portion(piece)

    def _portion(self, piece: Batch) -> Batch:
        frame, column = piece.frame, self._kind.column
        found = [
            (row, written, *self._store(written)) for row, written in frame.select(ROW, column).iter_rows()
        ]
        names = pl.Series(column, [name for _row, _written, name, _code in found], dtype=pl.String)
        rejected = [rejection(row, code, written) for row, written, _name, code in found if code]
        rejected = sorted(piece.rejected + rejected, key=lambda item: item.row)
        return Batch(frame.with_columns(names).filter(names.is_not_null()), rejected)

    def _store(self, written: str) -> tuple[str | None, str]:
        """(name in the store, "") or (None, the code of what is wrong)."""
        try:
            path = (self._root / written.replace("\\", "/")).resolve()
            inside = path.is_relative_to(self._root)
        except (OSError, ValueError, RuntimeError):  # no path at all, or a loop of links
            return None, f"{self._kind.column}_missing"
        if not inside:
            return None, f"{self._kind.column}_outside"
        try:
            return self._kind.take(path, self._files), ""
        except FileFault as fault:
            return None, fault.code
