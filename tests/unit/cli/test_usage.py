"""Wrong use is told in the language of the program, not in typer's English."""

from __future__ import annotations

import pytest

from studio.cli.usage import usage_words
from tests.unit.cli.conftest import Studio


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("data", "restore", "x@1"), "VERSION does not take this: a whole number is wanted."),
        (("--workspace", "/tmp"), "There is no option --workspace."),
        (("import", "a", "--validatio", "3"), "There is no option --validatio. Did you mean --validation?"),
        (("data", "restor"), "There is no command restor. Did you mean restore, redo?"),
        (("import", "a", "--as", "textt"), "--as does not take this: “textt” is none of these: prompt-response, "),
        (("import", "a", "--test", "x"), "--test does not take this: a number is wanted."),
        (("import", "a", "--json=1"), "--json takes no value."),
        (("data", "restore"), "VERSION is missing."),
        (("data", "restore", "0"), "VERSION does not take this: "),
        (("runs", "show", "a", "b", "c"), "This is too much: b c"),
    ],
)  # fmt: skip
def test_wrong_use_is_told_in_our_words(studio: Studio, arguments: tuple[str, ...], words: str) -> None:
    said = studio(*arguments)
    assert said.code == 2
    assert said.err.startswith(f"Error: {words}")


def test_wrong_use_is_told_in_chinese(studio: Studio) -> None:
    said = studio("data", "restore", "x@1", "--language", "zh_CN")
    assert said.err.startswith("错误：VERSION 的值无效：需要整数。")


def test_bounds_are_told() -> None:
    words = usage_words("Invalid value for '--processes': 90 is not in the range 1<=x<=64.")
    assert words == "--processes does not take this: 90 is out of bounds: 1<=x<=64."


def test_what_is_not_known_stays_as_it_is() -> None:
    assert usage_words("Something new.") == "Something new."
    assert usage_words("Option '--test' requires an argument.") == "--test needs a value."
