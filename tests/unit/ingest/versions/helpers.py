"""Dataset folders made without an import, and ways to derive from them and to look at what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from studio.domain.datasets import DatasetVersion, ImportSpec, SplitShares
from studio.domain.recipes import AnyStep
from studio.domain.shapes import SHAPES, Shape
from studio.ingest.dataset.canonical import ROWS_FILE, write_rows
from studio.ingest.dataset.labels import count_labels
from studio.ingest.dataset.manifest import write_manifest
from studio.ingest.dataset.splits import key_expr, split_expr
from studio.ingest.versions.derive import Deriver

Row = Sequence[str | None]


def make_dataset(
    folder: Path,
    shape: Shape,
    rows: Iterable[Row],
    *,
    splits: Sequence[str] | None = None,
    numbers: Sequence[int] | None = None,
    origins: Sequence[str | None] | None = None,
    **fields: Any,
) -> DatasetVersion:
    """A published folder with these content cells; splits by hash unless given."""
    content = SHAPES[shape].stored
    frame = pl.DataFrame(list(rows), schema=dict.fromkeys(content, pl.String), orient="row")
    frame = frame.with_columns(key_expr(frame, content)).with_columns(split_expr(SplitShares()))
    if splits is not None:
        frame = frame.with_columns(pl.Series("split", splits, dtype=pl.String))
    frame = frame.with_columns(pl.Series("row", numbers or range(1, frame.height + 1), dtype=pl.Int64))
    names = content
    if origins is not None:
        frame = frame.with_columns(pl.Series("origin", origins, dtype=pl.String))
        names = ("origin", *content)
    folder.mkdir(parents=True)
    written = write_rows([frame.select("row", "key", "split", *names)], names, folder)
    version = DatasetVersion(
        id=folder.name,
        name=fields.pop("name", "data"),
        shape=shape,
        source_path="/a.csv",
        source_bytes=1,
        source_sha256="0",
        rows=frame.height,
        rejected=0,
        splits=written.splits,
        labels=count_labels(pl.scan_parquet(folder / ROWS_FILE), shape),
        content_sha256=written.sha256,
        spec=ImportSpec(source="/a.csv"),
        seconds=0,
        **fields,
    )
    write_manifest(folder, version)
    return version


def derive(parent: Path, *steps: AnyStep, to: str = "v2", **fields: Any) -> DatasetVersion:
    """Derive in this process, quietly, beside the parent."""
    deriver = Deriver(parent, parent.parent / to, lambda _event: None, lambda: None)
    return deriver.run(to, list(steps), **fields)


def table(folder: Path) -> pl.DataFrame:
    return pl.read_parquet(folder / ROWS_FILE, glob=False)


def column(folder: Path, name: str) -> dict[int, str | None]:
    """Row number -> cell."""
    return dict(table(folder).select("row", name).iter_rows())
