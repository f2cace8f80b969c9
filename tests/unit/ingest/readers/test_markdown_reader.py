"""Markdown: paragraphs under their headings, nothing lost; lists of questions told from ordinary text."""

from __future__ import annotations

from pathlib import Path

import pytest

from studio.ingest.readers.registry import sheets_of
from tests.unit.ingest.readers.helpers import opened, rejected, rows

GUIDE = """---
title: left out
---
# Guide

First paragraph
of two lines.

Second.

## Install

```
pip install

# no heading
```

Set up
------
Done.

# The end
"""
BY_HEADING = """# FAQ

Some words before.

## How do I start?
Press **start**.

Then wait.

### Details
Little.

## 可以退款吗？
A: 可以。
"""
BY_MARK = """# Help

**Q1: Hello?**
A: hi

Q: Second
goes on

A: answer two

with a paragraph

问：你好吗
答：很好
"""


def write(folder: Path, text: str, name: str = "a.md", encoding: str = "utf-8") -> Path:
    path = folder / name
    path.write_bytes(text.encode(encoding))
    return path


def test_paragraphs_with_their_headings(tmp_path: Path) -> None:
    reader = opened(write(tmp_path, GUIDE))
    assert (reader.columns, sheets_of(reader)) == (["text", "heading"], ["text"])
    assert rows(reader) == [
        (1, "Guide\n\nFirst paragraph\nof two lines.", "Guide"),
        (2, "Second.", "Guide"),
        (3, "Install\n\n```\npip install\n\n# no heading\n```", "Guide / Install"),
        (4, "Set up\n\nDone.", "Guide / Set up"),
        (5, "The end", "The end"),
    ]


def test_questions_as_headings(tmp_path: Path) -> None:
    reader = opened(write(tmp_path, BY_HEADING))
    assert (reader.columns, sheets_of(reader)) == (["question", "answer", "heading"], ["text", "questions"])
    assert rows(reader) == [
        (2, "How do I start?", "Press **start**.\n\nThen wait.\n\nDetails\n\nLittle.", "FAQ"),
        (3, "可以退款吗？", "可以。", "FAQ"),
    ]
    assert rejected(reader) == [(1, "outside_questions")]


def test_questions_by_marks(tmp_path: Path) -> None:
    assert rows(opened(write(tmp_path, BY_MARK))) == [
        (1, "Hello?", "hi", "Help"),
        (2, "Second\ngoes on", "answer two\n\nwith a paragraph", "Help"),
        (3, "你好吗", "很好", "Help"),
    ]


def test_a_question_list_can_be_read_as_text(tmp_path: Path) -> None:
    reader = opened(write(tmp_path, BY_HEADING), "text")
    assert rows(reader)[0] == (1, "FAQ\n\nSome words before.", "FAQ")


@pytest.mark.parametrize(
    "text",
    [
        "Why?\n\nA: one mark only\n\nQ: and one pair\nA: is no list\n\n" + "Much other text. " * 20,
        "# What?\n\nx\n\n# No\n\nlong text",
    ],
)
def test_ordinary_text_is_no_question_list(text: str, tmp_path: Path) -> None:
    assert sheets_of(opened(write(tmp_path, text))) == ["text"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "gb18030", "utf-16"])
def test_encodings_and_line_ends(encoding: str, tmp_path: Path) -> None:
    text = "# 标题\r\n\r\n这是一个段落，里面有很多汉字。\r\n第二行也是。\r\n"
    path = write(tmp_path, text, encoding=encoding)
    assert rows(opened(path)) == [(1, "标题\n\n这是一个段落，里面有很多汉字。\n第二行也是。", "标题")]


def test_bad_bytes_and_endless_lines_put_only_their_paragraph_aside(tmp_path: Path) -> None:
    path = tmp_path / "bad.md"
    path.write_bytes(b"good\n\nbad \xff byte\n\n" + b"x" * (20 << 20) + b"\n\nlast\n")
    reader = opened(path)
    assert [row[:2] for row in rows(reader)] == [(1, "good"), (4, "last")]
    assert rejected(reader) == [(2, "invalid_bytes"), (3, "line_too_long")]
