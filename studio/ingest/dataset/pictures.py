"""The pictures that rows name, moved into the workspace's store; rows whose picture is of no use are put aside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl

from studio.ingest.dataset.images import ImageFault, store_image
from studio.ingest.readers.batches import ROW, Batch, in_pieces, rejection

_AT_ONCE: Final = 50


class Pictures:
    """root: the folder that the paths in the rows are relative to, and must not lead out of."""

    def __init__(self, root: Path, images_dir: Path) -> None:
        self._root = root.resolve()
        self._images_dir = images_dir

    def stored(self, batch: Batch) -> Iterator[Batch]:
        """The batch in small portions, each path in ``image`` replaced by the name in the store."""
        for piece in in_pieces(batch, _AT_ONCE):
            yield self._portion(piece)

    def _portion(self, piece: Batch) -> Batch:
        frame = piece.frame
        found = [
            (row, written, *self._store(written)) for row, written in frame.select(ROW, "image").iter_rows()
        ]
        names = pl.Series("image", [name for _row, _written, name, _code in found], dtype=pl.String)
        rejected = [rejection(row, code, written) for row, written, _name, code in found if code]
        rejected = sorted(piece.rejected + rejected, key=lambda item: item.row)
        return Batch(frame.with_columns(names).filter(names.is_not_null()), rejected)

    def _store(self, written: str) -> tuple[str | None, str]:
        """(name in the store, "") or (None, the code of what is wrong)."""
        try:
            path = (self._root / written.replace("\\", "/")).resolve()
            inside = path.is_relative_to(self._root)
        except (OSError, ValueError, RuntimeError):  # no path at all, or a loop of links
            return None, "image_missing"
        if not inside:
            return None, "image_outside"
        try:
            return store_image(path, self._images_dir), ""
        except ImageFault as fault:
            return None, fault.code
