"""Rows of one split as the engine takes them: conversations, or plain text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl

from studio.domain.datasets import Split
from studio.ingest import errors
from studio.ingest.dataset.canonical import ROWS_FILE

_STEP_ROWS: Final = 10_000


def read_split(
    dataset_dir: Path, split: Split | str, *, limit: int | None = None
) -> Iterator[dict[str, Any]]:
    """Yield {"row": int, "messages": [{role, content}, …]} or {"row": int, "text": str} in source order.

    Question and answer become messages, with the system message before them if there is one.
    Raises StudioError import.broken when the dataset is damaged.
    """
    try:
        scan = pl.scan_parquet(dataset_dir / ROWS_FILE, glob=False)
        names = scan.collect_schema().names()
        chosen = scan.filter(pl.col("split") == Split(split).value).select(
            "row", *(name for name in names if name not in ("row", "key", "split"))
        )
        if limit is not None:
            chosen = chosen.head(limit)
        for frame in chosen.collect_batches(chunk_size=_STEP_ROWS, maintain_order=True):
            for row in frame.iter_rows(named=True):
                yield _training_row(row)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise errors.broken(str(dataset_dir), ROWS_FILE) from error


def _training_row(row: dict[str, Any]) -> dict[str, Any]:
    if "text" in row:
        return {"row": row["row"], "text": row["text"]}
    if "messages" in row:
        return {"row": row["row"], "messages": json.loads(row["messages"])}
    system = [{"role": "system", "content": row["system"]}] if row["system"] else []
    turns = [{"role": "user", "content": row["prompt"]}, {"role": "assistant", "content": row["response"]}]
    return {"row": row["row"], "messages": system + turns}
