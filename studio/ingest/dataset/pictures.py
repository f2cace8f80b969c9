"""The pictures that rows name, moved into the workspace's store; rows whose picture is of no use are put aside."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import polars as pl

from studio.ingest.readers.batches import ROW, Batch, rejection

_AT_ONCE: Final = 50


class Pictures:
    """root: the folder that the paths in the rows are relative to, and must not lead out of."""

    def __init__(self, root: Path, images_dir: Path) -> None:
        self._root = root.resolve()
        self._images_dir = images_dir

    def stored(self, batch: Batch) -> Iterator[Batch]:
        """The batch in small portions, each path in ``image`` replaced by the name in the store."""
        if batch.rejected:
            yield Batch(batch.frame.clear(), batch.rejected)
        for frame in batch.frame.iter_slices(_AT_ONCE):
            names, rejected = [], []
            for row, written in frame.select(ROW, "image").iter_rows():
                name, code = self._store(written)
                names.append(name)
                if code:
                    rejected.append(rejection(row, code, written))
            stored = frame.with_columns(pl.Series("image", names, dtype=pl.String))
            yield Batch(stored.filter(pl.col("image").is_not_null()), rejected)

    def _store(self, written: str) -> tuple[str | None, str]:
        """(name in the store, "") or (None, the code of what is wrong)."""
        try:
            path = (self._root / written.replace("\\", "/")).resolve()
            inside = path.is_relative_to(self._root)
        except (OSError, ValueError, RuntimeError):  # no path at all, or a loop of links
            return None, "image_missing"
        if not inside:
            return None, "image_outside"
        if not path.is_file():
            return None, "image_missing"
        from studio.ingest.dataset.images import store_image

        return store_image(path, self._images_dir)
