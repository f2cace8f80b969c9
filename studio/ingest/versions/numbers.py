"""Row numbers for new rows: above every number that any version of the family has used, put-aside rows included."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import polars as pl

from studio.domain.datasets import DatasetVersion
from studio.errors import StudioError
from studio.ingest.dataset.canonical import INDEX_FILE, ROWS_FILE
from studio.ingest.dataset.manifest import MANIFEST_FILE, REJECTED_FILE, read_manifest


class RowNumbers:
    """Gives ranges of unused numbers; the family is looked through when the first is asked for.

    folders: of the family's versions; None: the folders beside ``parent_dir`` of the same family.
    """

    def __init__(
        self, parent_dir: Path, folders: Sequence[Path] | None, check: Callable[[], None] = lambda: None
    ) -> None:
        self._parent_dir = parent_dir
        self._folders = folders
        self._check = check
        self._next: int | None = None

    def __call__(self, count: int) -> range:
        """``count`` numbers that no row has had."""
        if self._next is None:
            self._next = 1 + max(self._last(folder) for folder in self._family())
        first, self._next = self._next, self._next + count
        return range(first, first + count)

    def _family(self) -> set[Path]:
        if self._folders is not None:
            return {self._parent_dir, *(folder for folder in self._folders if folder.exists())}
        family = read_manifest(self._parent_dir).family_id
        return {self._parent_dir, *_siblings(self._parent_dir, family)}

    def _last(self, folder: Path) -> int:
        self._check()
        version = read_manifest(folder)
        by_source = (source.first_row + source.rows + source.rejected for source in version.sources)
        return max(_last_row(folder), *_put_aside(folder, version), *by_source, 0)


def _siblings(parent_dir: Path, family_id: str) -> Iterator[Path]:
    for manifest in parent_dir.parent.glob(f"*/{MANIFEST_FILE}"):
        try:
            if read_manifest(manifest.parent).family_id == family_id:
                yield manifest.parent
        except StudioError:
            continue  # a damaged neighbour is not for us to report


def _last_row(folder: Path) -> int:
    try:
        return int(json.loads((folder / INDEX_FILE).read_text())["last_row"])
    except (OSError, ValueError, KeyError):  # an index from before it was noted
        rows = pl.scan_parquet(folder / ROWS_FILE, glob=False).select(pl.col("row").max())
        return int(rows.collect().item() or 0)


def _put_aside(folder: Path, version: DatasetVersion) -> list[int]:
    """An upper bound for the numbers of rejected rows, which count anew in each member."""
    if not version.rejected or not (folder / REJECTED_FILE).exists():
        return [0]
    offset = max((source.first_row - 1 for source in version.sources), default=0)
    with (folder / REJECTED_FILE).open(encoding="utf-8") as lines:
        return [offset + max((int(json.loads(line)["row"]) for line in lines if line.strip()), default=0)]
