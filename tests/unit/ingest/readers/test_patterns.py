"""Patterns that meet strangers' files: what they match, and that no text keeps them busy."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from studio.ingest.privacy.words import UnsafeWords
from studio.ingest.readers import prose, registry
from studio.ingest.readers.markdown_reader import heading_of
from studio.ingest.readers.workbook_scan import errors_in


@pytest.mark.parametrize(
    "look",
    [
        lambda: registry.is_html(b"<!---->" * 500 + b"x"),
        lambda: registry.is_html(b" " * 4000 + b"<!--" + b"-- " * 1000),
        lambda: heading_of("# a" + " " * 100_000 + "b"),
        lambda: heading_of("# a" + " #" * 50_000 + "b"),
        lambda: prose.is_question("Q" + " " * 100_000 + "b"),
        lambda: prose.is_question(" " * 100_000 + "b"),
        lambda: dict(errors_in(b'<c r="A1" t="e">' * 50_000)),
        lambda: UnsafeWords().find_in("一次性交付性交" * 6_000),
    ],
    ids=["comments", "comment", "heading", "marks", "question", "blanks", "cells", "words"],
)
def test_no_text_keeps_a_pattern_busy(look: Callable[[], object]) -> None:
    began = time.process_time()
    look()
    assert time.process_time() - began < 2


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("# A title", (1, "A title")),
        ("  ### A title ##  ", (3, "A title")),
        ("#\tA # b", (1, "A # b")),
        ("# C#", (1, "C#")),
        ("## ##", (2, "")),
        ("#", (1, "")),
        ("#tag", None),
        ("    # code", None),
        ("####### seven", None),
    ],
)
def test_headings(line: str, expected: tuple[int, str] | None) -> None:
    assert heading_of(line) == expected


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (b"<!DOCTYPE html><p>", True),
        (b'\n<?xml version="1.0"?>\n<!-- a --> <!-- b -->\n<HTML lang="en">', True),
        (b"<!-- <html> -->\n<html>", True),
        (b"<!-- <html> -->\n<p>", False),
        (b"<!-- open <html>", False),
        (b"<htmlish>", False),
        (b"a,b\n<html>", False),
    ],
)
def test_a_page_by_its_head(head: bytes, expected: bool) -> None:
    assert registry.is_html(head) is expected


def test_error_cells() -> None:
    text = b'<c r="A1"><v>1</v></c><c r="B1" t="e"><f>1/0</f><v>#DIV/0!</v></c><x:c r="C2" t="e"></x:c>'
    assert dict(errors_in(text)) == {(0, 1): "#DIV/0!", (1, 2): "#N/A"}
