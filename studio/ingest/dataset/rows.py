"""Rows of one split as the engine takes them: conversations, texts, and what each shape has beside them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import polars as pl

from studio.domain.datasets import Split
from studio.domain.shapes import content_columns
from studio.ingest import errors
from studio.ingest.dataset.canonical import ROWS_FILE
from studio.ingest.dataset.folds import parts

_STEP_ROWS: Final = 10_000
_ANSWERS: Final = ("chosen", "rejected", "thumb")
# A row that still waits for one of these is not learned from.
_NOT_YET: Final = frozenset({"prompt", "label", "labels"})


def read_split(
    dataset_dir: Path, split: Split | str, *, limit: int | None = None, unlabelled: bool = False
) -> Iterator[dict[str, Any]]:
    """Yield the rows of a split in source order; rows that wait for a question or a label are left out.

    unlabelled: rows that wait for a label are given as well, for what is learned without labels.

    Every row has "row": int. By shape besides: "messages" [{role, content}, …] (question and answer become messages;
    with thumbs the judged answer is the last one, beside "thumb"; in preferences the question is the last, beside
    "chosen" and "rejected"), "text" (and "label", "labels" as a list, or "number" as a float), "image" and "label",
    or "user", "item", "rating" (float) and "time".
    Raises StudioError import.broken when the dataset is damaged.
    """
    with _broken_told(dataset_dir):
        scan = pl.scan_parquet(dataset_dir / ROWS_FILE, glob=False)
        chosen = _ready(scan, unlabelled=unlabelled).filter(pl.col("split") == Split(split).value)
        yield from _training_rows(chosen if limit is None else chosen.head(limit))


def read_fold(
    dataset_dir: Path,
    split: Split | str,
    fold: tuple[int, int],
    *,
    by: str | None = None,
    unlabelled: bool = False,
) -> Iterator[dict[str, Any]]:
    """Yield the rows of one side of fold i of k, as ``read_split`` does: validation is part i, training the rest.

    Training and validation rows of the dataset take part (see dataset.folds); its test rows stay what they are.
    fold: (i, k), i from 1. by: column whose equal values stay in one part.
    """
    number, k = fold
    with _broken_told(dataset_dir):
        scan = pl.scan_parquet(dataset_dir / ROWS_FILE, glob=False)
        ready = _ready(scan, unlabelled=unlabelled)
        if split == Split.TEST:
            yield from _training_rows(ready.filter(pl.col("split") == Split.TEST.value))
            return
        shared = ready.filter(pl.col("split") != Split.TEST.value)
        dealt = parts(shared, k, by)
        own = dealt.filter((pl.col("part") == number - 1) == (split == Split.VALIDATION))
        yield from _training_rows(
            shared.join(own.lazy().select("row"), on="row", how="inner", maintain_order="left")
        )


def _ready(scan: pl.LazyFrame, *, unlabelled: bool) -> pl.LazyFrame:
    """Without rows that wait for something."""
    names = content_columns(scan.collect_schema().names())
    waiting = [pl.col(name).is_not_null() for name in names if name in _NOT_YET and not unlabelled]
    return scan.filter(pl.all_horizontal(waiting)) if waiting else scan


def _training_rows(chosen: pl.LazyFrame) -> Iterator[dict[str, Any]]:
    content = content_columns(chosen.collect_schema().names())
    frames = chosen.select("row", *content).collect_batches(chunk_size=_STEP_ROWS, maintain_order=True)
    for frame in frames:
        for row in frame.iter_rows(named=True):
            yield _training_row(row)


@contextmanager
def _broken_told(dataset_dir: Path) -> Iterator[None]:
    try:
        yield
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
