"""Marks between words in both languages, and that no message hides from the catalogue."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import studio
from studio.i18n import set_language
from studio.words import amount_words, clauses, ended, labelled, listed, sentences

_MARKING = {"_", "N_", "ngettext"}


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("en", ["a, b", "a, b; c", "Text: long", "3 rows change.", "First. Second. Third."]),
        ("zh_CN", ["a、b", "a, b；c", "Text：long", "3 rows change。", "First.Second.Third."]),
    ],
)
def test_marks_follow_the_language(language: str, words: list[str]) -> None:
    set_language(language)
    assert [
        listed(["a", "b"]),
        clauses(["a, b", "", "c"]),
        labelled("Text", "long"),
        ended("3 rows change"),
        sentences("First.", "", "Second.", "Third."),
    ] == words


def test_nothing_gives_nothing() -> None:
    assert (listed([]), clauses([""]), sentences("", "")) == ("", "", "")


def test_no_message_stands_where_it_is_not_found() -> None:
    """The extractor sees a literal neither inside an f-string nor as the argument of another marking call."""
    hidden = [
        f"{path}:{call.lineno}"
        for path in sorted(Path(studio.__file__).parent.rglob("*.py"))
        for outer in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(outer, ast.JoinedStr) or _is_marking(outer)
        for call in ast.walk(outer)
        if call is not outer and _marks(call)
    ]
    assert not hidden


def _is_marking(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _MARKING


def _marks(node: ast.AST) -> bool:
    """Whether it is a call that marks a literal."""
    return (
        isinstance(node, ast.Call)
        and _is_marking(node)
        and bool(node.args)
        and isinstance(node.args[0], ast.Constant)
    )


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "0.00"), (1234.5, "1,234.50"), (0.1, "0.10"), (0.034, "0.034"), (0.00056, "0.00056"),
        (0.0001, "0.0001"), (4e-6, "< 0.0001"),
    ],
)  # fmt: skip
def test_amounts_of_money(amount: float, words: str) -> None:
    assert amount_words(amount) == words


def test_the_sign_stands_at_the_figure() -> None:
    assert [amount_words(amount, "$") for amount in (12.5, 0.034, 4e-6)] == ["$12.50", "$0.034", "< $0.0001"]
