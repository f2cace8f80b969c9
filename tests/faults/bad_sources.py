"""The corpus of bad sources: each a file as people really send them, with what must come of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import openpyxl
import polars as pl


@dataclass(frozen=True)
class BadSource:
    """content: the file's bytes. error: the code of the refusal, or None with what is kept and put aside."""

    name: str
    content: bytes
    error: str | None = None
    kept: tuple[tuple[str, str], ...] = ()
    rejected: tuple[tuple[int, str], ...] = ()

    def write(self, folder: Path) -> Path:
        path = folder / self.name
        path.write_bytes(self.content)
        return path


def source(name: str, text: str | bytes, **expected: object) -> BadSource:
    content = text if isinstance(text, bytes) else text.encode()
    return BadSource(name, content, **expected)  # type: ignore[arg-type]


def merged_workbook(folder: Path) -> Path:
    """A workbook with blank rows, a merged cell, a number, a formula and 00123 as text."""
    book = openpyxl.Workbook()
    sheet = book.active
    for row in (
        ["问题", "回答"],
        ["你好", "您好"],
        [None, None],
        ["00123", 42],
        ["merged", "over two"],
        ["x", None],
    ):
        sheet.append(row)
    sheet.merge_cells("A5:A6")
    path = folder / "book.xlsx"
    book.save(path)
    return path


def truncated_parquet(folder: Path) -> Path:
    whole = folder / "whole.parquet"
    pl.DataFrame({"prompt": ["a"] * 1000, "response": ["b"] * 1000}).write_parquet(whole)
    path = folder / "cut.parquet"
    path.write_bytes(whole.read_bytes()[:-20])
    return path
