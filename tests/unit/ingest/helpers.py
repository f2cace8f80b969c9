"""Short ways to import and to look at what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from studio.domain.datasets import DatasetVersion, ImportSpec, RejectedRow
from studio.ingest.dataset.manifest import REJECTED_FILE
from studio.ingest.importer import Importer


def run_import(source: Path, out_dir: Path, **fields: Any) -> DatasetVersion:
    """Import in this process, quietly."""
    spec = ImportSpec(source=str(source), **fields)
    return Importer(spec, out_dir, lambda _event: None, lambda: None).run("test")


def pairs(out_dir: Path) -> list[tuple[str, str]]:
    frame = pl.read_parquet(out_dir / "rows.parquet").sort("row")
    return list(frame.select("prompt", "response").iter_rows())


def rejected(out_dir: Path, offset: int, limit: int) -> list[RejectedRow]:
    """Rows that were put aside, in the order of the file."""
    lines = (out_dir / REJECTED_FILE).read_text(encoding="utf-8").splitlines()
    return [RejectedRow.model_validate_json(line) for line in lines[offset : offset + limit]]
