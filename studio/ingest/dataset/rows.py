"""Rows of one split as the engine takes them: conversations, texts, and what each shape has beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import polars as pl

from studio.domain.datasets import Split
from studio.domain.shapes import content_columns
from studio.ingest import errors
from studio.ingest.dataset.canonical import ROWS_FILE

_STEP_ROWS: Final = 10_000
_ANSWERS: Final = ("chosen", "rejected", "thumb")
# A row that still waits for one of these is not learned from.
_NOT_YET: Final = frozenset({"prompt", "label", "labels"})


def read_split(
    dataset_dir: Path, split: Split | str, *, limit: int | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a split in source order; rows that wait for a question or a label are left out.

    Every row has "row": int. By shape besides: "messages" [{role, content}, …] (question and answer become messages;
    with thumbs the judged answer is the last one, beside "thumb"; in preferences the question is the last, beside
    "chosen" and "rejected"), "text" (and "label", "labels" as a list, or "number" as a float), "image" and "label",
    or "user", "item", "rating" (float) and "time".
    Raises StudioError import.broken when the dataset is damaged.
    """
    try:
        scan = pl.scan_parquet(dataset_dir / ROWS_FILE, glob=False)
        content = content_columns(scan.collect_schema().names())
        chosen = scan.filter(pl.col("split") == Split(split).value).select("row", *content)
        waiting = [pl.col(name).is_not_null() for name in content if name in _NOT_YET]
        if waiting:
            chosen = chosen.filter(pl.all_horizontal(waiting))
        if limit is not None:
            chosen = chosen.head(limit)
        for frame in chosen.collect_batches(chunk_size=_STEP_ROWS, maintain_order=True):
            for row in frame.iter_rows(named=True):
                yield _training_row(row)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise errors.broken(str(dataset_dir), ROWS_FILE) from error


def _training_row(row: dict[str, Any]) -> dict[str, Any]:
    if "messages" in row:
        return {"row": row["row"], "messages": json.loads(row["messages"])}
    if "prompt" in row:
        beside: dict[str, Any] = {name: row[name] for name in _ANSWERS if name in row}
        return {"row": row["row"], "messages": _messages(row), **beside}
    if "labels" in row:
        return {**row, "labels": json.loads(row["labels"])}
    numbers: dict[str, Any] = {name: float(row[name]) for name in ("number", "rating") if name in row}
    return {**row, **numbers}


def _messages(row: dict[str, Any]) -> list[dict[str, str]]:
    system = [{"role": "system", "content": row["system"]}] if row["system"] else []
    history = json.loads(row["history"]) if row.get("history") else []
    question = [{"role": "user", "content": row["prompt"]}]
    answer = [{"role": "assistant", "content": row["response"]}] if "response" in row else []
    return [*system, *history, *question, *answer]
