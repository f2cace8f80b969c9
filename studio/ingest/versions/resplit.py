"""The same rows with other shares of validation and test, as a new dataset version."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import polars as pl

from studio.domain.datasets import DatasetVersion, Split, SplitShares
from studio.domain.values import now
from studio.ingest import errors
from studio.ingest.dataset.canonical import ROWS_FILE, write_index, write_rows
from studio.ingest.dataset.manifest import MANIFEST_FILE, REJECTED_FILE, read_manifest
from studio.ingest.dataset.publish import file_sha256, published
from studio.ingest.dataset.splits import missing_splits, split_expr, with_moved


def resplit(dataset_dir: Path, out_dir: Path, dataset_id: str, shares: SplitShares) -> DatasetVersion:
    """Publish ``out_dir`` with the rows of ``dataset_dir`` split anew; the old version stays as it is.

    Raises StudioError import.broken, import.disk_full, import.unwritable.
    """
    began = time.monotonic()
    old = read_manifest(dataset_dir)
    try:
        with published(out_dir) as folder:
            splits = _write(dataset_dir, folder, shares)
            changes = {
                "id": dataset_id,
                "splits": splits,
                "spec": old.spec.model_copy(update={"shares": shares}),
                "content_sha256": file_sha256(folder / ROWS_FILE),
                "seconds": round(time.monotonic() - began, 3),
                "created_at": now(),
            }
            version = old.model_copy(update=changes)
            (folder / MANIFEST_FILE).write_text(version.model_dump_json(indent=1), encoding="utf-8")
    except OSError as error:
        raise errors.write_failed(error) from error
    return version


def _write(dataset_dir: Path, folder: Path, shares: SplitShares) -> dict[Split, int]:
    scan = pl.scan_parquet(dataset_dir / ROWS_FILE, glob=False)
    content = tuple(name for name in scan.collect_schema().names() if name not in ("row", "key", "split"))
    anew = split_expr(shares)
    keys = scan.select("key").with_columns(anew).collect()
    moved = missing_splits(keys, shares)
    frames = (
        with_moved(frame.with_columns(anew), moved) for frame in scan.collect_batches(maintain_order=True)
    )
    write_rows(frames, content, folder / ROWS_FILE)
    if (dataset_dir / REJECTED_FILE).exists():
        shutil.copyfile(dataset_dir / REJECTED_FILE, folder / REJECTED_FILE)
    return write_index(folder)
