"""Short ways to import and to look at what came of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl

from studio.domain.datasets import DatasetVersion, ImportSpec
from studio.ingest.importer import Importer


def run_import(source: Path, out_dir: Path, **fields: Any) -> DatasetVersion:
    """Import in this process, quietly."""
    spec = ImportSpec(source=str(source), **fields)
    return Importer(spec, out_dir, lambda _event: None, lambda: None).run("test")


def pairs(out_dir: Path) -> list[tuple[str, str]]:
    frame = pl.read_parquet(out_dir / "rows.parquet").sort("row")
    return list(frame.select("prompt", "response").iter_rows())
